// The keys on the page: touched (several at a time, louder towards their ends), clicked, chosen and pressed, or typed.
import { layout, nameOf } from "./pitch.js";

export const LOW = 36, HIGH = 96; // C2 to C7: what the roll shows, and wide pages' keys
const NARROWEST = 16, TOUCHABLE = 25; // pixels of a white key: where all fit, and where they do not
const SOFTEST = 30, LOUDEST = 120;
const TYPED = ["KeyA", "KeyW", "KeyS", "KeyE", "KeyD", "KeyF", "KeyT", "KeyG", "KeyY", "KeyH", "KeyU", "KeyJ", "KeyK", "KeyO", "KeyL", "KeyP", "Semicolon"];

export class Keyboard {
  constructor(element, playing) {
    this.element = element;
    this.playing = playing;
    this.enabled = true;
    this.first = 60;
    this.octave = 60;
    this.loudness = 80;
    this.keys = new Map();
    this.pointers = new Map();
    this.held = { player: new Map(), improviser: new Map() };
    this.expected = new Set();
    this.chosen = 60;
    this.changed = () => {};
    this.listen();
    new ResizeObserver(() => this.draw()).observe(element);
    this.draw();
  }

  get isWhole() { return this.high - this.low >= HIGH - LOW; }

  draw() {
    const width = this.element.clientWidth || 360, all = layout(LOW, HIGH).get(LOW).width;
    let low = LOW, high = HIGH;
    if (width * all < NARROWEST) {
      const whites = Math.max(8, Math.floor(width / TOUCHABLE));
      low = this.first;
      high = low + Math.floor(whites / 7) * 12 + [0, 2, 4, 5, 7, 9, 11][whites % 7];
      if (high > HIGH) { const down = 12 * Math.ceil((high - HIGH) / 12); low -= down; high -= down; }
    }
    if (low === this.low && high === this.high) return;
    this.playing.releaseAll((hand) => hand.startsWith("key"));
    [this.low, this.high] = [low, high];
    this.keys.clear();
    const made = [...layout(low, high).values()].sort((one, other) => one.pitch - other.pitch).map(({ pitch, left, width: wide, black }) => {
      const key = document.createElement("button");
      key.type = "button";
      key.className = black ? "key black" : "key";
      key.dataset.pitch = pitch;
      key.setAttribute("aria-label", nameOf(pitch));
      key.setAttribute("aria-pressed", "false");
      key.tabIndex = -1;
      key.disabled = !this.enabled;
      key.style.left = `${left * 100}%`;
      key.style.width = `${wide * 100}%`;
      key.style.height = black ? "62%" : "100%";
      if (pitch % 12 === 0) key.textContent = nameOf(pitch);
      this.keys.set(pitch, key);
      return key;
    });
    this.element.replaceChildren(...made);
    this.choose(Math.min(high, Math.max(low, this.chosen)), false);
    for (const pitch of this.keys.keys()) this.show(pitch);
    this.changed();
  }

  enable(enabled) {
    this.enabled = enabled;
    for (const key of this.keys.values()) key.disabled = !enabled;
  }

  shift(octaves) {
    if (this.isWhole) this.type(octaves);
    else {
      this.first = Math.min(84, Math.max(LOW, this.first + 12 * octaves));
      this.draw();
    }
  }

  type(octaves) {
    this.playing.releaseAll((hand) => hand.startsWith("typed"));
    this.octave = Math.min(108, Math.max(12, this.octave + 12 * octaves));
    this.changed();
  }

  choose(pitch, focus = true) {
    this.keys.get(this.chosen)?.setAttribute("tabindex", "-1");
    this.chosen = pitch;
    const key = this.keys.get(pitch);
    if (key === undefined) return;
    key.tabIndex = 0;
    if (focus) key.focus();
  }

