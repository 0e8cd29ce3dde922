// The roll: notes rise from the keyboard, the newest at the bottom; solid ones are the player's, hatched the improviser's.
import { layout, nameOf } from "./pitch.js";
import { HIGH, LOW } from "./keyboard.js";

const SECONDS = 8, KEPT = 60, STRIP = 22, SHORTEST = 3, LATEST = 40, NARROW = 500;

export class Roll {
  // clock: what time of the session it is; hurried: whether something is to sound soon, so that drawing waits.
  constructor(canvas, clock, hurried) {
    this.hurried = hurried;
    this.canvas = canvas;
    this.clock = clock;
    this.notes = [];
    this.sounding = new Map();
    this.phrases = [];
    this.strip = false; // whether the keys under the roll are others than its own
    this.places = layout(LOW, HIGH);
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
    this.dark = matchMedia("(prefers-color-scheme: dark)");
    this.dark.addEventListener("change", () => this.readColours());
    this.readColours();
    new ResizeObserver(() => this.resize()).observe(canvas);
    this.drawn = 0;
    requestAnimationFrame((at) => this.frame(at));
  }

  readColours() {
    const style = getComputedStyle(document.documentElement);
    this.colours = Object.fromEntries(["player", "improviser", "improviser-soft", "ink", "soft", "guide", "roll", "white-key", "black-key", "line"].map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
    const tile = new OffscreenCanvas(8, 8), brush = tile.getContext("2d");
    brush.fillStyle = this.colours["improviser-soft"];
    brush.fillRect(0, 0, 8, 8);
    brush.strokeStyle = this.colours.improviser;
    brush.lineWidth = 3;
    for (const shift of [-8, 0, 8]) { brush.beginPath(); brush.moveTo(shift - 2, 10); brush.lineTo(shift + 10, -2); brush.stroke(); }
    this.hatch = tile;
  }

  resize() {
    const ratio = devicePixelRatio || 1;
    this.canvas.width = Math.round(this.canvas.clientWidth * ratio);
    this.canvas.height = Math.round(this.canvas.clientHeight * ratio);
  }

  clear() {
    this.notes = [];
    this.sounding.clear();
    this.phrases = [];
  }

  add(part, pitch, start, end) {
    const note = { part, pitch, start, end };
    this.notes.push(note);
    if (end === null) this.sounding.set(`${part} ${pitch} any`, note);
  }

  begins(part, pitch, channel, at) {
    this.ends(part, pitch, channel, at);
    const note = { part, pitch, start: at, end: null };
    this.notes.push(note);
    this.sounding.set(`${part} ${pitch} ${channel}`, note);
  }

  ends(part, pitch, channel, at) {
    for (const place of [`${part} ${pitch} ${channel}`, `${part} ${pitch} any`]) {
      const note = this.sounding.get(place);
      if (note !== undefined) note.end = Math.max(at, note.start);
      this.sounding.delete(place);
    }
  }

  silence(at) {
    for (const note of this.sounding.values()) note.end = Math.max(at, note.start);
    this.sounding.clear();
  }

  phrase(phrase) { this.phrases = [...this.phrases.slice(-15), phrase]; }

  frame(at) {
    requestAnimationFrame((next) => this.frame(next));
    const since = at - this.drawn;
    if ((this.still.matches && since < 500) || (this.hurried() && since < LATEST)) return;
    this.drawn = at;
    this.draw();
  }

  draw() {
    const ratio = devicePixelRatio || 1, brush = this.canvas.getContext("2d"), { colours } = this;
    const width = this.canvas.width / ratio, whole = this.canvas.height / ratio, height = whole - (this.strip ? STRIP : 0), now = this.clock();
    brush.setTransform(ratio, 0, 0, ratio, 0, 0);
    brush.clearRect(0, 0, width, whole);
    const y = (seconds) => height * (1 - (now - seconds) / SECONDS);
    this.guides(brush, width, height);
    this.notes = this.notes.filter((note) => note.end === null || now - note.end < KEPT);
    const hatch = brush.createPattern(this.hatch, "repeat");
    hatch.setTransform(new DOMMatrix([1, 0, 0, 1, 0, y(0) % 8]));
    for (const note of this.notes) {
      const bottom = Math.min(height, y(note.end ?? now)), top = y(note.start);
      if (bottom < 0 || top > height) continue;
      const pitch = Math.min(HIGH, Math.max(LOW, note.pitch)), { left, width: wide } = this.places.get(pitch);
      const x = left * width + 1, w = Math.max(3, wide * width - 2), tall = Math.max(SHORTEST, bottom - top), mine = note.part === "player";
      brush.fillStyle = mine ? colours.player : hatch;
      brush.strokeStyle = mine ? colours.player : colours.improviser;
      brush.beginPath();
      brush.roundRect(x, top, w, tall, Math.min(4, w / 2));
      brush.fill();
      brush.lineWidth = 1.5;
      brush.stroke();
      if (pitch !== note.pitch) this.text(brush, `${note.pitch > HIGH ? "▸" : "◂"}${nameOf(note.pitch)}`, note.pitch > HIGH ? width - 40 : 4, top + 12);
    }
    this.brackets(brush, y, width, height);
    if (this.strip) this.keys(brush, width, height);
  }

  guides(brush, width, height) {
    brush.strokeStyle = this.colours.guide;
    brush.lineWidth = 1;
    for (let pitch = LOW; pitch <= HIGH; pitch += 12) {
      const x = Math.round(this.places.get(pitch).left * width) + 0.5;
      brush.beginPath();
      brush.moveTo(x, 0);
      brush.lineTo(x, height);
      brush.stroke();
      this.text(brush, nameOf(pitch), x + 3, 12);
    }
  }

  brackets(brush, y, width, height) {
    brush.strokeStyle = this.colours.soft;
    brush.lineWidth = 2;
    for (const { start, end, notes } of this.phrases) {
      const top = y(start), bottom = Math.min(height, y(end));
      if (bottom < 0) continue;
      brush.beginPath();
      brush.moveTo(9, top);
      brush.lineTo(4, top);
      brush.lineTo(4, bottom);
      brush.lineTo(9, bottom);
      brush.stroke();
      const named = `${notes} ${notes === 1 ? "note" : "notes"}`;
      this.text(brush, width < NARROW ? named : `phrase, ${named}`, 12, Math.min(height - 4, bottom - 4));
    }
  }

  text(brush, words, x, y) {
    brush.fillStyle = this.colours.soft;
    brush.font = "11px system-ui, sans-serif";
    brush.fillText(words, x, y);
  }

  keys(brush, width, top) {
    const held = new Map();
    for (const note of this.sounding.values()) held.set(note.pitch, held.has(note.pitch) && held.get(note.pitch) !== note.part ? "both" : note.part);
    const hatch = brush.createPattern(this.hatch, "repeat");
    for (const black of [false, true]) {
      for (const key of this.places.values()) {
        if (key.black !== black) continue;
        const part = held.get(key.pitch);
        brush.fillStyle = part === "improviser" ? hatch : part ? this.colours.player : this.colours[black ? "black-key" : "white-key"];
        brush.strokeStyle = this.colours.line;
        brush.lineWidth = 0.5;
        brush.beginPath();
        brush.rect(key.left * width, top, key.width * width, black ? STRIP * 0.6 : STRIP);
        brush.fill();
        brush.stroke();
      }
    }
  }
}
