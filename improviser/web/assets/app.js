// The page of a session: what the session says is shown and heard; what is pressed and turned here goes to it.
import { Connection } from "./connection.js";
import { Controls } from "./controls.js";
import { element } from "./element.js";
import { Keyboard } from "./keyboard.js";
import { listenToMidi } from "./midi.js";
import { nameOf } from "./pitch.js";
import { Playing } from "./playing.js";
import { Roll } from "./roll.js";
import { Sound } from "./sound.js";

const ANSWERS = 8, PHRASES = 4, NEWS = 6, OWN = 200;
const byId = (id) => document.getElementById(id);
const state = { role: "player", version: null, title: "", own: [], recording: false, playing: true, connected: false };

const sound = new Sound(showSound);
const connection = new Connection(
  { hello, snapshot, values, state: setState, step, played, set, expected, phrase, figures, news, refused, released },
  showConnection,
);
const send = (message) => connection.send(message);
const playing = new Playing(send, sound);
const keyboard = new Keyboard(byId("keys"), playing);
const roll = new Roll(byId("roll"), () => connection.now, () => playing.awaits);
const controls = new Controls((message) => connection.ask(message));

// What the session says.

function hello(message) {
  if (state.version !== null && state.version !== message.version) location.reload();
  Object.assign(state, { version: message.version, role: message.role, title: message.name });
  const audience = message.role === "audience";
  document.body.classList.toggle("audience", audience);
  document.title = `${message.name} – ${audience ? "listening to an improviser" : "improviser"}`;
  byId("name").textContent = message.name === "improviser" ? "" : ` · ${message.name}`;
  keyboard.enable(!audience);
  controls.draw(message.parameters, message.models, audience);
  byId("record").hidden = !message.records;
  byId("recordings").hidden = audience;
  if (!audience) midi();
}

function snapshot(message) {
  silence(message.at);
  roll.clear();
  for (const [part, pitch, start, end] of message.roll) {
    roll.add(part, pitch, start, end);
    if (end === null) keyboard.sounds(part, pitch, "any");
  }
  byId("answers").replaceChildren();
  for (const answer of message.answers) showAnswer(answer);
  byId("phrases").replaceChildren();
  for (const each of message.phrases) phrase(each);
  byId("news").replaceChildren();
  for (const line of message.news) news({ line });
  keyboard.expect(message.expected);
  figures(message);
}

function values(message) { for (const [name, value] of Object.entries(message.values)) controls.set(name, value); }

function setState(message) {
  Object.assign(state, { recording: message.recording, playing: message.playing });
  controls.set("model", message.models);
  byId("hears").textContent = message.hears || "–";
  byId("plays-to").textContent = message.api === "loopback" ? "this page, and no MIDI port" : `${message.plays_to} (${message.api})`;
  byId("pages").textContent = `${message.players} to play, ${message.audience} to listen`;
  byId("record").setAttribute("aria-pressed", String(message.recording));
  showConnection(null);
}

function step(message) {
  happened(message.heard ? [message.heard] : [], message.played, message.at, () => {
    const took = message.heard?.on === undefined ? null : playing.answered(message.heard.channel, message.heard.on);
    if (took !== null) showOwn(took);
  });
  if (message.heard?.on === undefined) return;
  showAnswer({ at: message.at, heard: message.heard, played: message.played.filter((each) => each.on !== undefined), latency: message.latency });
}

function expected({ pitches }) { keyboard.expect(pitches); }

function played(message) {
  if (message.cause === "panic") silence(message.at);
  happened([], message.played, message.at);
}

function set(message) {
  controls.set(message.parameter, message.value);
  happened([], message.played, message.at);
}

// What both have played: it sounds first, then it is seen.
function happened(heard, answers, at, sounded = () => {}) {
  const both = [...heard.map((event) => ["player", event]), ...answers.map((event) => ["improviser", event])];
  for (const [part, event] of both) {
    if (event.on !== undefined) sound.begins(part, event.channel, event.on, event.velocity);
    else if (event.off !== undefined) sound.ends(part, event.channel, event.off);
    else sound.control(part, event.channel, event.control, event.value);
  }
  sounded();
  for (const [part, event] of both) {
    const { channel } = event;
    if (event.on !== undefined) {
      roll.begins(part, event.on, channel, at);
      keyboard.sounds(part, event.on, channel);
    } else if (event.off !== undefined) {
      roll.ends(part, event.off, channel, at);
      for (const each of [channel, "any"]) keyboard.ends(part, event.off, each);
    }
  }
}

function silence(at) {
  roll.silence(at);
  keyboard.silence();
  keyboard.expect([]);
  sound.silence();
}

function showAnswer({ at, heard, played: notes, latency }) {
  const line = element("li", {});
  line.append(
    element("span", { className: "soft", textContent: `${at.toFixed(2)} s` }),
    element("span", { textContent: `${nameOf(heard.on)} → ${notes.map((each) => nameOf(each.on)).join(" ") || "–"}` }),
    element("span", { className: "latency", textContent: `${latency.toFixed(2)} ms` }),
  );
  keep(byId("answers"), line, ANSWERS);
}

