// One function per block type of an answer, each from data to DOM. `BLOCKS` is the table; an unknown type shows nothing.

import { chart } from "./charts.js";
import { clear, el, icon } from "./dom.js";
import { setText } from "./text.js";
import { words } from "./words.js";

const NUMERIC = new Set(["count", "number", "percent", "duration_s"]);
const NUMBERED = /^\d{1,2}[.)]\s+/;
const LONG = 26; // characters from which a cell may break into lines, and then gets room to
const PASSAGE = 260; // letters of a passage that stand without being asked for
const TALL = 12; // rows from which a table scrolls within itself
const CELL = { id: "id", time: "whole", date: "whole" };

/** `on`: what a block may do: cite(marker) -> node or null, ask(question), confirm(block, accept), source(place). */
export function block(data, on) {
  const make = BLOCKS[data.type];
  return make ? make(data, on) : null;
}

const BLOCKS = {
  emergency,
  number,
  table,
  chart: (data, on) => (data.series?.length && data.x?.values?.length ? chart(data, on.cite(data.marker)) : null),
  steps,
  warning,
  passage,
  choices,
  confirm,
  document: documentCard,
};

function head(title, ...end) {
  return el("div", { class: "block-head" }, el("h3", {}, title), el("span", { class: "block-end" }, end));
}

function emergency(data, on) {
  const lines = (data.steps || []).map((step) => (typeof step === "string" ? step : step.text));
  const first = lines.filter((line) => !NUMBERED.test(line) && lines.some((other) => NUMBERED.test(other)));
  const numbered = lines.filter((line) => !first.includes(line)).map((line) => line.replace(NUMBERED, ""));
  return el("section", { class: "block emergency", role: "alert" },
    el("div", { class: "emergency-top" },
      el("div", {}, el("h3", {}, icon("warning"), el("span", {}, data.title)), el("p", { class: "emergency-text" }, data.text)),
      data.number ? el("a", { class: "emergency-number", href: `tel:${data.number}` },
        el("span", { class: "emergency-call" }, icon("phone", words.emergencyCall)), el("b", {}, data.number)) : null),
    first.map((line) => el("p", { class: "emergency-first" }, setText(line))),
    numbered.length ? el("ol", {}, numbered.map((line) => el("li", {}, setText(line)))) : null,
    data.document ? sourceButton(data, lines.join("\n"), on)
      : data.marker ? el("p", { class: "emergency-source" }, words.instructionOf, " ", on.cite(data.marker)) : null);
}

function number(data, on) {
  const target = data.target;
  const better = data.compare?.better;
  return el("section", { class: "block number" },
    head(data.label, on.cite(data.marker)),
    el("p", { class: "number-value" }, figure(data.text)),
    target ? el("div", { class: "number-target" }, gauge(data.value, target.value, data.unit), el("span", {}, `${words.target} ${target.text}`)) : null,
    data.compare ? el("p", { class: `number-compare ${better === true ? "better" : better === false ? "worse" : ""}` },
      el("b", {}, data.compare.delta_text), el("span", {}, ` ${data.compare.label} ${data.compare.text}`)) : null,
    data.elements?.length ? el("dl", { class: "number-elements" }, data.elements.map((e) => el("div", {}, el("dt", {}, e.label), el("dd", {}, e.text)))) : null,
    data.formula ? el("p", { class: "number-formula" }, data.formula) : null);
}

/** The figure large, its unit small. */
function figure(text) {
  const match = /^([-−+]?[\d\s.,]+)(.*)$/.exec(text ?? "");
  if (!match || /\d/.test(match[2])) return text;
  return [match[1].trim(), match[2].trim() ? el("small", {}, match[2].trim()) : null];
}

/** A bar from zero with the target marked; shares run to 100 %, other values to a quarter above the larger of the two. */
function gauge(value, target, unit) {
  if (typeof value !== "number" || typeof target !== "number" || value < 0) return null;
  const full = unit === "%" && Math.max(value, target) <= 1 ? 1 : Math.max(value, target) * 1.25 || 1;
  const bar = el("span", { class: "gauge-bar" });
  const mark = el("span", { class: "gauge-mark" });
  bar.style.width = `${(value / full) * 100}%`;
  mark.style.left = `${(target / full) * 100}%`;
  return el("span", { class: "gauge", "aria-hidden": "true" }, bar, mark);
}

