// Charts drawn as SVG for arm's length: few ticks, large text, values at a touch. bar, line (with limits), pareto.
// The value under the finger is read out in a line above the chart, where the hand does not cover it.

import { clear, el, svg } from "./dom.js";
import { words } from "./words.js";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const SERIES = 4; // distinct series colours in style.css
const HEIGHT = 280;
const MARGIN = { top: 34, right: 16, bottom: 46, left: 66 };
const LIMIT_ROOM = 124; // right of the plot, for the names of limits

export function number(value, unit = "") {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  const digits = Number.isInteger(value) ? 0 : size >= 1000 ? 0 : size >= 10 ? 1 : 2;
  const text = value.toLocaleString("en-GB", { maximumFractionDigits: digits }).replaceAll(",", " ");
  return unit ? `${text} ${unit}` : text;
}

/** A chart block as a figure. */
export function chart(given, citation) {
  const block = { ...given, x: { ...given.x, values: shorter(given.x.values) } };
  const readout = el("p", { class: "readout", "aria-live": "polite" });
  const stage = el("div", { class: "stage" });
  const horizontal = block.kind === "pareto" || (block.kind === "bar" && longLabels(block));
  const draw = block.kind === "line" ? drawLine : horizontal ? drawRows : drawColumns;
  const asTable = el("div", { class: "chart-table", hidden: true });
  const toggle = el("button", {
    class: "small", type: "button", aria: { pressed: "false" },
    on: { click() {
      const on = toggle.getAttribute("aria-pressed") !== "true";
      toggle.setAttribute("aria-pressed", String(on));
      if (on && !asTable.hasChildNodes()) asTable.append(plainTable(block));
      asTable.hidden = !on;
      stage.hidden = readout.hidden = on;
    } },
  }, words.asTable);
  const figure = el("figure", { class: "block chart", data: { kind: block.kind } },
    el("figcaption", { class: "block-head" },
      el("h3", {}, block.title || ""), legend(block), el("span", { class: "block-end" }, toggle, citation)),
    readout, stage, asTable);
  const show = (text) => { readout.textContent = text; };
  show(resting(block));
  let width = 0;
  new ResizeObserver(([entry]) => {
    const now = Math.floor(entry.contentRect.width);
    if (now === width || now < 40) return;
    width = now;
    clear(stage).append(draw(block, now, show));
  }).observe(stage);
  return figure;
}

/** ISO dates as people write them; a year that all labels share is left out. */
function shorter(labels) {
  const dated = labels.map((label) => label.replace(/^(\d{4})-(\d{2})-(\d{2})\b/, (_, y, m, d) => `${Number(d)} ${MONTHS[Number(m) - 1]} ${y}`));
  const years = new Set(dated.map((label) => /^\d{1,2} [A-Z][a-z]{2} (\d{4})\b/.exec(label)?.[1]));
  return years.size === 1 && !years.has(undefined) ? dated.map((label) => label.replace(/^(\d{1,2} [A-Z][a-z]{2}) \d{4}/, "$1")) : dated;
}

function longLabels(block) {
  const labels = block.x.values;
  return labels.length <= 12 && Math.max(...labels.map((label) => label.length)) > 9;
}

/** What the readout says while nothing is touched: the last value of a line, the largest of a bar chart. */
function resting(block) {
  const series = block.series[0];
  if (!series) return "";
  const known = series.values.map((value, i) => [value, i]).filter(([value]) => value !== null);
  if (!known.length) return "";
  const [value, i] = block.kind === "line" ? known[known.length - 1] : known.reduce((a, b) => (b[0] > a[0] ? b : a));
  return `${block.x.values[i]}: ${number(value, series.unit)}`;
}

function reading(block, i) {
  const values = block.series.map((s) => (block.series.length > 1 ? `${s.name} ` : "") + number(s.values[i], s.unit));
  return `${block.x.values[i]}: ${values.join(", ")}`;
}

