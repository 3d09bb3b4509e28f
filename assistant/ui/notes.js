// Field notes: after an answer about an alarm or a symptom three taps keep what fixed it; those who review accept or
// reject; the quality engineer sees what procedures are missing for. Everything a person wrote enters as text.

import { openDocument } from "./documents.js";
import { $, clear, el, icon } from "./dom.js";
import { noteWords as w } from "./notes-words.js";
import { call, Problem } from "./service.js";
import { open as sheetOpen } from "./sheets.js";
import { setText } from "./text.js";
import { words } from "./words.js";

const AFTER = ["explain_alarm", "diagnose"];
let around = null; // { user, time, notice }

document.addEventListener("andon:signed-in", (event) => wire(event.detail));
document.addEventListener("andon:answered", (event) => ask(event.detail.answer, event.detail.place));

const button = (name, style, act, more = {}) => el("button", { class: style, type: "button", on: { click: act }, ...more }, name);

function wire(context) {
  around = context;
  let tool = $("notes");
  if (!tool) {
    tool = el("button", { id: "notes", class: "tool", type: "button", "aria-haspopup": "dialog", title: w.notes, on: { click: () => openNotes() } },
      icon("note"), el("span", { class: "tool-name" }, w.tool));
    $("documents").after(tool);
  }
  tool.hidden = around.user.role === "administrator";
}

// After an answer: did it help, what fixed it, how long. Nothing is asked of the service before the first tap.

function ask(answer, place) {
  const about = (answer.steps || []).some((step) => AFTER.includes(step.tool) && ["answered", "partial", "no_data"].includes(step.status));
  if (!about || !answer.turn || !around || place.querySelector(".fix")) return;
  const box = el("section", { class: "fix", "aria-label": w.ask });
  const taken = { turn: answer.turn };
  place.prepend(box);
  question(box, w.ask, [[w.yes, true], [w.no, false]].map(([name, helped]) => button(name, "big plain", () => {
    taken.helped = helped;
    call("/api/feedback", { method: "POST", body: { turn: answer.turn, helped } }).catch(() => { /* the note still counts */ });
    what(box, taken);
  })));
}

function question(box, text, answers, more = null) {
  clear(box).append(el("h3", {}, text), el("div", { class: "fix-answers" }, answers), ...(more ? [more] : []));
}

async function what(box, taken) {
  question(box, w.fixed, [el("p", { class: "fine", role: "status" }, w.loading)]);
  let offered = { fixes: [], minutes: [] };
  try { offered = await call(`/api/notes/offers?turn=${encodeURIComponent(taken.turn)}`); } catch { /* then in own words */ }
  const next = (action) => { taken.action = action; how(box, taken, offered.minutes); };
  const fixes = (offered.fixes || []).map((fix) => button([el("span", {}, setText(fix.text)), el("small", {}, w.times(fix.count))], "fix-offer", () => next(fix.text)));
  const own = button(w.other, "fix-offer", () => inOwnWords(box, next));
  question(box, w.fixed, fixes.length ? [...fixes, own, button(w.noFix, "fix-offer", () => done(box, w.thanks))] : []);
  if (fixes.length) box.querySelector("button").focus();
  else inOwnWords(box, next);
}

function inOwnWords(box, next) {
  const field = el("textarea", { rows: "2", maxlength: "1000", required: true, "aria-label": w.own, placeholder: w.own });
  const form = el("form", { class: "fix-own", on: { submit(event) {
    event.preventDefault();
    if (/\p{L}/u.test(field.value)) next(field.value.trim());
    else field.focus();
  } } }, field, el("div", { class: "fix-answers" }, el("button", { class: "big primary", type: "submit" }, w.next), button(w.noFix, "big plain", () => done(box, w.thanks))));
  question(box, w.fixed, [], form);
  field.focus();
}

function how(box, taken, minutes) {
  question(box, w.long, [...minutes.map((count) => button(w.minutes(count), "big plain", () => keep(box, taken, count))), button(w.unknown, "big plain", () => keep(box, taken, null))]);
  box.querySelector("button").focus();
}

async function keep(box, taken, minutes) {
  for (const one of box.querySelectorAll("button")) one.disabled = true;
  try {
    await call("/api/notes", { method: "POST", body: { ...taken, minutes } });
    done(box, w.kept);
  } catch (error) {
    for (const one of box.querySelectorAll("button")) one.disabled = false;
    box.querySelector(".failure")?.remove();
    box.append(el("p", { class: "failure", role: "alert" }, error instanceof Problem ? error.message : words.lost));
  }
}

function done(box, text) {
  clear(box).append(el("p", { class: "fix-done", role: "status" }, icon("check"), ` ${text}`));
}

// The sheet: what waits, one's own, what is accepted, and for quality what procedures are missing for

