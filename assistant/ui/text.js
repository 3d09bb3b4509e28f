// The small Markdown of an answer as DOM nodes: paragraphs, lists, bold, emphasis, code and citation markers.
// Links and images are shown as the text they are; raw HTML is text.

import { el } from "./dom.js";
import { words } from "./words.js";

const INLINE = /\[(E\d+)\]|\*\*([^*]+)\*\*|(?<![\w*])\*([^*\s][^*]*)\*(?![\w*])|`([^`]+)`/g;

const CODE = /\b[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)+\b/g;

/** Plain text set so that a line never ends inside an identifier or between a number and its unit. */
export function setText(text) {
  const glued = text.replace(/(\d) (?=\S{1,3}(?:[\s.,;:)]|$))/g, "$1\u00a0");
  const nodes = [];
  let last = 0;
  for (const match of glued.matchAll(CODE)) {
    if (match.index > last) nodes.push(glued.slice(last, match.index));
    nodes.push(el("span", { class: "whole" }, match[0]));
    last = match.index + match[0].length;
  }
  if (last < glued.length) nodes.push(glued.slice(last));
  return nodes;
}

/** Nodes for one run of text; `cite(marker)` makes the node of a citation. */
export function inline(text, cite) {
  const nodes = [];
  let last = 0;
  for (const match of text.matchAll(INLINE)) {
    const between = text.slice(last, match.index);
    // a citation stays on the line of the word before it
    if (between) nodes.push(...setText(match[1] ? between.replace(/ $/, "\u00a0") : between));
    if (match[1]) nodes.push(cite(match[1]));
    else if (match[2]) nodes.push(el("strong", {}, inline(match[2], cite)));
    else if (match[3]) nodes.push(el("em", {}, match[3]));
    else nodes.push(el("code", {}, match[4]));
    last = match.index + match[0].length;
  }
  if (last < text.length) nodes.push(...setText(text.slice(last)));
  return nodes;
}

/** Block nodes for a whole text. */
export function markdown(text, cite) {
  const out = [];
  let list = null;
  for (const raw of text.split("\n")) {
    const line = raw.trim();
    const item = /^(?:([-*•])|(\d+)[.)])\s+(.*)$/.exec(line);
    if (item) {
      const name = item[1] ? "ul" : "ol";
      if (!list || list.localName !== name) {
        list = el(name, name === "ol" ? { start: item[2] } : {});
        out.push(list);
      }
      list.append(el("li", {}, inline(item[3], cite)));
      continue;
    }
    list = null;
    const heading = /^#{1,4}\s+(.*)$/.exec(line);
    if (heading) out.push(el("p", { class: "text-heading" }, inline(heading[1], cite)));
    else if (line) out.push(...paragraph(line, cite));
  }
  return out;
}

const SHOWN = 4; // statements that stand before the facts below; the others come at a touch

/** A paragraph; one of many cited statements becomes its first statement and a list of the others. */
function paragraph(line, cite) {
  const statements = line.split(/(?<=\[E\d+\])\s+(?!\[E\d+\])/);
  if (statements.length < 4) return [el("p", {}, inline(line, cite))];
  const items = statements.slice(1).map((one) => el("li", {}, statement(one, cite)));
  const hidden = statements.length > SHOWN + 2 ? items.slice(SHOWN - 1) : [];
  for (const item of hidden) item.hidden = true;
  const more = hidden.length ? el("button", { class: "small more", type: "button", on: { click() {
    for (const item of hidden) item.hidden = false;
    more.remove();
  } } }, words.moreStatements(hidden.length)) : null;
  return [el("p", {}, inline(statements[0], cite)), el("ul", { class: "statements" }, items), more].filter(Boolean);
}

/** A statement with its leading label set off ("Published causes:") and its parts a), b), c) on lines of their own. */
function statement(text, cite) {
  const label = /^([A-Z][^:.[\]“]{2,30}:)\s+(.*)$/s.exec(text);
  const rest = label ? label[2] : text;
  const parts = /(^|\s)a\) .*\sb\) /s.test(rest) ? rest.split(/\s*(?=\b[a-h]\) )/) : [rest];
  return [label ? el("b", {}, label[1], " ") : null, ...parts.filter(Boolean).map((part) => (parts.length > 1 ? el("span", { class: "part" }, inline(part, cite)) : inline(part, cite)))].flat();
}
