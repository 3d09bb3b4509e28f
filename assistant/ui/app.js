// The page's state and its wiring: who is signed in, which machine is in front, the conversation, the question line.

import { Entry } from "./answer.js";
import { openDocument, openDocuments, wireDocuments } from "./documents.js";
import { $, clear, el, icon, kept } from "./dom.js";
import { askStream, call, Problem } from "./service.js";
import { openMachines, openPerson, openRecent, wireSheet } from "./sheets.js";
import { setText } from "./text.js";
import { endVoice, wireVoice } from "./voice.js";
import { words } from "./words.js";

const RECENT = 30;

const state = {
  user: null,
  users: [],
  demo: false,
  demoPassword: null,
  plant: {},
  machines: [],
  machine: null, // id
  conversation: null,
  running: null, // AbortController of the question under way
  entries: [],
};

// Start

async function start() {
  wireSheet();
  wireBar();
  wireQuestion();
  window.speechSynthesis?.getVoices(); // browsers load them at the first call
  const wanted = new URLSearchParams(location.search).get("equipment");
  state.machine = wanted || kept.get("machine", null);
  if (wanted) kept.set("machine", wanted);
  await whoIsThere();
}

async function whoIsThere() {
  try {
    const me = await call("/api/me");
    Object.assign(state, { user: me.user, users: me.users, demo: me.demo, plant: me.plant, demoPassword: me.demo_password, mustChange: me.must_change, tablet: me.tablet });
  } catch (error) {
    notice(error instanceof Problem ? error.message : words.lost);
    return;
  }
  if (!state.user) showSignIn();
  else if (state.mustChange) changePassword("");
  else await signedIn();
}

async function signedIn() {
  $("sign-in").hidden = true;
  for (const id of ["machine", "documents", "recent", "person", "fresh", "ask"]) $(id).hidden = false;
  $("documents").hidden = state.user.role === "administrator";
  wireDocuments({ user: state.user, time, notice });
  document.dispatchEvent(new CustomEvent("andon:signed-in", { detail: { user: state.user, time, notice } }));
  clear($("person")).append(el("span", { class: "initial", "aria-hidden": "true" }, state.user.name.slice(0, 1)), el("span", { class: "tool-name" }, state.user.name));
  $("person").title = words.signedIn(state.user.name, state.user.role);
  try { state.machines = (await call("/api/equipment")).equipment; } catch { state.machines = []; }
  if (state.machine && state.machines.length && !state.machines.some((m) => m.id === state.machine)) state.machine = null;
  showMachine();
  state.conversation = kept.get(`conversation.${state.user.id}`, null);
  if (state.conversation) await restore();
  else state.conversation = newConversation();
  showStart();
  wireVoice({ place: () => ({ equipment: machine()?.id ?? "", conversation: state.conversation }), begin: beginEntry, notice });
  if (matchMedia("(pointer: fine)").matches) $("question").focus();
}

/** A name nobody can guess; it is kept once a question was asked in it. */
function newConversation() {
  kept.set(`conversation.${state.user.id}`, null);
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return `tablet-${Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("")}`;
}

/** After a reload: the turns of the conversation as they were recorded, folded but for the last. */
async function restore() {
  clear($("log"));
  state.entries = [];
  try {
    const { turns } = await call(`/api/conversations/${encodeURIComponent(state.conversation)}`);
    for (const turn of turns.slice(-20)) {
      const entry = addEntry(turn.record.question);
      entry.settle({ ...turn.record, turn: turn.turn });
    }
  } catch (error) {
    if (!(error instanceof Problem && error.status === 404)) notice(words.lost);
  }
}

// Signing in

function showSignIn() {
  state.user = null;
  endVoice();
  for (const id of ["machine", "documents", "notes", "recent", "person", "fresh", "ask", "start", "log"]) if ($(id)) $(id).hidden = true;
  const section = clear($("sign-in"));
  section.hidden = false;
  section.append(el("h1", { id: "sign-in-title" }, words.signIn), el("p", {}, words.signInHint));
  if (state.users.length) {
    section.append(el("div", { class: "people" }, state.users.map((user) => el("button", { class: "person-tile", type: "button", on: { click: () => choosePerson(user) } },
      el("span", { class: "initial", "aria-hidden": "true" }, user.name.slice(0, 1)),
      el("span", {}, el("b", {}, user.name), el("span", {}, `${user.role} · ${linesOf(user)}`))))));
  } else passwordForm(section, "");
  if (state.tablet) quickForm(section);
  if (state.plant.emergency_number) section.append(el("p", { class: "call" }, icon("phone"), ` ${words.emergencyNumber} `, el("b", {}, state.plant.emergency_number)));
}

