// The sheet that slides over the page: a cited page with its passage marked, a query with its SQL and rows, a note,
// the machine picker, recent questions, the person. One <dialog>; the browser keeps focus inside and Escape closes it.

import { grid } from "./blocks.js";
import { $, clear, el, icon } from "./dom.js";
import { call, pagePicture } from "./service.js";
import { words } from "./words.js";

const sheet = () => $("sheet");
let leaving = null; // aborts what the sheet is still loading

export function wireSheet() {
  $("sheet-close").addEventListener("click", close);
  sheet().addEventListener("click", (event) => { if (event.target === sheet()) close(); });
  sheet().addEventListener("close", () => leaving?.abort());
}

export function close() {
  sheet().close();
}

/** A sheet with this title, empty; what it still loads is aborted when it closes. */
export function open(title, sub, style = "") {
  leaving?.abort();
  leaving = new AbortController();
  $("sheet-title").textContent = title;
  $("sheet-sub").textContent = sub;
  clear($("sheet-tools"));
  sheet().className = `sheet ${style}`;
  if (!sheet().open) sheet().showModal();
  $("sheet-body").scrollTop = 0;
  return clear($("sheet-body"));
}

function fact(name, value) {
  return value ? el("div", {}, el("dt", {}, name), el("dd", {}, value)) : null;
}

/** Open whatever a citation points to. `tables`: the answer's table blocks, for the rows of a query. */
export function openCitation(citation, tables, time) {
  if (citation.document && citation.page) return openPage(citation);
  if (citation.kind === "query") return openQuery(citation, tables, time);
  return openText(citation, time);
}

/** A page of a document, with zoom and paging. */
export async function openPage(citation) {
  const body = open(citation.title || citation.document, "", "wide");
  const signal = leaving.signal;
  let page = citation.page;
  let zoom = 1;
  let pages = 0;
  const image = el("img", { class: "page", alt: "", hidden: true });
  const state = el("p", { class: "page-state", role: "status" }, words.loadingPage);
  const quote = el("div", { class: "page-quote", hidden: true });
  body.append(quote, state, el("div", { class: "page-holder" }, image));
  const tool = (name, text, act) => el("button", { class: "tool", type: "button", title: text, on: { click: act } }, icon(name), el("span", { class: "sr" }, text));
  const count = el("span", { class: "page-count" });
  const back = el("button", { class: "small", type: "button", hidden: true, on: { click: () => turn(citation.page) } }, words.backToPassage);
  $("sheet-tools").append(
    tool("left", words.previousPage, () => turn(page - 1)), count, tool("right", words.nextPage, () => turn(page + 1)), back,
    el("span", { class: "spring" }), tool("minus", words.zoomOut, () => size(zoom / 1.35)), tool("plus", words.zoomIn, () => size(zoom * 1.35)));

  function size(value) {
    const middle = (body.scrollTop + body.clientHeight / 2) / Math.max(body.scrollHeight, 1);
    zoom = Math.max(1, Math.min(4, value));
    image.style.width = `${Math.round(zoom * 100)}%`;
    body.scrollTop = middle * body.scrollHeight - body.clientHeight / 2;
  }

  async function turn(to) {
    if (to < 1 || (pages && to > pages)) return;
    page = to;
    state.textContent = words.loadingPage;
    state.hidden = false;
    back.hidden = page === citation.page;
    const wanted = page === citation.page ? citation.quote || "" : "";
    try {
      const longest = Math.min(2600, Math.round(1500 * Math.max(1, Math.min(2, devicePixelRatio))));
      const result = await pagePicture(citation.document, citation.revision, page, wanted, longest, signal);
      if (page !== to) return;
      pages = result.pages;
      show(result, wanted);
    } catch (error) {
      if (signal.aborted) return;
      state.textContent = error.message;
      image.hidden = true;
      showQuote(true);
    }
  }

  function show(result, wanted) {
    const old = image.src;
    image.src = URL.createObjectURL(result.picture);
    if (old) URL.revokeObjectURL(old);
    image.alt = `${citation.title || citation.document}, ${words.pageOf(page, pages)}${wanted ? `. ${words.cited}: ${wanted}` : ""}`;
    image.hidden = false;
    state.hidden = true;
    count.textContent = words.pageOf(page, pages);
    $("sheet-sub").textContent = [citation.document, words.revision(citation.revision), citation.section].filter(Boolean).join(" · ");
    showQuote(Boolean(wanted) && result.found === "none");
    image.onload = () => {
      const first = Math.min(...result.marks.map((mark) => mark[1]));
      body.scrollTop = Number.isFinite(first) ? Math.max(0, first * image.clientHeight - body.clientHeight * 0.3) : 0;
    };
  }

  function showQuote(on) {
    quote.hidden = !on || !citation.quote;
    if (!quote.hidden) clear(quote).append(el("p", {}, words.notMarked), el("blockquote", {}, citation.quote));
  }

  await turn(page);
}

