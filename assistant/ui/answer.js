// One question and its answer on the page: grows while events arrive, settles when the answer is there, folds away
// when the next question comes. Prose stands above the blocks; an emergency stands above everything.

import { block } from "./blocks.js";
import { clear, el, icon } from "./dom.js";
import { openCitation, openPage } from "./sheets.js";
import { markdown } from "./text.js";
import { words } from "./words.js";

const CITATION_ICON = { document: "book", query: "data", record: "record", field_note: "note" };

export class Entry {
  /** `on`: ask(question), confirm(block, accept), feedback(turn, helped), time(iso) -> text, openDocument(id). */
  constructor(question, on) {
    this.on = on;
    this.citations = new Map();
    this.tables = [];
    this.sentences = [];
    this.progress = el("p", { class: "progress" }, el("span", { class: "beam", "aria-hidden": "true" }), this.stage = el("span", {}, words.thinking));
    this.emergency = el("div");
    this.label = el("p", { class: "status", hidden: true });
    this.prose = el("div", { class: "prose", "aria-live": "polite", "aria-busy": "true" });
    this.blocks = el("div", { class: "blocks" });
    this.foot = el("footer", { class: "foot", hidden: true });
    this.brief = el("span", { class: "brief" });
    this.heading = el("h2", {}, el("button", { class: "fold", type: "button", aria: { expanded: "true" }, on: { click: () => this.fold(!this.folded) } },
      el("span", { class: "asked" }, question), this.brief, icon("down")));
    this.body = el("div", { class: "answer" }, this.emergency, this.label, this.prose, this.progress, this.blocks, this.foot);
    this.node = el("article", { class: "entry" }, this.heading, this.body);
  }

  get folded() {
    return this.node.classList.contains("folded");
  }

  fold(on) {
    this.node.classList.toggle("folded", on);
    this.heading.firstChild.setAttribute("aria-expanded", String(!on));
  }

  event(name, data) {
    if (name === "step" && data.status === "running") this.stage.textContent = words.tool[data.tool] || words.thinking;
    else if (name === "block") this.add(data);
    else if (name === "token") {
      this.sentences.push(data.text);
      this.write(this.sentences.join(" "));
    } else if (name === "answer") this.settle(data);
  }

  add(data) {
    if (data.type === "table") this.tables.push(data);
    const node = block(data, {
      cite: (marker) => (marker ? this.chip(marker) : null),
      ask: this.on.ask, confirm: this.on.confirm, time: this.on.time, openDocument: this.on.openDocument,
      many: () => (this.answer?.blocks.length ?? 2) > 1,
      source: (place) => openPageOrText(place, this.citations.get(place.marker), this.on.time),
    });
    if (node) (data.type === "emergency" ? this.emergency : this.blocks).append(node);
  }

  write(text) {
    clear(this.prose).append(...markdown(text, (marker) => this.chip(marker)));
  }

  /** A citation as a button; what it opens is known once the answer is complete. */
  chip(marker) {
    const chip = el("button", { class: "chip", type: "button", data: { marker }, on: { click: () => this.open(marker) } }, marker.slice(1));
    this.name(chip, marker);
    return chip;
  }

  name(chip, marker) {
    const citation = this.citations.get(marker);
    chip.setAttribute("aria-label", citation ? `${marker}: ${describe(citation, this.on.time)}` : marker);
    if (citation) chip.dataset.kind = citation.kind;
  }

  open(marker) {
    const citation = this.citations.get(marker);
    if (citation) openCitation(citation, this.tables.filter((table) => table.marker === marker), this.on.time);
  }

  /** The whole answer. Blocks are made anew: a confirmation gets its token only now. */
  settle(answer) {
    this.answer = answer;
    for (const citation of answer.citations) this.citations.set(citation.marker, citation);
    const had = this.emergency.childElementCount;
    this.tables = [];
    clear(this.blocks);
    for (const data of answer.blocks) if (!(data.type === "emergency" && had)) this.add(data);
    this.write(answer.text || "");
    const said = words.status[answer.status];
    this.node.dataset.status = answer.status;
    this.label.textContent = said || "";
    this.label.hidden = !said;
    this.progress.remove();
    this.prose.setAttribute("aria-busy", "false");
    this.brief.textContent = (answer.text || said || "").replace(/\[E\d+\]|\*/g, "").replace(/\s+/g, " ").slice(0, 160);
    for (const chip of this.node.querySelectorAll(".chip")) this.name(chip, chip.dataset.marker);
    this.foot.replaceChildren(...this.footParts(answer).filter(Boolean));
    this.foot.hidden = false;
    document.dispatchEvent(new CustomEvent("andon:answered", { detail: { answer, place: this.foot } }));
  }

