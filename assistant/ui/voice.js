// Talking and listening: hold the button to talk, tap it to be listened to, or switch on hands-free and say the wake
// phrase. The conversation is the service's state machine; this sends sound and touches, shows its state, and speaks.

import { clear, el, icon, kept } from "./dom.js";
import { setText } from "./text.js";
import { words } from "./words.js";

const w = words.voice;
const HOLD_MS = 350; // a shorter press is a tap
const TONES = { wake: [[660, 0], [880, 0.11]], sleep: [[660, 0], [440, 0.11]], ready: [[880, 0]] };

let page = null; // what the page gives: place() -> {equipment, conversation}, begin(question) -> Entry, notice(text)
let socket = null;
let opening = null;
let sound = null; // {context, stream, node}
let state = "asleep";
let handsFree = false;
let guided = false;
let run = "";
let entry = null;
let talkNode = null;
let bar = null;
let playing = null;
let voiceRate = 1;
let voiceVolume = 1;
let waiting = []; // sound taken before the line is open
let pressedAt = 0;

/** Put the button beside the question and the line above it. */
export function wireVoice(given) {
  page = given;
  if (talkNode) { talkNode.hidden = false; return; }
  talkNode = el("button", { id: "talk", class: "talk", type: "button", title: w.talk, "aria-label": w.talk, data: { state }, on: {
    pointerdown: (event) => { event.preventDefault(); talkNode.setPointerCapture(event.pointerId); press(); },
    pointerup: release, pointercancel: release,
    keydown: (event) => { if ((event.key === " " || event.key === "Enter") && !event.repeat) { event.preventDefault(); press(); } },
    keyup: (event) => { if (event.key === " " || event.key === "Enter") { event.preventDefault(); release(); } },
    contextmenu: (event) => event.preventDefault(),
  } }, icon("mic"));
  document.getElementById("send").before(talkNode);
  bar = el("section", { class: "voice", hidden: true, "aria-label": w.name, data: { state } },
    el("div", { class: "voice-words" }, el("p", { class: "voice-state", role: "status", "aria-live": "polite" }), el("p", { class: "voice-heard" })),
    el("button", { class: "tool free", type: "button", "aria-pressed": "false", on: { click: () => setHandsFree(!handsFree) } }, icon("hands-free"), el("span", {}, w.handsFree)),
    el("button", { class: "tool mute", type: "button", "aria-pressed": "false", on: { click: () => mute(state !== "muted") } }, icon("mic-off"), el("span", {}, w.mute)),
    el("button", { class: "tool", type: "button", title: w.close, on: { click: leave } }, icon("close"), el("span", { class: "sr" }, w.close)));
  document.getElementById("ask").before(bar);
  document.addEventListener("andon:run", ({ detail }) => {
    if ((detail || "") === run) return;
    run = detail || "";
    guided = Boolean(run);
    tell({ type: "guided", run });
  });
  document.addEventListener("visibilitychange", () => { if (document.hidden && !handsFree) leave(); });
  if (kept.get("hands-free", false)) show("asleep", w.tapForHandsFree);
}

/** Somebody else signs in, or nobody is: hear nothing any more. */
export function endVoice() {
  leave();
  if (talkNode) talkNode.hidden = true;
}

// Touch

async function press() {
  if (state === "muted") { mute(false); return; }
  pressedAt = performance.now();
  hush();
  if (!await ready()) { pressedAt = 0; return; }
  if (pressedAt) tell({ type: "press" });
  else tell({ type: "wake" }); // it was let go while the line was opening
}

function release() {
  if (!pressedAt) return;
  const held = performance.now() - pressedAt;
  pressedAt = 0;
  if (socket?.readyState !== WebSocket.OPEN) return;
  if (held >= HOLD_MS) tell({ type: "release" });
  else tell({ type: "listen" });
}

async function setHandsFree(on) {
  handsFree = on;
  kept.set("hands-free", on);
  bar.querySelector(".free").setAttribute("aria-pressed", String(on));
  closeLine(); // the next line says what it wants
  if (on) await ready();
  else leave();
}

