// Asks for one picture after the other and draws each. Everything the guard says is set as text, never as markup.
"use strict";

const SVG = "http://www.w3.org/2000/svg";
const LOST_AFTER_MS = 10000; // longer than a guard that hangs keeps its page's server waiting
const AGAIN_AFTER_MS = 1000;
const byId = (id) => document.getElementById(id);
const heard = { atMs: Date.now(), ageS: null, problem: "", isDrawn: false };

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

const MOODS = ["bad", "warn", "good"];
const endangered = (state) => (state.positions ?? []).filter((each) => moodOfPosition(each) === "bad");

// Guarding with nothing wrong is good; a guard that does not see or does not act is bad; the rest deserves a look.
function moodOf(state) {
  if (["waiting_for_venue", "blind", "stopped"].includes(state.mode) || endangered(state).length) return "bad";
  return state.mode !== "guarding" || troubles(state).length ? "warn" : "good";
}

function modeWords(state) {
  const words = [readable(state.mode)];
  if (state.pause) words.push(state.pause.kind === "pause" ? "paused" : "in shadow");
  if (state.observe) words.push("observing");
  const few = endangered(state).length;
  if (few) words.push(`${few} of ${state.positions.length} in danger`);
  return words.join(", ");
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
  add("liquidation", `liquidation ${position.liquidation_price ?? readable(position.liquidation)}`);
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

const NOT_GUARDING = {
  waiting_for_venue: "it waits for the exchange: nothing is known of the account, and nothing is guarded",
  starting: "it begins, and does not see the exchange yet",
  syncing: "it sees the exchange, and reads the account before it acts",
  blind: "it cannot see, or cannot act: what rests at the exchange protects",
  stopping: "it is being stopped: stops that rest stay",
  stopped: "it is stopped: stops that rest stay",
};

function troubles(state) {
  const said = state.pause ? ["paused"] : []; // with more words below
  const lines = (state.degraded ?? []).filter((each) => !said.includes(each.state)).map((each) => `${readable(each.state)}, for ${span(each.for_s)}`);
  if (state.mode !== "guarding") lines.unshift(NOT_GUARDING[state.mode] ?? readable(state.mode));
  (state.latches ?? []).forEach((each) => lines.push(`latched: ${each.name}, ${each.cause}; to lift it: ${each.lift}`));
  (state.bots ?? []).filter((each) => each.standing === "silent").forEach((each) => lines.push(`bot ${each.bot} is silent, for ${span(each.silent_for_s)}`));
  (state.may_exist ?? []).forEach((each) => lines.push(`may still take effect: ${each.kind} ${each.client_order_id}`));
  if (state.pause) lines.push(`${state.pause.kind === "pause" ? "paused: only what a person asks for is sent" : "in shadow: nothing is sent"}, for ${span(state.pause.left_s)} more, by ${state.pause.who}`);
  if (state.observe) lines.push("observing: nothing is sent to the exchange");
  (state.rules ?? []).forEach((rule) => rule.broken.forEach((each) => lines.push(`rule ${rule.rule}: ${each.text}`)));
  if (state.journal?.problem) lines.push(`journal: ${state.journal.problem}`);
  if (state.settings?.problem) lines.push(`the newest settings are not in force: ${state.settings.problem}`);
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

// What is nearest to harm stands first.
function byDanger(one, other) {
  const room = (position) => Number(position.room_percent ?? Infinity);
  const moods = MOODS.indexOf(moodOfPosition(one)) - MOODS.indexOf(moodOfPosition(other));
  return moods || (room(one) === room(other) ? 0 : room(one) - room(other));
}

function drawState(state, alerts) {
  byId("who").textContent = `account ${state.account ?? "unknown"} on ${state.venue}`;
  fill("troubles", troubles(state).map((each) => made("li", "", each)), "nothing that the guard knows of");
  const cards = [...(state.positions ?? [])].sort(byDanger).map(positionCard);
  byId("positions").replaceChildren(...(cards.length ? cards : [made("p", "soft", state.positions ? "no open positions" : "nothing is known of the account yet, and nothing is guarded")]));
  byId("positions").className = ["starting", "syncing", "blind"].includes(state.mode) ? "memory" : "";
  fill("alerts", (alerts?.alerts ?? []).map(alertLine), "none stand");
  byId("guard").replaceChildren(...facts(state));
}

function alertLine(alert) {
  const line = made("li", "", "");
  line.append(made("strong", "", alert.title), made("p", "", alert.text));
  const by = alert.is_acknowledged ? `, acknowledged by ${alert.acknowledged_by}` : "";
  line.append(made("p", "soft", `since ${new Date(alert.since).toLocaleString()}${by}. ${alert.you_can}`));
  return line;
}

// The tab itself says it: who has twenty tabs open sees the one that matters.
function headline(words, mood) {
  const pill = byId("mode");
  pill.textContent = words;
  pill.className = `pill ${mood}`;
  document.title = `${mood === "bad" ? "(!) " : ""}${words} - Seawall`;
}

const ageS = () => (heard.ageS === null ? null : heard.ageS + Math.max(0, Date.now() - heard.atMs) / 1000);

// Why there is no news, above all else; what stands below it is a memory then, and looks like one.
function sayProblem(problem) {
  heard.problem = problem;
  byId("problem").hidden = !problem;
  byId("main").className = problem ? "memory" : "";
  if (problem) headline("no news", "bad");
  sayAge();
}

function sayAge() {
  byId("age").textContent = ageS() === null ? "" : `${span(ageS())} old`;
  const memory = heard.isDrawn ? ` What follows is ${span(ageS())} old: a memory.` : "";
  byId("problem").textContent = heard.problem ? `No news of the guard: ${heard.problem}.${memory}` : "";
}

function draw(picture) {
  if (picture.state) {
    drawState(picture.state, picture.alerts);
    Object.assign(heard, { atMs: Date.now(), ageS: picture.age_s, isDrawn: true });
    headline(modeWords(picture.state), moodOf(picture.state));
  }
  sayProblem(picture.problem);
}

async function pictureOf(route) {
  let answer;
  try {
    answer = await fetch(route, { cache: "no-store", signal: AbortSignal.timeout(LOST_AFTER_MS) });
    if (answer.ok) return await answer.json();
  } catch {
    throw new Error("this page has lost its own server");
  }
  throw new Error(`this page's own server answered ${answer.status}`);
}

// One request at a time, so that any number of tabs share the few connections that a browser opens to one server.
// The server holds each back for a second: a tab in the background, whose timers sleep, goes on all the same.
async function follow() {
  let route = "/picture";
  for (;;) {
    try {
      draw(await pictureOf(route));
      route = "/next";
    } catch (error) {
      sayProblem(error.name !== "Error" ? `this page cannot read its words (${error.message}); load it anew` : error.message);
      route = "/picture";
      await new Promise((done) => setTimeout(done, AGAIN_AFTER_MS));
    }
  }
}

// A page that shows an old picture as if it were new is worse than none: after a night's sleep of the machine as well.
function watch() {
  if (!heard.problem && Date.now() - heard.atMs > LOST_AFTER_MS) sayProblem("this page has lost its own server");
  else sayAge();
}

follow();
setInterval(watch, 1000);