  footParts(answer) {
    const until = answer.citations.map((c) => c.data_until).filter(Boolean).sort()[0];
    const facts = [...(answer.assumed || []).map((text) => el("span", { class: "fact" }, el("b", {}, words.assumed), ` ${text}`)),
      until ? el("span", { class: "fact" }, icon("clock"), ` ${words.dataUntil(this.on.time(until))}`) : null].filter(Boolean);
    return [
      facts.length ? el("p", { class: "facts-line" }, facts) : null,
      answer.citations.length ? this.sources(answer) : null,
      el("div", { class: "actions" }, this.speaker(answer), this.thumbs(answer), this.how(answer)),
      answer.follow_ups?.length ? el("div", { class: "follow-ups" }, answer.follow_ups.map((question) => el("button", {
        class: "follow-up", type: "button", on: { click: () => this.on.ask(question) } }, icon("ask-more"), el("span", {}, question)))) : null,
    ];
  }

  sources(answer) {
    return el("ul", { class: "sources", "aria-label": words.sources }, answer.citations.map((citation) => el("li", {}, el("button", {
      class: "source", type: "button", data: { kind: citation.kind }, on: { click: () => this.open(citation.marker) },
    }, el("span", { class: "source-mark" }, citation.marker.slice(1)), icon(CITATION_ICON[citation.kind] || "note"), el("span", {}, describe(citation, this.on.time))))));
  }

  speaker(answer) {
    const voice = window.speechSynthesis?.getVoices().find((v) => v.localService && v.lang.startsWith("en"));
    if (!voice || !answer.spoken) return null;
    const name = el("span", {}, words.readAloud);
    return el("button", { class: "tool", type: "button", on: { click() {
      if (speechSynthesis.speaking) { speechSynthesis.cancel(); return; }
      const said = new SpeechSynthesisUtterance(answer.spoken);
      said.voice = voice;
      said.onend = said.onerror = () => { name.textContent = words.readAloud; };
      name.textContent = words.silence;
      speechSynthesis.speak(said);
    } } }, icon("speak"), name);
  }

  thumbs(answer) {
    if (!answer.turn) return null;
    const buttons = [["up-hand", words.helped, true], ["down-hand", words.notHelped, false]].map(([image, text, helped]) => el("button", {
      class: "tool thumb", type: "button", title: text, aria: { pressed: "false" }, on: { click: async (event) => {
        const pressed = event.currentTarget;
        if (await this.on.feedback(answer.turn, helped)) {
          for (const button of buttons) button.setAttribute("aria-pressed", String(button === pressed));
        }
      } },
    }, icon(image), el("span", { class: "sr" }, text)));
    return el("span", { class: "thumbs" }, buttons);
  }

  how(answer) {
    const ms = answer.ms || {};
    return el("details", { class: "how" }, el("summary", {}, words.how),
      el("div", { class: "how-body" },
        (answer.steps || []).map((step) => el("p", {}, el("b", {}, step.tool), ` ${plainArguments(step.arguments)} `, el("span", { class: "pill" }, step.status), ` ${Math.round(step.ms ?? 0)} ms`)),
        el("p", {}, `${answer.planner || ""} · ${answer.model?.name || ""} ${String(answer.model?.sha256 || "").slice(0, 12)}`),
        el("p", {}, Object.entries(ms).map(([stage, value]) => `${stage} ${Math.round(value)} ms`).join(" · ")),
        answer.turn ? el("p", {}, `turn ${answer.turn}`) : null));
  }

  fail(sentence, again) {
    this.node.dataset.status = "problem";
    this.progress.remove();
    this.prose.setAttribute("aria-busy", "false");
    this.label.textContent = words.status.problem;
    this.label.hidden = false;
    this.brief.textContent = sentence;
    clear(this.prose).append(el("p", {}, sentence));
    if (again) this.foot.replaceChildren(el("button", { class: "big plain", type: "button", on: { click: again } }, words.again));
    this.foot.hidden = !again;
  }
}

function openPageOrText(place, citation, time) {
  const full = { kind: "document", ...citation, ...place, title: citation?.title || place.title };
  return full.page ? openPage(full) : openCitation(full, [], time);
}

export function describe(citation, time) {
  if (citation.kind === "document" || (citation.kind === "field_note" && citation.document)) {
    const where = [citation.kind === "document" ? words.revision(citation.revision) : "", citation.page ? words.page(citation.page) : "",
      words.writtenBy(citation.author, time(citation.date))];
    return [citation.title || citation.document, ...where].filter(Boolean).join(" · ");
  }
  if (citation.kind === "record") return [citation.title || citation.record?.replaceAll("_", " "), citation.id].filter(Boolean).join(" · ");
  return citation.title || words.statement;
}

function plainArguments(value) {
  return Object.entries(value || {}).map(([name, v]) => `${name}=${typeof v === "string" ? v : JSON.stringify(v)}`).join(", ");
}