function table(data, on) {
  return el("section", { class: "block table" },
    head(data.title, el("span", { class: "rows" }, words.rowsShown(data.rows.length, data.total ?? data.rows.length)), on.cite(data.marker)),
    grid(data.columns, data.rows, data.values, data.title));
}

/** A table that sorts by the raw values behind its texts. Columns without any value are left out. */
export function grid(columns, rows, values = rows, name = "") {
  const shown = columns.map((_, c) => c).filter((c) => !rows.length || rows.some((row) => row[c] !== "–" && row[c] !== ""));
  const style = columns.map((column, c) => (NUMERIC.has(column.kind) ? "num"
    : rows.some((row) => String(row[c]).length > LONG) ? "long" : CELL[column.kind] ?? null));
  const body = el("tbody");
  let sorted = { column: -1, down: false };
  const heads = new Map(shown.map((c) => [c, el("th", { scope: "col", class: style[c], "aria-sort": "none" },
    el("button", { type: "button", class: "sort", on: { click: () => sort(c) } }, el("span", {}, columns[c].label), el("span", { class: "sort-mark" }, icon("sort"))))]));

  function fill(order) {
    clear(body).append(...order.map((r) => el("tr", {}, shown.map((c) => el("td", { class: style[c] }, readable(rows[r][c]))))));
  }

  function sort(c) {
    sorted = { column: c, down: sorted.column === c ? !sorted.down : NUMERIC.has(columns[c].kind) };
    for (const [h, th] of heads) {
      const state = h === c ? (sorted.down ? "descending" : "ascending") : "none";
      th.setAttribute("aria-sort", state);
      clear(th.querySelector(".sort-mark")).append(icon(state === "none" ? "sort" : sorted.down ? "sort-desc" : "sort-asc"));
    }
    fill(rows.map((_, r) => r).sort((a, b) => compare(values[a][c], values[b][c], sorted.down)));
  }

  fill(rows.map((_, r) => r));
  return el("div", { class: rows.length > TALL ? "scroll tall" : "scroll", tabindex: "0", role: "region", "aria-label": name || words.resultRows },
    el("table", {}, el("thead", {}, el("tr", {}, [...heads.values()])), body));
}

/** Canonical values such as in_progress as people write them. */
function readable(text) {
  return /^[a-z]+(_[a-z]+)+$/.test(text) ? text.replaceAll("_", " ") : text;
}

/** Missing values last, whichever way. */
function compare(a, b, down) {
  if (a === b) return 0;
  if (a === null || a === undefined) return 1;
  if (b === null || b === undefined) return -1;
  const order = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
  return down ? -order : order;
}

function place(data) {
  return [data.document, words.revision(data.revision), data.page && words.page(data.page)].filter(Boolean).join(" · ");
}

function sourceButton(data, quote, on) {
  if (!data.document) return null;
  return el("button", { class: "source-line", type: "button", on: { click: () => on.source({ ...data, quote }) } }, icon("book", place(data)));
}

function steps(data, on) {
  return el("section", { class: "block steps" },
    head(data.title, on.cite(data.marker)),
    el("ol", {}, (data.steps || []).map((step) => el("li", {},
      step.warning ? el("p", { class: "step-warning" }, icon("warning"), el("span", {}, step.warning)) : null,
      el("div", { class: "step" }, el("span", { class: "step-number" }, String(step.n)), el("div", {}, stepText(step.text || "")))))),
    sourceButton(data, (data.steps || []).map((step) => step.text).join("\n"), on),
    data.document ? guideButton(data) : null);
}