async function openNotes(view = null) {
  const body = sheetOpen(w.notes, around.user.name);
  const state = el("p", { class: "fine", role: "status" }, w.loading);
  body.append(state);
  try {
    const found = await call(`/api/notes${{ mine: "?mine=true", accepted: "?state=accepted" }[view] ?? "?state=proposed"}`);
    const chosen = view || (found.reviews ? "review" : "mine");
    const views = [...(found.reviews ? [["review", w.review]] : []), ["mine", w.mine], ["accepted", w.accepted], ...(around.user.role === "quality" ? [["candidates", w.candidates]] : [])];
    $("sheet-tools").append(...views.map(([name, text]) => button(text, "small", () => openNotes(name), { "aria-pressed": String(name === chosen) })));
    if (chosen === "candidates") candidates(body, await call("/api/notes/candidates"));
    else {
      const shown = chosen === "review" ? found.notes.filter((note) => !note.own) : found.notes;
      body.append(shown.length ? el("div", { class: "note-list" }, shown.map((note) => card(note, chosen))) : el("p", { class: "fine" }, w.none[chosen]));
    }
    state.remove();
  } catch (error) {
    state.textContent = error.message;
    state.className = "failure";
  }
}

function card(note, view) {
  const place = el("div", { class: "doc-form" });
  const act = (step) => button(w.step[step], `big ${step === "accept" ? "primary" : "plain"}`, () => (step === "accept" ? take(step, "") : why(step)));
  const failure = el("p", { class: "failure", role: "alert" });
  const steps = note.steps.filter((step) => view !== "review" || step !== "withdraw");
  return el("article", { class: "note-card" },
    el("p", { class: "note-about" }, el("b", {}, w.about(note)), el("span", { class: `pill ${note.state === "accepted" ? "good" : note.state === "proposed" ? "caution" : ""}` }, w.state[note.state] ?? note.state)),
    note.alarm && note.symptom ? el("p", { class: "fine" }, note.symptom) : null,
    el("blockquote", {}, note.action),
    el("p", { class: "fine" }, [w.by(note, around.time(note.at)), w.more(note)].filter(Boolean).join(" · ")),
    note.reason ? el("p", { class: "fine" }, el("q", {}, note.reason)) : null,
    steps.length ? el("div", { class: "confirm-buttons" }, steps.map(act)) : null, place, failure);

  function why(step) {
    const field = el("textarea", { rows: "2", maxlength: "1000", required: step === "reject" || !note.own });
    clear(place).append(el("form", { class: "fix-own", on: { submit(event) { event.preventDefault(); take(step, field.value.trim()); } } },
      el("label", {}, w.reason[step], field), el("div", { class: "confirm-buttons" }, el("button", { class: "big primary", type: "submit" }, w.step[step]), button(w.cancel, "big plain", () => clear(place)))));
    field.focus();
  }

  async function take(step, reason) {
    failure.textContent = "";
    try {
      around.notice(w.done(await call(`/api/notes/${encodeURIComponent(note.note)}/transitions`, { method: "POST", body: { to: step, reason } })));
      openNotes(view);
    } catch (error) {
      failure.textContent = error instanceof Problem ? error.message : words.lost;
    }
  }
}

function candidates(body, found) {
  body.append(el("h3", {}, w.repeated), found.repeated.length ? el("div", { class: "note-list" }, found.repeated.map(candidate)) : el("p", { class: "fine" }, w.noRepeated),
    el("h3", {}, w.unanswered), found.unanswered.length ? el("ul", { class: "note-asked" }, found.unanswered.map((one) => el("li", {},
      el("b", {}, w.count(one.count)), ` ${one.question} `, el("span", { class: "fine" }, w.last(one.last))))) : el("p", { class: "fine" }, w.noUnanswered));
}

function candidate(one) {
  const failure = el("p", { class: "failure", role: "alert" });
  const draft = button(w.draft, "big plain", async () => {
    draft.disabled = true;
    failure.textContent = "";
    try {
      const made = await call("/api/notes/candidates", { method: "POST", body: { candidate: one.candidate } });
      if (made.document) openDocument(made.document);
      else failure.textContent = made.text;
    } catch (error) {
      failure.textContent = error instanceof Problem ? error.message : words.lost;
    }
    draft.disabled = false;
  });
  return el("article", { class: "note-card" },
    el("p", { class: "note-about" }, el("b", {}, one.fix[0].toUpperCase() + one.fix.slice(1)), el("span", { class: "pill" }, w.count(one.count))),
    el("p", { class: "fine" }, [one.about, one.equipment_class.replaceAll("_", " ")].filter(Boolean).join(" · ")),
    el("p", { class: "fine note-ids" }, w.from(one)), el("div", { class: "confirm-buttons" }, draft), failure);
}
