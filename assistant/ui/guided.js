// A procedure carried out step by step: one step fills the screen, its warning first, what was given, what still blocks
// it, and big buttons. The state is the service's; this only shows it and sends commands, so a restart loses nothing.

import { clear, el, icon, kept } from "./dom.js";
import { call, pagePicture, Problem } from "./service.js";
import { setText } from "./text.js";
import { words } from "./words.js";

const w = words.guided;
let run = null;
let dialog = null;
let busy = false;

document.addEventListener("andon:guide", (event) => start(event.detail));
document.addEventListener("andon:run-shown", (event) => { if (event.detail.run !== run?.run) return; run = event.detail; kept.set("guided", run.state === "running" ? run.run : null); show(); if (run.show === "page") showPage(); });
document.addEventListener("andon:run-started", (event) => { run = event.detail; kept.set("guided", run.run); show(); });
window.addEventListener("load", () => { const id = kept.get("guided", null); if (id) chip(id); });

async function start({ document: name, section, title }) {
  await send(() => call("/api/guided", { method: "POST", body: { task: title || section, document: name, section, equipment: kept.get("machine", null) || "" } }));
}

/** After a reload a run that is still under way is one touch away. */
function chip(id) {
  const button = el("button", { class: "guided-chip", type: "button", on: { click: () => { button.remove(); resume(id); } } }, icon("right"), el("span", {}, w.goOn));
  document.body.append(button);
}

async function resume(id) {
  await send(() => call(`/api/guided/${encodeURIComponent(id)}`));
}

async function command(body) {
  await send(() => call(`/api/guided/${encodeURIComponent(run.run)}/commands`, { method: "POST", body: { seq: run.seq, ...body } }));
}

async function send(ask) {
  if (busy) return;
  busy = true;
  try {
    run = await ask();
    kept.set("guided", run.state === "running" ? run.run : null);
    document.dispatchEvent(new CustomEvent("andon:run", { detail: run.state === "running" ? run.run : null }));
    show();
    if (run.show === "page") showPage();
  } catch (error) {
    if (error instanceof Problem && error.status === 404) kept.set("guided", null);
    if (error instanceof Problem && error.status === 409 && run) { busy = false; await resume(run.run); say(error.message, false); return; }
    if (dialog?.open) say(error instanceof Problem ? error.message : words.lost, false);
    else notice(error instanceof Problem ? error.message : words.lost);
  } finally {
    busy = false;
  }
}

function notice(text) {
  const node = document.getElementById("notice");
  node.textContent = text;
  node.hidden = false;
  setTimeout(() => { node.hidden = true; }, 6000);
}

function say(text, good) {
  const node = dialog.querySelector(".guided-said");
  node.textContent = text;
  node.className = `guided-said ${good ? "good" : "bad"}`;
}

function show() {
  if (!dialog) {
    dialog = el("dialog", { class: "guided", "aria-labelledby": "guided-title" });
    document.body.append(dialog);
  }
  const step = run.step;
  clear(dialog).append(
    el("header", { class: "guided-head" },
      el("div", {}, el("h2", { id: "guided-title" }, run.title),
        el("p", {}, `${run.source.document} · ${words.revision(run.source.revision)}${run.source.page ? ` · ${words.page(run.source.page)}` : ""}${run.equipment ? ` · ${run.equipment}` : ""}`)),
      el("button", { class: "tool", type: "button", on: { click: () => dialog.close() } }, icon("close"), el("span", { class: "sr" }, w.leave))),
    el("div", { class: "guided-progress", role: "progressbar", "aria-valuemin": "0", "aria-valuemax": String(step.of), "aria-valuenow": String(step.place + 1), "aria-label": w.stepOf(step.place + 1, step.of) },
      Array.from({ length: step.of }, (_, place) => el("span", { class: place < step.place || run.state === "finished" ? "done" : place === step.place ? "here" : "" }))),
    run.state === "running" ? body(step) : ended(),
    el("p", { class: "guided-said", role: "status", "aria-live": "assertive" }),
    run.state === "running" ? buttons() : el("footer", { class: "guided-foot" }, el("button", { class: "big primary", type: "button", on: { click: () => dialog.close() } }, w.close)));
  if (!run.taken) say(run.said, false);
  else if (run.blocked.length === 0 && run.state === "running" && run.seq) say(w.ready, true);
  if (!dialog.open) dialog.showModal();
}

function body(step) {
  const check = step.checkpoint || {};
  return el("div", { class: "guided-body" },
    step.warning ? el("section", { class: `guided-warning ${run.given.acknowledged ? "taken" : ""}`, role: "alert" },
      icon("warning"), el("p", {}, setText(step.warning)),
      el("button", { class: "big", type: "button", disabled: run.given.acknowledged, on: { click: () => command({ command: "acknowledge" }) } }, run.given.acknowledged ? w.understood : w.understand)) : null,
    el("p", { class: "guided-count" }, w.stepOf(step.place + 1, step.of)),
    el("p", { class: "guided-text" }, setText(step.text)),
    step.expected ? el("p", { class: "guided-expected" }, el("b", {}, w.expected), " ", setText(step.expected)) : null,
    (step.details || []).map((line) => el("p", { class: "guided-detail" }, setText(line))),
    (step.reasons || []).map((line) => el("p", { class: "guided-detail" }, setText(`${w.why}: ${line}`))),
    (check.readings || []).map(readingField),
    (check.items || []).map((item, index) => el("button", { class: `guided-tick ${run.given.ticked.includes(index) ? "on" : ""}`, type: "button", "aria-pressed": String(run.given.ticked.includes(index)),
      on: { click: () => command({ command: "tick", index }) } }, icon("check"), el("span", {}, setText(item)))),
    check.photo ? photoField() : null,
    check.second_person ? secondField() : null,
    run.given.deviation ? el("p", { class: "guided-deviation" }, el("b", {}, w.deviation), " ", setText(run.given.deviation)) : null,
    el("div", { class: "guided-page", hidden: true }));
}