/** Carry the procedure out step by step: guided.js listens. */
function guideButton(data) {
  const detail = { document: data.document, section: data.section || data.title, title: data.title };
  return el("button", { class: "big plain guide", type: "button", on: { click: () => document.dispatchEvent(new CustomEvent("andon:guide", { detail })) } }, words.guideMe);
}

/** What to do, and on a line of its own what should then be seen. */
function stepText(text) {
  const [action, ...expected] = text.split(/\s+(?=Expected result:)/);
  return [el("p", {}, setText(action)), ...expected.map((line) => el("p", { class: "expected" }, setText(line)))];
}

function warning(data, on) {
  return el("section", { class: "block warning", role: "note" },
    icon("warning"), el("div", {}, el("h3", {}, words.warning), el("p", {}, setText(data.text), " ", on.cite(data.marker))));
}

/** A long passage beside other facts shows its beginning; the whole of it is one touch away. */
function quoted(data, on) {
  const quote = el("blockquote", {}, data.text.split("\n").map((line) => el("p", {}, setText(line))));
  if (data.text.length < PASSAGE || !on.many()) return [quote];
  quote.classList.add("clamped");
  const whole = el("button", { class: "small more", type: "button", on: { click() { quote.classList.remove("clamped"); whole.remove(); } } }, words.wholePassage);
  return [quote, whole];
}

function passage(data, on) {
  const logged = data.author || data.date || data.kind === "log" || data.kind === "field_note";
  return el("section", { class: `block passage ${logged ? "logged" : ""}` },
    head(data.title, data.kind ? el("span", { class: "kind" }, words.kind[data.kind] || data.kind) : null, on.cite(data.marker)),
    quoted(data, on),
    data.author || data.date ? el("p", { class: "author" }, words.writtenBy(data.author, on.time(data.date))) : null,
    data.section ? el("p", { class: "section" }, data.section) : null,
    data.page || !logged ? sourceButton(data, data.text, on) : null);
}

function choices(data, on) {
  return el("section", { class: "block choices" },
    el("h3", {}, data.question),
    el("div", { class: "choice-list" }, (data.choices || []).map((choice) => el("button", { class: "choice", type: "button", on: { click: () => on.ask(choice.question) } },
      el("span", {}, setText(choice.label)), icon("right")))));
}

function confirm(data, on) {
  const section = el("section", { class: "block confirm" }, el("h3", {}, words.status.needs_confirmation), el("p", { class: "confirm-text" }, setText(data.text)));
  const outcome = el("p", { class: "confirm-outcome", role: "status" });
  const buttons = [[words.accept, true, "primary"], [words.decline, false, "plain"]].map(([name, accept, style]) => el("button", {
    class: `big ${style}`, type: "button", disabled: !data.token,
    on: { async click() {
      for (const button of buttons) button.disabled = true;
      try { outcome.textContent = (await on.confirm(data, accept)).text; }
      catch (error) {
        outcome.textContent = error.message;
        for (const button of buttons) button.disabled = error.status === 409 || error.status === 404;
      }
    } },
  }, name));
  section.append(el("div", { class: "confirm-buttons" }, buttons), outcome);
  if (data.expires) section.append(el("p", { class: "fine" }, words.validUntil(on.time(data.expires))));
  return section;
}

function documentCard(data, on) {
  const base = `/api/documents/${encodeURIComponent(data.id)}`;
  const formats = (data.formats || []).filter((format) => format !== "md");
  return el("section", { class: "block document" },
    icon("document"),
    el("div", { class: "document-what" }, el("h3", {}, data.title),
      el("p", {}, el("span", { class: "pill" }, data.status), ` ${data.id}`, data.revision ? ` · ${words.revision(data.revision)}` : "", " ", on.cite(data.marker))),
    el("div", { class: "document-open" }, formats.map((format) => el("a", {
      class: `big ${format === "html" ? "primary" : "plain"}`, href: `${base}.${format}`, target: "_blank", rel: "noopener",
    }, format === "html" ? words.openDocument : format.toUpperCase())),
    on.openDocument ? el("button", { class: "big plain", type: "button", on: { click: () => on.openDocument(data.id) } }, words.reviewDocument) : null));
}

