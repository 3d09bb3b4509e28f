// Documents on the tablet: what waits, what is in force; reading, editing, reviewing and signing one; what differs
// between revisions; who did what. Everything happens in the sheet, over /api/documents; a signature asks for the
// person's own password, after the very PDF that will be kept was prepared and can be looked at.

import { $, clear, el, icon } from "./dom.js";
import { documentWords as words } from "./documents-words.js";
import { call } from "./service.js";
import { open as sheetOpen } from "./sheets.js";

const TONE = { effective: "good", approved: "good", in_review: "caution", draft: "", superseded: "", retired: "" };
let around = null; // { user, time, notice }
let latest = null; // the view that is being loaded

/** `user`: who is signed in; `time(iso)`: an instant in the plant's time; `notice(text)`: a passing line. */
export function wireDocuments(context) {
  around = context;
}

const at = (id, rest = "") => `/api/documents/${encodeURIComponent(id)}${rest}`;
const button = (name, style, act, more = {}) => el("button", { class: style, type: "button", on: { click: act }, ...more }, name);
const pill = (status) => el("span", { class: `pill ${TONE[status] ?? ""}` }, words.status[status] ?? status);

/** The list, by what is to be done. */
export async function openDocuments(view = "review") {
  const body = sheetOpen(words.documents, around.user.name);
  const views = [["review", words.toReview], ["mine", words.mine], ["effective", words.inForce], ["all", words.all]];
  $("sheet-tools").append(...views.map(([name, text]) => button(text, "small", () => openDocuments(name), { "aria-pressed": String(name === view) })));
  const query = { review: "?state=in_review", mine: "?mine=true", effective: "?state=effective", all: "" }[view];
  const found = await loaded(body, () => call(`/api/documents${query}`));
  if (!found) return;
  if (!found.documents.length) body.append(el("p", { class: "fine" }, words.none[view]));
  body.append(el("div", { class: "doc-list" }, found.documents.map((item) => el("button", { class: "doc-row", type: "button", on: { click: () => openDocument(item.document) } },
    icon("document"), el("span", { class: "doc-row-what" }, el("b", {}, item.title), el("span", {}, words.line(item, around.time(item.changed)))), pill(item.status)))));
}

/** One document; `view`: about, read, edit, differences, trail. */
export async function openDocument(id, view = "about", revision = null) {
  const body = sheetOpen(words.documents, id, "wide");
  const query = revision ? `?revision=${revision}` : "";
  const shown = await loaded(body, () => call(at(id, query)));
  if (!shown) return;
  $("sheet-title").textContent = shown.title;
  $("sheet-sub").textContent = words.under(shown);
  const views = [["about", words.about], ["read", words.read], ...(shown.status === "draft" ? [["edit", words.edit]] : []),
    ...(shown.revisions.length > 1 ? [["differences", words.differences]] : []), ["trail", words.trail]];
  $("sheet-tools").append(button([icon("left"), el("span", { class: "sr" }, words.back)], "tool", () => openDocuments()),
    ...views.map(([name, text]) => button(text, "small", () => openDocument(id, name, revision), { "aria-pressed": String(name === view) })));
  await VIEWS[view](body, shown, query);
}

const VIEWS = { about, read, edit, differences, trail };

/** What `work` brings, or null when it failed (which is said) or another view was opened meanwhile. */
async function loaded(body, work) {
  const state = el("p", { class: "fine", role: "status" }, words.loading);
  const turn = { state };
  latest = turn;
  body.append(state);
  try {
    const made = await work();
    state.remove();
    return latest === turn ? made : null;
  } catch (error) {
    state.textContent = error.message;
    state.className = "failure";
    return null;
  }
}

// About: what it is, who signed, what comes next

