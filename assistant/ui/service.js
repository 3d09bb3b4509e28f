// Talking to the service: JSON calls, problems as errors with one sentence, and the event stream of an answer.

export class Problem extends Error {
  constructor(status, sentence, retryAfterS = 0) {
    super(sentence);
    this.status = status;
    this.retryAfterS = retryAfterS;
  }
}

async function problemOf(response) {
  let sentence = "The service did not answer as expected.";
  try { sentence = (await response.json()).detail || sentence; } catch { /* not JSON: keep the sentence */ }
  return new Problem(response.status, sentence, Number(response.headers.get("retry-after")) || 0);
}

export async function call(path, { method = "GET", body, signal } = {}) {
  const options = { method, signal, headers: { accept: "application/json" }, credentials: "same-origin" };
  if (body !== undefined) {
    options.headers["content-type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  const response = await fetch(path, options);
  if (!response.ok) throw await problemOf(response);
  return response.status === 204 ? null : response.json();
}

/** A cited page: its picture, the marks in it (fractions), how surely the passage was found, and the page count. */
export async function pagePicture(document, revision, page, highlight, longestPx, signal) {
  const query = new URLSearchParams({ highlight, longest_px: String(longestPx) });
  const path = ["/api/sources", document, revision, `${page}.png`].map((part, i) => (i ? encodeURIComponent(part) : part)).join("/");
  const response = await fetch(`${path}?${query}`, { signal, credentials: "same-origin" });
  if (!response.ok) throw await problemOf(response);
  const marks = (response.headers.get("x-andon-marks") || "").split(";").filter(Boolean).map((m) => m.split(",").map(Number));
  return {
    picture: await response.blob(),
    marks,
    found: response.headers.get("x-andon-found") || "",
    pages: Number(response.headers.get("x-andon-pages")) || page,
  };
}

/** Ask and report each event as (name, data); resolves with the answer. Throws Problem, or a TypeError when the line is cut. */
export async function askStream(body, onEvent, signal) {
  const response = await fetch("/api/ask/stream", {
    method: "POST", signal, credentials: "same-origin",
    headers: { "content-type": "application/json", accept: "text/event-stream" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw await problemOf(response);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let pending = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new TypeError("the stream ended early");
    pending += value;
    for (let end = pending.indexOf("\n\n"); end >= 0; end = pending.indexOf("\n\n")) {
      const event = parsed(pending.slice(0, end));
      pending = pending.slice(end + 2);
      if (!event) continue;
      if (event.name === "problem") throw new Problem(event.data.status, event.data.detail);
      onEvent(event.name, event.data);
      if (event.name === "answer") return event.data;
    }
  }
}

function parsed(text) {
  let name = "message";
  const data = [];
  for (const line of text.split("\n")) {
    if (line.startsWith("event: ")) name = line.slice(7);
    else if (line.startsWith("data: ")) data.push(line.slice(6));
  }
  return data.length ? { name, data: JSON.parse(data.join("\n")) } : null;
}
