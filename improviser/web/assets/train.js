// The page of a training run: its curve, its figures, and the best network's phrase, seen and heard.
import { drawCurve, drawPhrase } from "./charts.js";
import { nameOf } from "./pitch.js";
import { Sound } from "./sound.js";

const AGAIN = 1000, ENDED = 1001, LOUD = 90, LEGATO = 0.9;
const byId = (id) => document.getElementById(id);
const sound = new Sound(() => {});
let state = {}, role = "audience", connected = false, ended = false, timers = [], socket = null;

function open() {
  const address = new URL("socket", location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  socket = new WebSocket(address);
  socket.addEventListener("open", () => { connected = true; ended = false; });
  socket.addEventListener("message", (event) => take(JSON.parse(event.data)));
  socket.addEventListener("close", (event) => {
    connected = false;
    ended = event.code === ENDED || ended;
    show();
    setTimeout(open, AGAIN);
  });
}

function take(message) {
  if (message.type === "hello") role = message.role;
  else state = { ...(message.curve ? {} : state), ...message };
  show();
}

const number = (value) => (value === null || value === undefined ? "–" : value.toFixed(4));

function show() {
  const { title, stage, lines = [], member, members, generation, best, mean, held_out: heldOut, diversity, speed, done, seconds_left: left } = state;
  byId("title").textContent = title ?? "Training";
  let line = [stage, ...lines].join("; ");
  if (!connected) line = ended ? `the run has ended: ${line}` : "not connected; trying again";
  if (byId("status").textContent !== line) byId("status").textContent = line;
  byId("stop").hidden = role !== "player";
  byId("stop").disabled = !connected || generation === undefined || state.stopping === true;
  byId("done").value = done ?? 0;
  byId("left").textContent = left === undefined ? "–" : `${Math.floor(left / 60)}:${String(Math.floor(left % 60)).padStart(2, "0")}`;
  byId("generation").textContent = generation ?? "–";
  byId("member").textContent = members === undefined ? "–" : `${member} of ${members}`;
  byId("best").textContent = number(best);
  byId("mean").textContent = number(mean);
  byId("held-out").textContent = number(heldOut);
  byId("diversity").textContent = diversity === undefined || diversity === null ? "–" : `${Math.round(diversity * 100)} %`;
  byId("speed").textContent = speed === undefined ? "–" : Math.round(speed).toLocaleString("en");
  const phrase = state.phrase ?? [];
  byId("listen").disabled = phrase.length === 0 && timers.length === 0;
  byId("hears").hidden = (state.tune ?? []).length === 0;
  const notes = phrase.map(nameOf).join(" ");
  if (byId("notes").textContent !== notes) byId("notes").textContent = notes;
  draw();
}

function draw() {
  drawCurve(byId("curve"), state.curve ?? []);
  drawPhrase(byId("roll"), state.tune ?? [], state.phrase ?? []);
}

function silence() {
  for (const timer of timers) clearTimeout(timer);
  timers = [];
  sound.silence();
  byId("listen").textContent = "Listen";
}

// The phrase, note by note, as it was when it was asked for.
async function listen() {
  if (timers.length > 0) { silence(); return; }
  const parts = [["player", state.tune ?? []], ["improviser", state.phrase ?? []]], quarter = (state.quarter_seconds ?? 0.5) * 1000;
  byId("listen").textContent = "Loading…";
  try {
    await sound.start();
  } catch {
    byId("listen").textContent = "Listen";
    return;
  }
  byId("listen").textContent = "Silence";
  for (const [part, pitches] of parts) {
    pitches.forEach((pitch, place) => {
      timers.push(setTimeout(() => sound.begins(part, 0, pitch, LOUD), place * quarter));
      timers.push(setTimeout(() => sound.ends(part, 0, pitch), (place + LEGATO) * quarter));
    });
  }
  timers.push(setTimeout(silence, (Math.max(...parts.map(([, pitches]) => pitches.length)) + 1) * quarter));
}

byId("listen").addEventListener("click", () => listen());
byId("stop").addEventListener("click", () => {
  socket.send(JSON.stringify({ type: "stop" }));
  state = { ...state, stopping: true };
  byId("stop").disabled = true;
});
new ResizeObserver(draw).observe(byId("curve"));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
open();