/** On a tablet that an administrator enrolled: hold a badge to the reader, or type name and PIN. */
function quickForm(section) {
  const field = (name, mode) => el("input", { name, type: "password", autocomplete: "off", inputmode: mode, id: `quick-${name}` });
  const badge = field("badge", "text");
  const user = el("input", { name: "quick-user", type: "text", autocomplete: "off", id: "quick-user" });
  const pin = field("pin", "numeric");
  const failure = el("p", { class: "failure", role: "alert" });
  section.append(el("form", { class: "password", on: { async submit(event) {
    event.preventDefault();
    failure.textContent = "";
    const [path, body] = badge.value ? ["badge", { badge: badge.value, pin: pin.value }] : ["pin", { user: user.value, pin: pin.value }];
    badge.value = pin.value = "";
    try {
      state.user = (await call(`/api/login/${path}`, { method: "POST", body })).user;
      await signedIn();
    } catch (error) {
      failure.textContent = error instanceof Problem ? error.message : words.lost;
    }
  } } },
  el("label", { for: "quick-badge" }, words.badge, badge), el("label", { for: "quick-user" }, words.user, user), el("label", { for: "quick-pin" }, words.pin, pin), failure,
  el("div", { class: "confirm-buttons" }, el("button", { class: "big primary", type: "submit" }, words.enter))));
  badge.focus();
}

function linesOf(user) {
  return user.lines ? user.lines.map((line) => state.plant.lines?.[line] || line).join(", ") : words.wholeSite;
}

/** The demo's password is public: one tap signs in. Elsewhere the person types it. */
async function choosePerson(user) {
  if (state.demoPassword) {
    try {
      await signIn(user.id, state.demoPassword);
      return;
    } catch { /* it was changed: ask for it */ }
  }
  askPassword(user.id, user.name);
}

async function signIn(user, password) {
  const made = await call("/api/login", { method: "POST", body: { user, password } });
  state.user = made.user;
  if (made.must_change) changePassword(password);
  else await signedIn();
}

/** Somebody else has set this person's password: nothing goes on before they choose their own. */
function changePassword(known) {
  const section = clear($("sign-in"));
  section.hidden = false;
  const field = (value, complete) => el("input", { type: "password", autocomplete: complete, required: true, minlength: complete === "new-password" ? 8 : 1, value });
  const old = field(known, "current-password");
  const fresh = field("", "new-password");
  const failure = el("p", { class: "failure", role: "alert" });
  section.append(el("h1", { id: "sign-in-title" }, words.changePassword), el("p", {}, words.changePasswordHint),
    el("form", { class: "password", on: { async submit(event) {
      event.preventDefault();
      failure.textContent = "";
      try {
        await call("/api/password", { method: "POST", body: { old: old.value, new: fresh.value } });
        await signedIn();
      } catch (error) {
        failure.textContent = error instanceof Problem ? error.message : words.lost;
      }
    } } },
    el("label", { hidden: Boolean(known) }, words.password, old), el("label", {}, words.newPassword, fresh), failure,
    el("div", { class: "confirm-buttons" }, el("button", { class: "big primary", type: "submit" }, words.changePassword))));
  fresh.focus();
}

function askPassword(id, name) {
  const section = clear($("sign-in"));
  section.append(el("h1", { id: "sign-in-title" }, name));
  passwordForm(section, id);
}

function passwordForm(section, id) {
  const user = el("input", { name: "username", autocomplete: "username", required: true, value: id, type: "text" });
  const password = el("input", { name: "password", type: "password", autocomplete: "current-password", required: true });
  const failure = el("p", { class: "failure", role: "alert" });
  section.append(el("form", { class: "password", on: { async submit(event) {
    event.preventDefault();
    failure.textContent = "";
    try {
      await signIn(user.value, password.value);
    } catch (error) {
      failure.textContent = error instanceof Problem ? error.message : words.lost;
      password.select();
    }
  } } },
  el("label", { hidden: Boolean(id) }, words.user, user), el("label", {}, words.password, password), failure,
  el("div", { class: "confirm-buttons" }, el("button", { class: "big primary", type: "submit" }, words.enter),
    state.users.length ? el("button", { class: "big plain", type: "button", on: { click: showSignIn } }, words.back) : null)));
  (id ? password : user).focus();
}

async function signOut() {
  state.running?.abort();
  try { await call("/api/logout", { method: "POST" }); } catch { /* the session ends by itself */ }
  await whoIsThere();
}

// The bar

function wireBar() {
  $("machine").addEventListener("click", () => openMachines(state.machines, state.machine, (id) => {
    state.machine = id;
    kept.set("machine", id);
    const url = new URL(location.href);
    if (id) url.searchParams.set("equipment", id);
    else url.searchParams.delete("equipment");
    history.replaceState(null, "", url);
    showMachine();
    showStart();
  }));
  $("documents").addEventListener("click", () => openDocuments());
  $("recent").addEventListener("click", () => openRecent(kept.get(`recent.${state.user.id}`, []), ask));
  $("person").addEventListener("click", () => openPerson(state.user, linesOf(state.user), otherTheme, signOut));
  $("fresh").addEventListener("click", () => {
    state.running?.abort();
    state.conversation = newConversation();
    clear($("log"));
    state.entries = [];
    showStart();
    $("question").focus();
  });
  $("theme").addEventListener("click", otherTheme);
}