function readingField(reading, index) {
  const known = run.given.readings[String(index)];
  const field = el("input", { type: "text", inputmode: "decimal", id: `reading-${index}`, autocomplete: "off", value: known === undefined ? "" : String(known) });
  const outside = known !== undefined && ((reading.low !== null && known < reading.low) || (reading.high !== null && known > reading.high));
  return el("form", { class: `guided-reading ${outside ? "outside" : ""}`, on: { submit(event) {
    event.preventDefault();
    const value = Number(field.value.trim().replace(",", "."));
    if (field.value.trim() === "" || Number.isNaN(value)) { say(w.noNumber, false); field.focus(); return; }
    command({ command: "reading", index, value });
  } } },
  el("label", { for: `reading-${index}` }, reading.label, el("span", {}, reading.text)), el("div", { class: "guided-row" }, field, el("span", {}, reading.unit), el("button", { class: "big", type: "submit" }, w.enter)));
}

function photoField() {
  const field = el("input", { type: "file", accept: "image/*", capture: "environment", id: "guided-photo", class: "sr", on: { change() {
    const reader = new FileReader();
    reader.addEventListener("load", () => command({ command: "photo", photo: reader.result }));
    if (field.files[0]) reader.readAsDataURL(field.files[0]);
  } } });
  return el("div", { class: "guided-row" }, field, el("label", { class: "big", for: "guided-photo" }, run.given.photo ? w.photoTaken : w.takePhoto));
}

function secondField() {
  if (run.given.second) return el("p", { class: "guided-detail" }, w.confirmedBy(run.given.second));
  const user = el("input", { type: "text", autocomplete: "off", id: "second-user" });
  const password = el("input", { type: "password", autocomplete: "off", id: "second-password" });
  return el("form", { class: "guided-reading", on: { submit(event) { event.preventDefault(); command({ command: "second", user: user.value.trim(), password: password.value }); } } },
    el("p", {}, w.second), el("label", { for: "second-user" }, words.user), user, el("label", { for: "second-password" }, words.password), password, el("button", { class: "big", type: "submit" }, w.confirm));
}

function buttons() {
  const tool = (name, text, act) => el("button", { class: "big plain", type: "button", on: { click: act } }, icon(name), el("span", {}, text));
  const next = el("button", { class: "big primary guided-next", type: "button", "aria-disabled": String(run.blocked.length > 0), on: { click: () => command({ command: "next" }) } },
    el("span", {}, run.step.place + 1 === run.step.of ? w.finish : w.next), icon("right"));
  return el("footer", { class: "guided-foot" },
    run.blocked.length ? el("ul", { class: "guided-blocked" }, run.blocked.map((line) => el("li", {}, setText(line)))) : null,
    el("div", { class: "guided-tools" },
      tool("left", w.back, () => command({ command: "back" })),
      tool("speak", w.repeat, repeat),
      tool("ask-more", w.why, why),
      run.source.page ? tool("book", w.page, showPage) : null,
      tool("note", w.deviate, () => ask(w.deviationReason, (reason) => command({ command: "deviate", reason }))),
      tool("stop", w.stop, () => ask(w.stopReason, (reason) => command({ command: "stop", reason })))),
    next);
}

async function repeat() {
  await command({ command: "repeat" });
  if (window.speechSynthesis) {
    speechSynthesis.cancel();
    speechSynthesis.speak(new SpeechSynthesisUtterance(run.said));
  }
  say(run.said, true);
}

async function why() {
  await command({ command: "why" });
  say(run.said, true);
}

function ask(label, then) {
  const field = el("textarea", { rows: "2", id: "guided-reason", maxlength: "2000" });
  const form = el("form", { class: "guided-ask", on: { submit(event) { event.preventDefault(); if (field.value.trim().length > 2) then(field.value.trim()); else field.focus(); } } },
    el("label", { for: "guided-reason" }, label), field,
    el("div", { class: "guided-row" }, el("button", { class: "big primary", type: "submit" }, w.record), el("button", { class: "big plain", type: "button", on: { click: show } }, w.cancel)));
  dialog.querySelector(".guided-foot").replaceWith(el("footer", { class: "guided-foot" }, form));
  field.focus();
}

async function showPage() {
  const holder = dialog.querySelector(".guided-page");
  if (!holder || !run.source.page) return;
  if (!holder.hidden) { holder.hidden = true; return; }
  try {
    const { picture } = await pagePicture(run.source.document, run.source.revision, run.source.page, run.step.text);
    clear(holder).append(el("img", { alt: `${run.source.document}, ${words.page(run.source.page)}`, src: URL.createObjectURL(picture) }));
    holder.hidden = false;
    holder.scrollIntoView({ block: "start", behavior: "smooth" });
  } catch (error) {
    say(error instanceof Problem ? error.message : words.lost, false);
  }
}

function ended() {
  return el("div", { class: "guided-body" },
    el("p", { class: "guided-text" }, run.state === "finished" ? w.finished : w.stopped),
    run.deviations ? el("p", { class: "guided-deviation" }, w.deviations(run.deviations)) : null,
    run.record ? el("a", { class: "big primary", href: `/api/documents/${encodeURIComponent(run.record)}.pdf`, target: "_blank", rel: "noopener" }, icon("document"), el("span", {}, w.openRecord(run.record))) : null);
}