function about(body, shown) {
  const facts = [...shown.scope, [words.authors, shown.author_names.join(", ")], [words.drafted, around.time(shown.created)], [words.sources, String(shown.sources)], [words.hash, shown.sha256]];
  body.append(
    el("p", { class: "badges" }, pill(shown.status), el("span", { class: "pill" }, words.revision(shown.revision))),
    el("dl", { class: "facts" }, facts.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value)))),
    el("h3", {}, words.signatures), shown.signatures.length ? el("ul", { class: "doc-signatures" }, shown.signatures.map(signature)) : el("p", { class: "fine" }, words.noSignature));
  if (shown.revisions.length > 1) {
    body.append(el("h3", {}, words.revisions), el("div", { class: "doc-revisions" }, shown.revisions.map((item) => button(
      [`${words.revision(item.revision)} `, pill(item.status_of_document)], "small", () => openDocument(shown.document, "about", item.revision)))));
  }
  body.append(el("h3", {}, words.next), ...steps(shown), checked(shown));
}

function signature(item) {
  return el("li", {}, el("b", {}, item.name), ` (${item.role}), ${around.time(item.at)}: ${item.meaning}`, item.reason ? el("span", {}, ` – ${item.reason}`) : null);
}

function steps(shown) {
  const allowed = shown.steps.filter((step) => step.allowed);
  const denied = shown.steps.filter((step) => !step.allowed);
  const place = el("div", { class: "doc-form" });
  const buttons = allowed.map((step) => button(words.step[step.step], `big ${step.step === "reject" || step.step === "retire" ? "plain" : "primary"}`, () => stepForm(place, shown, step)));
  if (["effective", "retired"].includes(shown.status) && shown.revision === shown.revisions.at(-1).revision) {
    buttons.push(button(words.revise, "big plain", () => attempt(place, () => call(at(shown.document, "/revisions"), { method: "POST", body: {} }), () => openDocument(shown.document, "edit"))));
  }
  return [buttons.length ? el("div", { class: "confirm-buttons" }, buttons) : el("p", { class: "fine" }, denied.length ? "" : words.nothingNext),
    place, ...denied.map((step) => el("p", { class: "fine" }, `${words.step[step.step]}: ${step.why}`))];
}

/** Reason, and for a signature first the PDF that will be kept, then the password. */
function stepForm(place, shown, step) {
  const reason = el("textarea", { rows: "2", maxlength: "2000", required: step.reasoned });
  const failure = el("p", { class: "failure", role: "alert" });
  const go = button(step.signed ? words.prepare : words.step[step.step], "big primary", () => (step.signed ? prepare() : take({})));
  clear(place).append(el("label", {}, step.reasoned ? words.reasonNeeded : words.reason, reason), el("div", { class: "confirm-buttons" }, go), failure);
  reason.focus();

  const take = (more) => attempt(failure, () => call(at(shown.document, "/transitions"), {
    method: "POST", body: { to: step.step, version: shown.version, reason: reason.value.trim(), ...more },
  }), (after) => {
    around.notice(words.done(after));
    openDocument(shown.document, "about", after.revision === shown.revisions.at(-1).revision ? null : after.revision);
  });

  function prepare() {
    return attempt(failure, () => call(at(shown.document, "/signing"), { method: "POST", body: { reason: reason.value.trim() } }), (made) => {
      const password = el("input", { type: "password", autocomplete: "current-password", required: true });
      const form = el("form", { class: "password", on: { submit(event) {
        event.preventDefault();
        take({ signing: made.signing, password: password.value });
        password.value = "";
      } } }, el("p", {}, words.signing(around.user.name, words.until(around.time(made.expires)))),
      el("label", {}, words.password, password), el("button", { class: "big primary", type: "submit" }, words.sign));
      clear(place).append(
        el("div", { class: "doc-shown" }, icon("document"), el("span", {}, words.shown), el("a", { class: "big plain", href: `/api/signings/${encodeURIComponent(made.signing)}.pdf`, target: "_blank", rel: "noopener" }, words.openPdf)),
        form, failure);
      password.focus();
    });
  }
}

async function attempt(place, work, then) {
  const say = place.classList.contains("failure") ? place : place.appendChild(el("p", { class: "failure", role: "alert" }));
  say.textContent = "";
  try {
    then(await work());
  } catch (error) {
    say.textContent = error.message;
  }
}

