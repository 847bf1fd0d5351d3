// Follows /pictures and draws each. Everything the guard says is set as text, never as markup.
"use strict";

const SVG = "http://www.w3.org/2000/svg";
const SILENT_AFTER_MS = 5000;
const byId = (id) => document.getElementById(id);
let heardAt = 0;
let last = null;

function made(tag, css, text) {
  const node = document.createElement(tag);
  if (css) node.className = css;
  if (text !== undefined) node.textContent = text;
  return node;
}

function drawn(tag, css, attributes, text) {
  const node = document.createElementNS(SVG, tag);
  node.setAttribute("class", css);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

// A moment in words: 40 s, 12 min, 3.2 h.
function span(seconds) {
  if (seconds === null || seconds === undefined) return "never";
  if (seconds < 100) return `${Math.round(seconds)} s`;
  return seconds < 6000 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

const percent = (text) => (text === null || text === undefined ? "unknown" : `${Number(text).toFixed(2)} %`);
const price = (text) => (text === null || text === undefined ? "none" : text);
const readable = (name) => String(name).replaceAll("_", " ");

// Guarding is good; a guard that does not see or does not act is bad; the rest is on its way.
function moodOf(state) {
  if (state.mode !== "guarding") return ["blind", "stopped"].includes(state.mode) ? "bad" : "warn";
  return (state.positions ?? []).some((each) => moodOfPosition(each) === "bad") ? "bad" : "good";
}

function modeWords(state) {
  const held = state.positions ?? [];
  const endangered = held.filter((each) => moodOfPosition(each) === "bad").length;
  return endangered ? `${readable(state.mode)}, ${endangered} of ${held.length} in danger` : readable(state.mode);
}

function moodOfPosition(position) {
  if (["critical", "emergency"].includes(position.tier)) return "bad";
  const stage = position.protection ? position.protection.stage : "";
  if (!["proved", "not_needed"].includes(stage)) return "bad";
  return position.degraded.length || ["watch", "warn"].includes(position.tier) ? "warn" : "good";
}

// Where liquidation, stop, mark and entry lie to one another, drawn to scale; their figures stand below.
function rail(position) {
  const points = [["liquidation", position.liquidation_price], ["stop", position.stop_trigger],
    ["entry", position.entry_price], ["mark", position.mark_price]]
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => ({ name, value: Number(value), shown: value }));
  const low = Math.min(...points.map((each) => each.value));
  const high = Math.max(...points.map((each) => each.value));
  const x = (value) => 50 + (high > low ? ((value - low) / (high - low)) * 900 : 450);
  const words = points.map((each) => `${each.name} ${each.shown}`).join(", ");
  const svg = drawn("svg", "", { viewBox: "0 0 1000 64", preserveAspectRatio: "none", role: "img", "aria-label": words });
  svg.append(drawn("line", "rail", { x1: 50, x2: 950, y1: 32, y2: 32 }));
  points.forEach((each) => svg.append(drawn("line", each.name, { x1: x(each.value), x2: x(each.value), y1: 20, y2: 44 })));
  return svg;
}

function labels(position) {
  const list = made("p", "figures");
  const add = (css, text) => list.append(made("span", css, text));
  add("mark", `mark ${price(position.mark_price)}`);
  add("stop", `stop ${price(position.stop_trigger)}`);
  add("liquidation", `liquidation ${price(position.liquidation_price)}`);
  add("entry", `entry ${price(position.entry_price)}`);
  add("", `room ${percent(position.room_percent)}`);
  return list;
}

function positionCard(position) {
  const card = made("article", `position ${moodOfPosition(position)}`);
  const title = made("h3");
  title.append(made("span", "", position.symbol), made("span", "", `${position.side ?? ""} ${position.quantity}`));
  title.append(made("span", "soft", `tier ${position.tier}`), made("span", "soft", protection(position)));
  card.append(title, rail(position), labels(position));
  position.degraded.forEach((each) => card.append(made("p", "", `degraded: ${readable(each)}`)));
  return card;
}

function protection(position) {
  const proof = position.protection;
  if (!proof) return "";
  const naked = proof.naked_for_s === undefined ? "" : ` for ${span(proof.naked_for_s)}`;
  return `protection ${readable(proof.stage)}${naked}`;
}

function troubles(state) {
  const lines = (state.degraded ?? []).map((each) => `${readable(each.state)}, for ${span(each.for_s)}`);
  (state.latches ?? []).forEach((each) => lines.push(`latched: ${each.name}, ${each.cause}; to lift it: ${each.lift}`));
  (state.bots ?? []).filter((each) => each.standing === "silent").forEach((each) => lines.push(`bot ${each.bot} is silent, for ${span(each.silent_for_s)}`));
  (state.may_exist ?? []).forEach((each) => lines.push(`may still take effect: ${each.kind} ${each.client_order_id}`));
  if (state.pause) lines.push(`${state.pause.kind === "pause" ? "paused: only what a person asks for is sent" : "in shadow: nothing is sent"}, for ${span(state.pause.left_s)} more, by ${state.pause.who}`);
  if (state.observe) lines.push("observing: nothing is sent to the exchange");
  return lines;
}

function fill(id, nodes, otherwise) {
  byId(id).replaceChildren(...(nodes.length ? nodes : [made("li", "soft", otherwise)]));
}

function facts(state) {
  const rows = [];
  for (const [name, feed] of Object.entries(state.feeds ?? {})) {
    rows.push([`${name} stream`, `${feed.live ? "live" : `lost (${feed.reason ?? ""})`}, ${span(feed.age_s)} old`]);
  }
  if (state.switch) {
    const countdown = state.switch.expires_in_s === undefined ? "" : `, fires in ${span(state.switch.expires_in_s)} if not fed`;
    rows.push(["dead man's switch", `${state.switch.state} (mode ${state.switch.mode})${countdown}`]);
  }
  if (state.budget) rows.push(["request budget", `${state.budget.tokens} of ${state.budget.capacity}, reserve ${state.budget.reserve}`]);
  if (state.journal) rows.push(["journal", state.journal.problem || `${state.journal.records} records`]);
  rows.push(["up for", span(state.uptime_s)], ["version", state.version]);
  return rows.flatMap(([name, value]) => [made("dt", "", name), made("dd", "", value)]);
}

function draw(picture) {
  const state = picture.state;
  const problem = byId("problem");
  problem.hidden = !picture.problem;
  const memory = state ? ` What follows is ${span(picture.age_s)} old: a memory.` : "";
  problem.textContent = picture.problem ? `No guard answers: ${picture.problem}.${memory}` : "";
  byId("main").className = picture.problem ? "memory" : "";
  byId("age").textContent = picture.age_s === null ? "" : `${span(picture.age_s)} old`;
  if (!state) return headline("no guard", "bad");
  const isBlind = ["starting", "blind"].includes(state.mode);
  headline(picture.problem ? "no answer" : modeWords(state), picture.problem ? "bad" : moodOf(state));
  byId("who").textContent = `account ${state.account ?? "unknown"} on ${state.venue}`;
  if (isBlind) byId("main").className = "memory";
  fill("troubles", troubles(state).map((each) => made("li", "", each)), "nothing that the guard knows of");
  const cards = (state.positions ?? []).map(positionCard);
  byId("positions").replaceChildren(...(cards.length ? cards : [made("p", "soft", state.positions ? "no open positions" : "nothing is known of the account yet, and nothing is guarded")]));
  fill("alerts", alertLines(picture.alerts), "none stand");
  byId("guard").replaceChildren(...facts(state));
}

function alertLines(alerts) {
  const standing = Array.isArray(alerts) ? alerts : alerts?.alerts ?? [];
  return standing.map((each) => made("li", "", [each.level ?? each.severity, each.title ?? each.text].filter(Boolean).join(": ")));
}

// The tab itself says it: who has twenty tabs open sees the one that matters.
function headline(words, mood) {
  const pill = byId("mode");
  pill.textContent = words;
  pill.className = `pill ${mood}`;
  document.title = `${mood === "bad" ? "(!) " : ""}${words} - Seawall`;
}

function take(event) {
  heardAt = Date.now();
  last = JSON.parse(event.data);
  draw(last);
}

// A page that shows an old picture as if it were new is worse than none.
function watch() {
  if (Date.now() - heardAt < SILENT_AFTER_MS) return;
  draw({ problem: "this page has lost its own server", age_s: heardAt ? (Date.now() - heardAt) / 1000 : null,
    state: last?.state ?? null, alerts: last?.alerts ?? null });
}

heardAt = Date.now();
new EventSource("/pictures").onmessage = take;
setInterval(watch, 1000);