function legend(block) {
  if (block.series.length < 2) return null;
  return el("span", { class: "legend" }, block.series.map((s, i) => el("span", { class: `key ${band(block)?.includes(i) ? "band-key" : `s${i % SERIES}`}` }, s.name)));
}

function plainTable(block) {
  return el("table", {},
    el("thead", {}, el("tr", {}, el("th", {}, block.x.label),
      block.series.map((s) => el("th", { class: "num" }, s.unit ? `${s.name}, ${s.unit}` : s.name)))),
    el("tbody", {}, block.x.values.map((label, i) => el("tr", {}, el("th", { scope: "row" }, label),
      block.series.map((s) => el("td", { class: "num" }, number(s.values[i])))))));
}

/** Round tick values that cover low..high. */
export function ticks(low, high, count = 4) {
  if (!(high > low)) return [low];
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => s >= rough - 1e-12);
  const out = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-6; n += 1) out.push(Number((n * step).toPrecision(12)));
  return out;
}

function range(block, fromZero) {
  const values = block.series.flatMap((s) => s.values).filter((v) => v !== null).concat((block.limits || []).map((l) => l.value));
  let low = Math.min(...values);
  let high = Math.max(...values);
  if (!values.length) [low, high] = [0, 1];
  if (fromZero) low = Math.min(0, low);
  const room = (high - low || Math.abs(high) || 1) * 0.12;
  return [fromZero && low === 0 ? 0 : low - room, high + room];
}

function label(block) {
  const parts = block.series.map((s) => s.name).join(", ");
  return `${block.title || parts}. ${block.x.label}: ${block.x.values.length}. ${resting(block)}`;
}

function frame(block, width, height) {
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label(block), tabindex: "0" });
}

function rightEdge(block, width) {
  return width - (block.limits?.length ? LIMIT_ROOM : MARGIN.right);
}

/** Lines and numbers of the value axis, and limits with their names. */
function scaffold(root, block, width, low, high, y) {
  const unit = block.series[0]?.unit || "";
  const values = ticks(low, high);
  if (unit) root.append(svg("text", { class: "tick", x: 0, y: 16 }, unit));
  values.forEach((value) => {
    root.append(svg("line", { class: "grid", x1: MARGIN.left, x2: rightEdge(block, width), y1: y(value), y2: y(value) }),
      svg("text", { class: "tick", x: MARGIN.left - 8, y: y(value) + 5, "text-anchor": "end" }, number(value)));
  });
}

function limitLines(root, block, width, y) {
  for (const limit of block.limits || []) {
    const edge = rightEdge(block, width);
    root.append(svg("line", { class: "limit", x1: MARGIN.left, x2: edge, y1: y(limit.value), y2: y(limit.value) }),
      svg("text", { class: "limit-name", x: edge + 8, y: y(limit.value) - 3 }, limit.label),
      svg("text", { class: "limit-name", x: edge + 8, y: y(limit.value) + 17 }, number(limit.value, block.series[0]?.unit || "")));
  }
}

/** Labels below, as many as fit without touching each other. */
function below(root, block, width, x) {
  const labels = block.x.values;
  const widest = Math.max(...labels.map((text) => text.length)) * 9 + 14;
  const every = Math.max(1, Math.ceil((labels.length * widest) / (rightEdge(block, width) - MARGIN.left)));
  labels.forEach((text, i) => {
    const last = labels.length - 1;
    if (i % every && !(i === last && last % every > every / 2)) return;
    root.append(svg("text", { class: "tick", x: x(i), y: HEIGHT - 20, "text-anchor": i === last && x(i) + widest / 2 > width ? "end" : "middle" }, text));
  });
}