function mute(on) {
  for (const track of sound?.stream.getTracks() ?? []) track.enabled = !on; // hard: the browser itself delivers silence
  hush();
  if (!tell({ type: "mute", on })) show(on ? "muted" : "asleep");
}

/** Hang up: microphone off, line closed, line of words gone. */
function leave() {
  pressedAt = 0;
  hush();
  closeLine();
  closeSound();
  if (bar) bar.hidden = true;
  setState("asleep");
}

// The line

async function ready() {
  bar.hidden = false;
  if (!navigator.mediaDevices?.getUserMedia) { show("asleep", w.insecure); return false; }
  try {
    if (!sound) show("asleep", w.opening);
    await (opening ??= Promise.all([openSound(), openLine()]).finally(() => { opening = null; }));
    return true;
  } catch (error) {
    closeLine();
    closeSound();
    show("asleep", error?.name === "NotAllowedError" ? w.refused : error?.name === "NotFoundError" ? w.noMicrophone : error?.sentence || words.lost);
    return false;
  }
}

async function openSound() {
  if (sound) { await sound.context.resume(); return; }
  const stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true } });
  const context = new AudioContext();
  await context.audioWorklet.addModule("/ui/voice-worklet.js");
  await context.resume();
  const node = new AudioWorkletNode(context, "microphone", { numberOfOutputs: 0 });
  node.port.onmessage = ({ data }) => heard(data);
  context.createMediaStreamSource(stream).connect(node);
  sound = { context, stream, node };
}

function closeSound() {
  if (!sound) return;
  for (const track of sound.stream.getTracks()) track.stop();
  sound.context.close();
  sound = null;
  waiting = [];
}