function phrase(message) {
  roll.phrase(message);
  const { start, end, notes } = message;
  keep(byId("phrases"), element("li", { textContent: `${start.toFixed(1)} s: ${notes} ${notes === 1 ? "note" : "notes"}, ${(end - start).toFixed(1)} s long` }), PHRASES);
}

function figures({ heard, played: answers, key, listens_to: listensTo, latency }) {
  byId("heard").textContent = heard.toLocaleString("en");
  byId("played").textContent = answers.toLocaleString("en");
  byId("key").textContent = key || "–";
  byId("key-shown").textContent = key;
  byId("listens-to").textContent = listensTo;
  byId("listens-to-row").hidden = !listensTo;
  if (latency) byId("latency").textContent = `${latency.map((each) => each.toFixed(2)).join(" · ")} ms`;
}

function news({ line }) { keep(byId("news"), element("li", { textContent: line }), NEWS); }

function refused({ error }) { news({ line: `refused: ${error}` }); }

function released() {
  playing.forget();
  news({ line: "this page seemed to sleep: what it held was let go of" });
}

function keep(list, line, most) {
  list.prepend(line);
  while (list.children.length > most) list.lastChild.remove();
}

function showOwn(took) {
  state.own = [...state.own.slice(1 - OWN), took];
  const sorted = [...state.own].sort((one, other) => one - other);
  byId("own-latency").textContent = `${sorted[Math.floor(sorted.length / 2)].toFixed(1)} ms (median of ${sorted.length})`;
}

// How things stand.

function showConnection(how) {
  if (how === "open") Object.assign(state, { connected: true, why: null });
  else if (how !== null && how !== "measured") {
    state.connected = false;
    if (how !== "lost" || state.why !== "ended") state.why = how;
    playing.forget();
    silence(connection?.now ?? 0);
  }
  const status = byId("status");
  const audience = state.role === "audience" ? "you watch and listen" : "play: keys, letters, or a MIDI keyboard";
  let line = state.playing ? audience : "the engine begins anew…";
  if (!state.connected) line = state.why === "ended" ? "the session has ended; this page waits for the next" : `not connected (${state.why ?? "lost"}); trying again`;
  if (status.textContent !== line) status.textContent = line;
  status.classList.toggle("bad", !state.connected);
  showSound();
}

function showSound() {
  const button = byId("sound"), loading = sound.on && sound.loaded < 1;
  button.setAttribute("aria-pressed", String(sound.on));
  button.textContent = loading ? `Sound ${Math.round(sound.loaded * 100)} %` : "Sound";
  const trip = connection?.trip === null || connection === undefined ? "" : `, ${(connection.trip / 2).toFixed(1)} ms from the session`;
  byId("delay").textContent = sound.on && sound.delay !== null ? `${sound.delay.toFixed(0)} ms in the browser${trip}` : `off${trip}`;
}

function showTyping() {
  byId("typed-octave").textContent = nameOf(keyboard.octave);
  byId("typed-loudness").textContent = String(keyboard.loudness);
  roll.strip = !keyboard.isWhole;
}

// What is done here.

// The sound begins with the first press, wherever; if that is on its button, the click that follows is not to end it.
function firstPress(event) {
  if (state.muted || (sound.on && sound.context?.state === "running")) return;
  state.starting = event.target.closest?.("#sound") !== null;
  sound.start();
}
for (const first of ["pointerdown", "keydown"]) window.addEventListener(first, firstPress, { capture: true });

byId("sound").addEventListener("click", () => {
  if (!state.starting) {
    state.muted = sound.on;
    if (sound.on) sound.stop();
    else sound.start();
  }
  state.starting = false;
});
for (const part of ["player", "improviser"]) {
  const slider = byId(`volume-${part}`);
  slider.addEventListener("input", () => {
    slider.previousElementSibling.textContent = `${slider.value} %`;
    sound.setVolume(part, slider.value / 100);
  });
}

async function command(name) {
  const reply = await connection.ask({ type: "do", command: name });
  news({ line: reply.ok ? reply.line : reply.error });
}
const panic = () => { playing.forget(); sound.silence(); command("panic"); };
byId("panic").addEventListener("click", panic);
for (const vote of ["good", "bad", "forget"]) byId(vote).addEventListener("click", () => command(vote));
byId("record").addEventListener("click", () => command(state.recording ? "stop recording" : "record"));
byId("lower").addEventListener("click", () => keyboard.shift(-1));
byId("higher").addEventListener("click", () => keyboard.shift(1));
window.addEventListener("keydown", (event) => { if (event.key === "Escape" && state.role === "player") panic(); });
for (const form of document.forms) form.addEventListener("submit", (event) => event.preventDefault());

// Who looks elsewhere does not see a key come up: let go. What a MIDI keyboard holds, it lets go of itself.
const byHand = (hand) => !hand.startsWith("midi");
window.addEventListener("blur", () => playing.releaseAll(byHand));
document.addEventListener("visibilitychange", () => { if (document.hidden) playing.releaseAll(byHand); });
window.addEventListener("pagehide", () => playing.releaseAll());

function midi() {
  if (state.midi) return;
  state.midi = true;
  listenToMidi(playing, send, (line) => { byId("midi").textContent = line; });
}

keyboard.changed = showTyping;
showTyping();