/** Touch, mouse and arrow keys choose the nearest position. */
function pointing(root, count, nearest, choose, rest) {
  let at = -1;
  const set = (i) => { at = Math.max(0, Math.min(count - 1, i)); choose(at); };
  const point = (event) => {
    const box = root.getBoundingClientRect();
    set(nearest(event.clientX - box.left, event.clientY - box.top));
  };
  root.addEventListener("pointerdown", point);
  root.addEventListener("pointermove", (event) => { if (event.pointerType === "mouse" || event.pressure > 0) point(event); });
  root.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") { at = -1; rest(); } });
  root.addEventListener("blur", () => { at = -1; rest(); });
  root.addEventListener("keydown", (event) => {
    const move = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (move === undefined) return;
    event.preventDefault();
    set(at < 0 ? (move > 0 ? 0 : count - 1) : at + move);
  });
}

/** The series of least and greatest values around a mean, drawn as one band; null when there are none. */
function band(block) {
  if (block.kind !== "line" || block.series.length !== 3) return null;
  const low = block.series.findIndex((s) => /^min/i.test(s.name));
  const high = block.series.findIndex((s) => /^max/i.test(s.name));
  return low >= 0 && high >= 0 ? [low, high] : null;
}

function bandPath(low, high, x, y) {
  let path = "";
  let run = [];
  const flush = () => {
    if (run.length) path += `M${run.map((i) => `${x(i).toFixed(1)} ${y(high[i]).toFixed(1)}`).join("L")}L${run.reverse().map((i) => `${x(i).toFixed(1)} ${y(low[i]).toFixed(1)}`).join("L")}Z`;
    run = [];
  };
  low.forEach((value, i) => { if (value === null || high[i] === null) flush(); else run.push(i); });
  flush();
  return path;
}

function drawLine(block, width, show) {
  const root = frame(block, width, HEIGHT);
  const [low, high] = range(block, false);
  const count = block.x.values.length;
  const y = (v) => MARGIN.top + (HEIGHT - MARGIN.top - MARGIN.bottom) * (1 - (v - low) / (high - low));
  const x = (i) => MARGIN.left + 10 + ((rightEdge(block, width) - MARGIN.left - 20) * (count > 1 ? i / (count - 1) : 0.5));
  scaffold(root, block, width, low, high, y);
  below(root, block, width, x);
  const between = band(block);
  if (between) root.append(svg("path", { class: "band", d: bandPath(block.series[between[0]].values, block.series[between[1]].values, x, y) }));
  block.series.forEach((series, s) => {
    if (between?.includes(s)) return;
    let path = "";
    let open = false;
    series.values.forEach((value, i) => {
      if (value === null) { open = false; return; }
      path += `${open ? "L" : "M"}${x(i).toFixed(1)} ${y(value).toFixed(1)}`;
      open = true;
    });
    root.append(svg("path", { class: `line s${s % SERIES}`, d: path }));
    if (count <= 40) {
      series.values.forEach((value, i) => {
        if (value !== null) root.append(svg("circle", { class: `dot s${s % SERIES}`, cx: x(i), cy: y(value), r: 4 }));
      });
    }
  });
  limitLines(root, block, width, y);
  const cursor = svg("line", { class: "cursor", y1: MARGIN.top, y2: HEIGHT - MARGIN.bottom, hidden: true });
  root.append(cursor);
  const nearest = (px) => Math.round(((px - MARGIN.left - 10) / (rightEdge(block, width) - MARGIN.left - 20)) * (count - 1)) || 0;
  pointing(root, count, nearest, (i) => {
    cursor.removeAttribute("hidden");
    cursor.setAttribute("x1", x(i));
    cursor.setAttribute("x2", x(i));
    show(reading(block, i));
  }, () => { cursor.setAttribute("hidden", ""); show(resting(block)); });
  return root;
}