function openLine() {
  if (socket?.readyState === WebSocket.OPEN) { place(); return Promise.resolve(); }
  return new Promise((resolve, reject) => {
    let problem = null;
    socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/voice`);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => socket.send(JSON.stringify({ type: "hello", hands_free: handsFree, speak: localVoice() ? "browser" : "server", run, ...page.place() }));
    socket.onmessage = ({ data }) => {
      if (typeof data !== "string") { play(data); return; }
      const message = JSON.parse(data);
      if (message.type === "problem") problem = message.detail;
      if (message.type === "state") resolve();
      take(message);
    };
    socket.onclose = () => {
      socket = null;
      reject(Object.assign(new Error("closed"), { sentence: problem }));
      if (problem) show("asleep", problem);
      else if (state !== "asleep" && bar && !bar.hidden) show("asleep", words.lost);
      if (handsFree && !problem) setTimeout(() => { if (handsFree && !socket) ready(); }, 3000);
    };
  });
}

function closeLine() {
  const old = socket;
  socket = null;
  if (old) { old.onclose = null; old.onmessage = null; old.close(); }
}

function tell(message) {
  if (socket?.readyState !== WebSocket.OPEN) return false;
  socket.send(JSON.stringify(message));
  return true;
}

/** The machine, the conversation or the procedure on the screen changed. */
function place() {
  if (page) tell({ type: "hello", speak: localVoice() ? "browser" : "server", run, ...page.place() });
}

function heard({ pcm, peak }) {
  talkNode.style.setProperty("--level", String(Math.min(1, peak * 1.6).toFixed(2)));
  if (state === "muted") return;
  const wanted = handsFree || guided || state !== "asleep" || pressedAt;
  if (!wanted) { waiting = []; return; }
  if (socket?.readyState !== WebSocket.OPEN) { waiting.push(pcm); if (waiting.length > 40) waiting.shift(); return; }
  for (const piece of waiting.splice(0)) socket.send(piece);
  socket.send(pcm);
}

// What the service says

function take(message) {
  const act = {
    state: () => { guided = message.guided; show(message.state, message.asks ? w.asks[message.asks] : ""); },
    partial: () => heardWords(message.text),
    heard: () => heardWords(message.text ? w.heard(message.text) : ""),
    advice: () => page.notice(message.text),
    tone: () => tone(message.name),
    say: () => speak(message),
    hush,
    voice: () => change(message.change),
    asked: () => { entry = page.begin(message.question); },
    event: () => { if (message.name === "problem") entry?.fail(message.data.detail); else entry?.event(message.name, message.data); },
    acted: () => page.notice(message.text),
    run: () => {
      if (message.started) { run = message.run.run; guided = true; }
      document.dispatchEvent(new CustomEvent(message.started ? "andon:run-started" : "andon:run-shown", { detail: message.run }));
    },
    problem: () => page.notice(message.detail),
  }[message.type];
  act?.();
}

function show(next, text = "") {
  setState(next);
  bar.hidden = false;
  bar.querySelector(".voice-state").textContent = text || (next === "asleep" && !handsFree ? w.tap : guided && next === "listening" ? w.guided : w.state[next]);
  bar.querySelector(".mute").setAttribute("aria-pressed", String(next === "muted"));
  bar.querySelector(".free").setAttribute("aria-pressed", String(handsFree));
  const dialog = document.querySelector("dialog.guided[open]");
  if (dialog && bar.parentElement !== dialog) dialog.append(bar); // above the procedure, which covers the page
  if (!dialog && bar.parentElement !== document.body) document.getElementById("ask").before(bar);
}

function setState(next) {
  if (next === "listening" && state !== "listening") tone("ready");
  if (next === "listening" || next === "asleep") heardWords(next === "listening" ? "" : null);
  state = next;
  for (const node of [talkNode, bar]) if (node) node.dataset.state = next;
  talkNode?.setAttribute("aria-label", `${w.talk}. ${w.state[next]}`);
}

function heardWords(text) {
  if (text !== null && bar) clear(bar.querySelector(".voice-heard")).append(el("span", {}, setText(text)));
}

// Speaking

function localVoice() {
  return window.speechSynthesis?.getVoices().find((voice) => voice.localService && voice.lang.startsWith("en"));
}

function speak({ text, by }) {
  hush();
  heardWords(text);
  if (by !== "browser") return; // its sound follows
  const voice = localVoice();
  if (!voice) { tell({ type: "spoken" }); return; }
  const said = new SpeechSynthesisUtterance(text);
  said.voice = voice;
  said.rate = voiceRate;
  said.volume = voiceVolume;
  said.onend = said.onerror = () => { if (playing === said) { playing = null; tell({ type: "spoken" }); } };
  playing = said;
  speechSynthesis.speak(said);
}

async function play(wav) {
  if (!sound) { tell({ type: "spoken" }); return; }
  const buffer = await sound.context.decodeAudioData(wav);
  hush();
  const source = sound.context.createBufferSource();
  const gain = sound.context.createGain();
  gain.gain.value = voiceVolume;
  source.buffer = buffer;
  source.playbackRate.value = voiceRate;
  source.connect(gain).connect(sound.context.destination);
  source.onended = () => { if (playing === source) { playing = null; tell({ type: "spoken" }); } };
  playing = source;
  source.start();
}

function hush() {
  const was = playing;
  playing = null;
  if (was?.stop) was.stop();
  else if (was) speechSynthesis.cancel();
}

function change(what) {
  if (what === "louder") voiceVolume = Math.min(1, voiceVolume + 0.25);
  if (what === "quieter") voiceVolume = Math.max(0.25, voiceVolume - 0.25);
  if (what === "slower") voiceRate = Math.max(0.7, voiceRate - 0.15);
}

function tone(name) {
  if (!sound) return;
  for (const [hertz, after] of TONES[name] || []) {
    const at = sound.context.currentTime + after;
    const source = sound.context.createOscillator();
    const gain = sound.context.createGain();
    source.frequency.value = hertz;
    gain.gain.setValueAtTime(0.0001, at);
    gain.gain.exponentialRampToValueAtTime(0.12, at + 0.01);
    gain.gain.exponentialRampToValueAtTime(0.0001, at + 0.1);
    source.connect(gain).connect(sound.context.destination);
    source.start(at);
    source.stop(at + 0.11);
  }
}