/** How rows were obtained: the statement as it ran, its parameters, and the rows themselves. */
function openQuery(citation, tables, time) {
  const body = open(citation.title || words.statement, citation.data_until ? words.dataUntil(time(citation.data_until)) : "", "wide");
  const parameters = Object.entries(citation.parameters || {});
  body.append(
    el("p", { class: "badges" }, el("span", { class: `pill ${citation.certified ? "good" : "caution"}` }, citation.certified ? words.certified : words.uncertified),
      el("span", { class: "pill" }, words.rowsShown(citation.rows, citation.rows)),
      citation.limited_to ? el("span", { class: "pill caution" }, words.limitedTo(citation.limited_to)) : null));
  for (const table of tables) body.append(el("h3", {}, table.title || words.resultRows), grid(table.columns, table.rows, table.values, table.title));
  body.append(el("h3", {}, words.statement), el("pre", { class: "sql", tabindex: "0" }, sqlLines(citation.sql || "").map((line) => el("span", {}, line))));
  if (parameters.length) {
    body.append(el("h3", {}, words.parameters), el("dl", { class: "facts" }, parameters.map(([name, value]) => fact(`:${name}`, typeof value === "string" ? value : JSON.stringify(value)))));
  }
}

/** A statement cut before its outermost clauses; joined, the pieces are the statement. Quotes and brackets stay whole. */
export function sqlLines(sql) {
  const pieces = [];
  let start = 0;
  let depth = 0;
  for (let i = 0; i < sql.length; i += 1) {
    const c = sql[i];
    if (c === "'" || c === '"') {
      i = sql.indexOf(c, i + 1);
      if (i < 0) break;
    } else if (c === "(") depth += 1;
    else if (c === ")") depth -= 1;
    else if (c === " " && depth === 0 && /^(FROM|WHERE|(LEFT |INNER |CROSS )?JOIN|GROUP BY|HAVING|ORDER BY|LIMIT|UNION)\b/i.test(sql.slice(i + 1, i + 16))
      && !/(LEFT|INNER|CROSS)$/i.test(sql.slice(Math.max(0, i - 5), i))) {
      pieces.push(sql.slice(start, i + 1));
      start = i + 1;
    }
  }
  pieces.push(sql.slice(start));
  return pieces;
}

/** A note, a record, or a document without pages. */
async function openText(citation, time) {
  const sub = [citation.document, words.revision(citation.revision), citation.section].filter(Boolean).join(" · ");
  const body = open(citation.title || citation.id || citation.document || "", sub);
  const signal = leaving.signal;
  if (citation.quote) body.append(el("blockquote", { class: "big-quote" }, citation.quote));
  const by = words.writtenBy(citation.author, time(citation.date));
  if (by) body.append(el("p", { class: "author" }, by));
  if (citation.kind === "record") body.append(el("dl", { class: "facts" }, fact(citation.record.replaceAll("_", " "), citation.id)));
  if (!citation.document) return;
  try {
    const source = await call(`/api/sources/${encodeURIComponent(citation.document)}/${encodeURIComponent(citation.revision)}`, { signal });
    if (!source.passages.length) return;
    body.append(el("h3", {}, source.title), ...source.passages.map((passage) => el("div", { class: "source-text" },
      passage.section ? el("h4", {}, passage.section) : null,
      passage.text.split("\n").map((line) => el("p", { class: line.trim() && citation.quote?.includes(line.trim()) ? "found" : null }, line)))));
    body.querySelector(".found")?.scrollIntoView({ block: "center" });
  } catch (error) {
    if (!signal.aborted && !citation.quote) body.append(el("p", {}, error.message || words.noText));
  }
}

/** The machines by line; `choose(id or null)`. */
export function openMachines(machines, current, choose) {
  const body = open(words.chooseMachine, words.chooseMachineHint(location.origin));
  const lines = Map.groupBy ? Map.groupBy(machines, (m) => m.line_name) : grouped(machines);
  const pick = (id) => { close(); choose(id); };
  for (const [line, members] of lines) {
    body.append(el("h3", {}, line), el("div", { class: "tiles" }, members.map((machine) => el("button", {
      class: "tile", type: "button", aria: { pressed: String(machine.id === current) }, on: { click: () => pick(machine.id) },
    }, el("b", {}, machine.id), el("span", {}, machine.name !== machine.id ? machine.name : String(machine.class).replaceAll("_", " "))))));
  }
  body.append(el("div", { class: "tiles" }, el("button", { class: "tile quiet", type: "button", on: { click: () => pick(null) } }, words.anyMachine)));
}

function grouped(machines) {
  const found = new Map();
  for (const machine of machines) found.set(machine.line_name, [...(found.get(machine.line_name) || []), machine]);
  return found;
}

export function openRecent(questions, ask) {
  const body = open(words.recent, "");
  if (!questions.length) body.append(el("p", {}, words.noRecent));
  body.append(...questions.map((question) => el("button", { class: "choice", type: "button", on: { click: () => { close(); ask(question); } } },
    el("span", {}, question), icon("ask-more"))));
}

export function openPerson(user, where, otherTheme, signOut) {
  const body = open(user.name, words.signedIn(user.id, user.role));
  body.append(el("p", {}, where),
    el("div", { class: "confirm-buttons" }, el("button", { class: "big plain", type: "button", on: { click: otherTheme } }, words.theme),
    el("button", { class: "big plain", type: "button", on: { click: () => { close(); signOut(); } } }, words.signOut)));
}