function drawColumns(block, width, show) {
  const root = frame(block, width, HEIGHT);
  const [low, high] = range(block, true);
  const count = block.x.values.length;
  const slot = (rightEdge(block, width) - MARGIN.left) / Math.max(count, 1);
  const y = (v) => MARGIN.top + (HEIGHT - MARGIN.top - MARGIN.bottom) * (1 - (v - low) / (high - low));
  const x = (i) => MARGIN.left + slot * (i + 0.5);
  scaffold(root, block, width, low, high, y);
  below(root, block, width, x);
  const several = block.series.length;
  const thick = Math.min(64, (slot * 0.72) / several);
  const groups = block.x.values.map((_, i) => svg("g", { class: "column" }, block.series.map((series, s) => {
    const value = series.values[i];
    if (value === null) return null;
    const left = x(i) - (thick * several) / 2 + thick * s;
    const top = Math.min(y(value), y(0));
    return svg("rect", { class: `bar s${s % SERIES}`, x: left + 1, y: top, width: Math.max(thick - 2, 2), height: Math.max(Math.abs(y(value) - y(0)), 1), rx: 2 });
  }), several === 1 && slot > 62 && block.series[0].values[i] !== null
    ? svg("text", { class: "value", x: x(i), y: y(block.series[0].values[i]) - 8, "text-anchor": "middle" }, number(block.series[0].values[i])) : null));
  root.append(...groups);
  limitLines(root, block, width, y);
  const mark = (i) => groups.forEach((g, j) => g.classList.toggle("chosen", i === j));
  pointing(root, count, (px) => Math.floor((px - MARGIN.left) / slot), (i) => { mark(i); show(reading(block, i)); },
    () => { mark(-1); show(resting(block)); });
  return root;
}

/** Rows for long names; a pareto is sorted and carries the running share of the total. */
function drawRows(block, width, show) {
  const series = block.series[0];
  let order = block.x.values.map((_, i) => i);
  if (block.kind === "pareto") order = order.sort((a, b) => (series.values[b] ?? 0) - (series.values[a] ?? 0));
  const total = series.values.reduce((sum, value) => sum + (value ?? 0), 0);
  const row = 58;
  const height = order.length * row + 6;
  const root = frame(block, width, height);
  const limits = (block.limits || []).map((l) => l.value);
  const high = Math.max(...series.values.map((v) => v ?? 0), ...limits, 0) || 1;
  const tail = block.kind === "pareto" ? 170 : 110;
  const x = (v) => ((width - tail) * Math.max(v, 0)) / high;
  let running = 0;
  const groups = order.map((i, place) => {
    const value = series.values[i];
    running += value ?? 0;
    const top = place * row;
    const share = total > 0 ? Math.round((running / total) * 100) : 0;
    const length = Math.max(x(value ?? 0), 2);
    return svg("g", { class: "column" },
      svg("text", { class: "name", x: 0, y: top + 19 }, block.x.values[i]),
      svg("rect", { class: "track", x: 0, y: top + 28, width: width - tail, height: 18, rx: 2 }),
      value === null ? null : svg("rect", { class: "bar s0", x: 0, y: top + 28, width: length, height: 18, rx: 2 }),
      svg("text", { class: "value", x: width - tail + 14, y: top + 44 }, number(value, series.unit),
        block.kind === "pareto" ? svg("tspan", { class: "share", dx: 12 }, `Σ ${share} %`) : null));
  });
  root.append(...groups);
  for (const limit of block.limits || []) {
    root.append(svg("line", { class: "limit", x1: x(limit.value), x2: x(limit.value), y1: 22, y2: height - 6 }),
      svg("text", { class: "limit-name", x: x(limit.value) - 6, y: 19, "text-anchor": "end" }, `${limit.label} ${number(limit.value)}`));
  }
  const mark = (place) => groups.forEach((g, j) => g.classList.toggle("chosen", place === j));
  pointing(root, order.length, (_, py) => Math.floor(py / row), (place) => { mark(place); show(reading(block, order[place])); },
    () => { mark(-1); show(resting(block)); });
  return root;
}