function otherTheme() {
  const chosen = document.documentElement.dataset.theme;
  const dark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "light" : "dark";
  try { localStorage.setItem("andon.theme", dark ? "light" : "dark"); } catch { /* for this visit only */ }
}

function machine() {
  return state.machines.find((m) => m.id === state.machine) || null;
}

function showMachine() {
  const here = machine();
  clear($("machine").querySelector(".machine-name")).append(here ? here.id : words.noMachine);
  $("machine").classList.toggle("unset", !here);
}

function showStart() {
  const section = clear($("start"));
  const empty = state.entries.length === 0;
  section.hidden = !empty;
  $("log").hidden = empty;
  if (!empty) return;
  const here = machine();
  section.append(
    el("h1", { id: "start-title" }, words.start(state.user.name.split(" ")[0])),
    el("p", { class: "lead" }, here ? words.startAt(`${here.id}, ${here.line_name}`) : words.startNowhere,
      state.plant.data_until ? ` ${words.dataUntil(time(state.plant.data_until))}.` : ""),
    el("div", { class: "suggestions" }, words.suggestions(here, Object.values(state.plant.lines ?? {})).map(([topic, question]) => el("button", { class: "suggestion", type: "button", on: { click: () => ask(question) } },
      el("span", { class: "topic" }, topic), el("span", {}, setText(question))))));
}

// Questions

function wireQuestion() {
  const field = $("question");
  const narrow = matchMedia("(max-width: 720px)");
  const prompt = () => { field.placeholder = narrow.matches ? words.placeholderShort : words.placeholder; };
  narrow.addEventListener("change", prompt);
  prompt();
  const fit = () => {
    field.style.height = "auto";
    const wanted = field.scrollHeight + field.offsetHeight - field.clientHeight;
    field.style.height = `${Math.min(wanted, 160)}px`;
    field.style.overflowY = wanted > 160 ? "auto" : "hidden";
  };
  field.addEventListener("input", fit);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      $("ask").requestSubmit();
    }
  });
  $("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    if (state.running) { state.running.abort(); return; }
    const question = field.value.trim();
    if (!question) { field.focus(); return; }
    field.value = "";
    fit();
    ask(question);
  });
}

function addEntry(question) {
  for (const earlier of state.entries) earlier.fold(true);
  const entry = new Entry(question, { ask, confirm, feedback, time, openDocument });
  state.entries.push(entry);
  $("log").append(entry.node);
  return entry;
}

/** A question, typed or spoken, on the page; its answer goes into the entry. */
function beginEntry(question) {
  remember(question);
  kept.set(`conversation.${state.user.id}`, state.conversation);
  const entry = addEntry(question);
  showStart();
  entry.node.scrollIntoView({ block: "start" });
  return entry;
}

async function ask(question) {
  state.running?.abort();
  const running = new AbortController();
  state.running = running;
  const entry = beginEntry(question);
  sendButton(true);
  const body = { question, conversation: state.conversation, equipment: machine()?.id ?? null };
  try {
    await askStream(body, (name, data) => entry.event(name, data), running.signal);
  } catch (error) {
    failed(entry, question, error, running.signal.aborted);
  } finally {
    if (state.running === running) {
      state.running = null;
      sendButton(false);
    }
  }
}

function failed(entry, question, error, aborted) {
  if (aborted) { entry.fail(words.stopped); return; }
  if (error instanceof Problem && error.status === 401) {
    entry.node.remove();
    $("question").value = question;
    whoIsThere();
    return;
  }
  const again = () => {
    entry.node.remove();
    state.entries = state.entries.filter((other) => other !== entry);
    ask(question);
  };
  entry.fail(error instanceof Problem ? error.message : words.lost, again);
}

function sendButton(running) {
  $("send").classList.toggle("running", running);
  clear($("send")).append(icon(running ? "stop" : "send"), el("span", {}, running ? words.stop : words.ask));
}

function remember(question) {
  const key = `recent.${state.user.id}`;
  kept.set(key, [question, ...kept.get(key, []).filter((q) => q !== question)].slice(0, RECENT));
}

function confirm(block, accept) {
  return call(`/api/confirmations/${encodeURIComponent(block.token)}`, { method: "POST", body: { accept } });
}

async function feedback(turn, helped) {
  try {
    await call("/api/feedback", { method: "POST", body: { turn, helped } });
    notice(words.thanks);
    return true;
  } catch (error) {
    notice(error.message);
    return false;
  }
}

/** An ISO instant in the plant's own time, an ISO date as a date; anything else as it is. */
function time(iso) {
  if (!iso || !/^\d{4}-\d{2}-\d{2}(T|$)/.test(iso)) return iso || "";
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  const clock = iso.includes("T") ? { hour: "2-digit", minute: "2-digit", timeZone: state.plant.zone } : { year: "numeric", timeZone: "UTC" };
  return new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", ...clock }).format(at);
}

let noticeTimer = 0;
function notice(text) {
  $("notice").textContent = text;
  $("notice").hidden = false;
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => { $("notice").hidden = true; }, 5000);
}

start();
