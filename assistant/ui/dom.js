// Building the page from data. Text only ever enters as text nodes: nothing here or elsewhere parses markup from data.

const SVG = "http://www.w3.org/2000/svg";

/** An element. `attributes`: class, on (listeners), data, aria, or any attribute; children: nodes, strings, null. */
export function el(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function fill(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "on") for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
    else if (key === "data") Object.assign(node.dataset, value);
    else if (key === "aria") for (const [name, text] of Object.entries(value)) node.setAttribute(`aria-${name}`, text);
    else node.setAttribute(key, value === true ? "" : String(value));
  }
  for (const child of children.flat()) if (child !== null && child !== undefined && child !== false) node.append(child);
  return node;
}

export function icon(name, label = "") {
  const image = svg("svg", { class: "icon", "aria-hidden": "true" }, svg("use", { href: `/ui/icons.svg#${name}` }));
  return label ? [image, el("span", {}, label)] : image;
}

export function clear(node) {
  node.replaceChildren();
  return node;
}

export const $ = (id) => document.getElementById(id);

/** Storage that may be full, blocked or absent; the page works without it. */
export const kept = {
  get(key, otherwise) {
    try { return JSON.parse(localStorage.getItem(`andon.${key}`)) ?? otherwise; } catch { return otherwise; }
  },
  set(key, value) {
    try { localStorage.setItem(`andon.${key}`, JSON.stringify(value)); } catch { /* not kept, nothing lost */ }
  },
};