  listen() {
    const element = this.element;
    element.addEventListener("pointerdown", (event) => {
      if (!this.enabled || event.button > 0) return;
      event.preventDefault();
      if (event.target.hasPointerCapture?.(event.pointerId)) event.target.releasePointerCapture(event.pointerId);
      this.touch(event);
    });
    window.addEventListener("pointermove", (event) => { if (this.pointers.has(event.pointerId)) this.touch(event); });
    for (const ended of ["pointerup", "pointercancel"]) window.addEventListener(ended, (event) => this.leave(event.pointerId));
    element.addEventListener("contextmenu", (event) => event.preventDefault());
    element.addEventListener("keydown", (event) => this.walk(event));
    element.addEventListener("keyup", (event) => {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); this.playing.releaseAll((hand) => hand === "key walked"); }
    });
    element.addEventListener("focusin", (event) => {
      const pitch = Number(event.target.dataset.pitch);
      if (this.keys.has(pitch) && pitch !== this.chosen) this.choose(pitch, false);
    });
    element.addEventListener("focusout", () => this.playing.releaseAll((hand) => hand === "key walked"));
    window.addEventListener("keydown", (event) => this.typeDown(event));
    window.addEventListener("keyup", (event) => {
      const step = TYPED.indexOf(event.code);
      if (step >= 0) this.playing.releaseAll((hand) => hand === `typed ${event.code}`);
    });
  }

  touch(event) {
    const under = document.elementFromPoint(event.clientX, event.clientY)?.closest(".key");
    const pitch = under !== null && under !== undefined && this.element.contains(under) ? Number(under.dataset.pitch) : null;
    const before = this.pointers.get(event.pointerId), hand = `key pointer ${event.pointerId}`;
    if (before === pitch) return;
    if (before !== undefined && before !== null) this.playing.release(hand, before);
    this.pointers.set(event.pointerId, pitch);
    if (pitch === null) return;
    const box = under.getBoundingClientRect(), depth = (event.clientY - box.top) / box.height;
    this.playing.press(hand, pitch, SOFTEST + (LOUDEST - SOFTEST) * Math.min(1, Math.max(0, depth)));
    this.choose(pitch, false);
  }

  leave(pointer) {
    const pitch = this.pointers.get(pointer);
    this.pointers.delete(pointer);
    if (pitch !== undefined && pitch !== null) this.playing.release(`key pointer ${pointer}`, pitch);
  }

  walk(event) {
    const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      if (this.keys.has(this.chosen + step)) this.choose(this.chosen + step);
    } else if ((event.key === "Enter" || event.key === " ") && !event.repeat && this.enabled) {
      event.preventDefault();
      this.playing.press("key walked", this.chosen, this.loudness);
    }
  }

  typeDown(event) {
    if (!this.enabled || event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target.closest?.("select, input[type=text], textarea")) return;
    const step = TYPED.indexOf(event.code);
    if (step >= 0) this.playing.press(`typed ${event.code}`, this.octave + step, this.loudness);
    else if (event.code === "KeyZ" || event.code === "KeyX") this.type(event.code === "KeyX" ? 1 : -1);
    else if (event.code === "KeyC" || event.code === "KeyV") {
      this.loudness = Math.min(127, Math.max(10, this.loudness + (event.code === "KeyV" ? 10 : -10)));
      this.changed();
    } else return;
    event.preventDefault();
  }

  // What sounds, as the session tells it.

  sounds(part, pitch, channel) {
    const channels = this.held[part].get(pitch) ?? new Set();
    this.held[part].set(pitch, channels.add(channel));
    this.show(pitch);
  }

  ends(part, pitch, channel) {
    const channels = this.held[part].get(pitch);
    channels?.delete(channel);
    if (channels?.size === 0) this.held[part].delete(pitch);
    this.show(pitch);
  }

  silence() {
    const pitches = [...this.held.player.keys(), ...this.held.improviser.keys()];
    this.held.player.clear();
    this.held.improviser.clear();
    for (const pitch of pitches) this.show(pitch);
  }

  expect(pitches) {
    const before = this.expected;
    this.expected = new Set(pitches);
    for (const pitch of new Set([...before, ...this.expected])) this.show(pitch);
  }

  show(pitch) {
    const key = this.keys.get(pitch);
    if (key === undefined) return;
    const player = this.held.player.has(pitch), improviser = this.held.improviser.has(pitch);
    key.classList.toggle("player", player);
    key.classList.toggle("improviser", improviser);
    key.classList.toggle("expected", this.expected.has(pitch) && !player && !improviser);
    key.setAttribute("aria-pressed", String(player));
    const who = [player ? "you" : "", improviser ? "improviser" : ""].filter(Boolean).join(" and ");
    key.setAttribute("aria-label", who ? `${nameOf(pitch)}, ${who}` : nameOf(pitch));
  }
}
