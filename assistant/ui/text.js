// The small Markdown of an answer as DOM nodes: paragraphs, lists, bold, emphasis, code and citation markers.
// Links and images are shown as the text they are; raw HTML is text.

import { el } from "./dom.js";

const INLINE = /\[(E\d+)\]|\*\*([^*]+)\*\*|(?<![\w*])\*([^*\s][^*]*)\*(?![\w*])|`([^`]+)`/g;

/** Nodes for one run of text; `cite(marker)` makes the node of a citation. */
export function inline(text, cite) {
  const nodes = [];
  let last = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > last) nodes.push(text.slice(last, match.index));
    if (match[1]) {
      const before = nodes.length - 1;
      if (typeof nodes[before] === "string") nodes[before] = nodes[before].replace(/ $/, " ");
      nodes.push(cite(match[1]));
    } else if (match[2]) nodes.push(el("strong", {}, inline(match[2], cite)));
    else if (match[3]) nodes.push(el("em", {}, match[3]));
    else nodes.push(el("code", {}, match[4]));
    last = match.index + match[0].length;
  }
  if (last < text.length) nodes.push(text.slice(last));
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
    else if (line) out.push(el("p", {}, inline(line, cite)));
  }
  return out;
}