/** Whether everything is still as its sources say. */
function checked(shown) {
  const result = el("div", { class: "doc-check", role: "status" });
  const check = button(words.verify, "small", async () => {
    check.disabled = true;
    clear(result).append(el("p", { class: "fine" }, words.verifying));
    try {
      const found = await call(at(shown.document, `/verify?revision=${shown.revision}`), { method: "POST" });
      clear(result).append(found.clean ? el("p", { class: "clean" }, icon("check"), ` ${words.clean(found)}`)
        : el("ul", {}, found.findings.map((item) => el("li", {}, item.sentence, [...item.before.map((row) => ["−", row]), ...item.now.map((row) => ["+", row])].map(([sign, row]) => el("code", {}, `${sign} ${row}`))))));
    } catch (error) { clear(result).append(el("p", { class: "failure" }, error.message)); }
    check.disabled = false;
  });
  return el("div", { class: "doc-verify" }, check, result);
}

// Reading, editing

function read(body, shown, query) {
  const links = ["pdf", "docx", "md"].map((form) => el("a", { class: "small", href: at(`${shown.document}.${form}`, query), target: "_blank", rel: "noopener" }, form.toUpperCase()));
  body.append(el("div", { class: "doc-links" }, links), el("iframe", { class: "doc-frame", src: at(`${shown.document}.html`, query), title: shown.title }));
}

async function edit(body, shown) {
  const found = await loaded(body, () => call(at(shown.document, "/content")));
  if (!found) return;
  body.append(el("p", { class: "fine" }, words.editHint));
  let version = shown.version;
  for (const section of found.sections) {
    const text = el("textarea", { rows: String(Math.min(12, 2 + section.words.split("\n").length + Math.floor(section.words.length / 70))), maxlength: "20000" });
    text.value = section.words;
    const failure = el("p", { class: "failure", role: "alert" });
    const save = button(words.save, "small", () => attempt(failure, () => call(at(shown.document, "/edits"), { method: "POST", body: { section: section.title, text: text.value, version } }), (after) => {
      version = after.version;
      around.notice(words.saved(section.title));
    }));
    const bound = section.lines.filter((line) => !section.words.split("\n\n").includes(line));
    body.append(el("section", { class: "doc-section" }, el("h3", {}, section.title), el("label", {}, el("span", { class: "sr" }, words.wordsOf(section.title)), text),
      el("div", { class: "doc-links" }, save), failure,
      bound.length ? el("details", {}, el("summary", {}, words.bound(bound.length)), bound.slice(0, 40).map((line) => el("p", { class: "fine" }, line))) : null));
  }
}

// Differences, trail

async function differences(body, shown) {
  const found = await loaded(body, () => call(at(shown.document, `/differences?to=${shown.revision}`)));
  if (!found) return;
  const changed = found.sections.filter((section) => section.tag !== "same");
  body.append(el("p", { class: "badges" }, el("span", { class: "pill" }, words.revision(found.left.revision)), icon("right"), el("span", { class: "pill" }, words.revision(found.right.revision))));
  if (!changed.length) body.append(el("p", { class: "fine" }, words.noDifference));
  for (const section of changed) {
    body.append(el("h3", {}, section.title), el("div", { class: "doc-diff" }, section.lines.filter((line) => line.tag !== "same").flatMap((line) => [
      el("p", { class: line.left ? `left ${line.tag}` : "left" }, line.left), el("p", { class: line.right ? `right ${line.tag}` : "right" }, line.right)])));
  }
  const same = found.sections.length - changed.length;
  if (same && changed.length) body.append(el("p", { class: "fine" }, words.sameSections(same)));
}

async function trail(body, shown) {
  const found = await loaded(body, () => call(`/api/trail?document=${encodeURIComponent(shown.document)}`));
  if (!found) return;
  body.append(el("ol", { class: "doc-trail" }, found.entries.map((entry) => el("li", {},
    el("span", { class: "fine" }, around.time(entry.at)), el("span", {}, el("b", {}, entry.name), ` ${words.action[entry.action] ?? entry.action}`,
      ` · ${words.revision(entry.revision)}`, entry.new.section ? ` · ${entry.new.section}` : "", entry.reason ? el("q", {}, entry.reason) : null)))),
  el("div", { class: "doc-links" }, el("a", { class: "small", href: `/api/trail?format=csv&document=${encodeURIComponent(shown.document)}` }, words.asCsv)));
}
