"use strict";

// The inspector of a sandbox. The server names the parts that changed, and the page asks for each of them anew. All that
// comes from there is set as text, never as markup.

const SHOWN = 200; // requests of the journal
const byId = (id) => document.getElementById(id);
const TABS = ["requests", "numbers", "trunks", "agents"];

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value != null) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child != null));
  return made;
}

// Asking the server

async function ask(path, method = "GET", body) {
  const options = { method, headers: {} };
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  const response = await fetch(path, options);
  if (response.status === 204) return null;
  const content = await response.json();
  if (!response.ok) throw new Error(content.error?.details ?? `${response.status} ${response.statusText}`);
  return content;
}

async function attempt(action) {
  try {
    await action();
    byId("error").hidden = true;
  } catch (error) {
    byId("error").textContent = `The sandbox did not answer as it should: ${error.message}`;
    byId("error").hidden = false;
  }
}

// A list that is drawn anew keeps the nodes of what stayed the same, and marks those that did not

const drawn = new Map();

function draw(parent, items, keyOf, build) {
  const before = drawn.get(parent);
  const after = new Map();
  items.forEach((item, index) => {
    const key = keyOf(item);
    const content = JSON.stringify(item);
    const old = before?.get(key);
    const node = old?.content === content ? old.node : build(item, old?.node);
    if (before && node !== old?.node) node.classList.add("changed");
    if (old && node !== old.node) old.node.replaceWith(node);
    after.set(key, { content, node });
    if (parent.children[index] !== node) parent.insertBefore(node, parent.children[index] ?? null);
  });
  while (parent.children.length > items.length) parent.lastChild.remove();
  drawn.set(parent, after);
  filter();
}

function count(tab, number) {
  byId(`tab-${tab}`).querySelector(".count").textContent = number;
}

// Requests

function journalEntry(entry, old) {
  const time = new Date(entry.arrived_at).toLocaleTimeString([], { hour12: false });
  const path = entry.query ? `${entry.path}?${entry.query}` : entry.path;
  const summary = element("summary", {},
    element("time", { datetime: entry.arrived_at }, time),
    element("span", { class: "method" }, entry.method),
    element("span", { class: "path" }, path),
    entry.fault ? element("span", { class: "fault" }, entry.fault) : element("span"),
    element("span", { class: `status ${tone(entry.status)}` }, statusOf(entry)),
    element("span", { class: "took" }, entry.seconds == null ? "" : `${(entry.seconds * 1000).toFixed(1)} ms`),
  );
  const details = element("details", {}, summary);
  details.addEventListener("toggle", () => details.open && attempt(() => showExchange(details, entry.serial)));
  const made = element("li", {}, details);
  if (old?.firstChild.open) details.open = true;
  return made;
}

function statusOf(entry) {
  if (entry.status != null) return String(entry.status);
  return entry.seconds == null ? "…" : "—";
}

function tone(status) {
  if (status == null || status >= 500) return "bad";
  return status >= 300 ? "warn" : "good";
}

async function showExchange(details, serial) {
  const found = await ask(`journal/${serial}`);
  const shown = element("div", { class: "exchange" },
    element("div", {}, element("h3", {}, "Request"), message(found.headers, found.body)),
    element("div", {}, element("h3", {}, "Answer"), answerOf(found)),
  );
  details.querySelector(".exchange")?.remove();
  details.append(shown);
}

function answerOf(found) {
  if (found.answer == null) {
    const none = found.status == null ? "None was sent." : "It is no longer kept.";
    return element("p", { class: "muted" }, found.seconds == null ? "None yet." : none);
  }
  const cut = found.answer.cut == null ? "" : `\n\n(cut after ${found.answer.cut} bytes)`;
  return message(found.answer.headers, found.answer.body, cut);
}

function message(headers, body, end = "") {
  const head = headers.map(([name, value]) => `${name}: ${value}`).join("\n");
  return element("pre", { tabindex: "0" }, head, body ? `\n\n${indented(body)}` : "", end);
}

function indented(body) {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

async function refreshJournal() {
  const journal = await ask(`journal?limit=${SHOWN}`);
  draw(byId("journal"), journal.entries.reverse(), (entry) => entry.serial, journalEntry);
  count("requests", journal.total + journal.dropped);
  await refreshHealth();
}

// Numbers, trunks, agents

const cell = (content, kind) => element("td", { class: kind }, ...[content].flat());
const agentName = (binding) => (binding?.bound ? binding.agent_name ?? binding.agent_uuid : "");

function numberRow(row) {
  const fee = row.billing?.monthly_fee;
  return element("tr", {},
    cell([row.number, element("small", {}, [row.type, row.location, row.country_code].filter(Boolean).join(", "))], "number"),
    cell(row.status ?? "", { active: "good", pending: "warn", inactive: "muted" }[row.status]),
    cell(fee == null ? "" : fee.toFixed(2), "figure"),
    cell(agentName(row.bindings.call)),
    cell(agentName(row.bindings.sms), "wide"),
    cell(agentName(row.bindings.whatsapp), "wide"),
    cell(row.phone_number_uuid, "mono wide"),
  );
}

function trunkRow(row) {
  const bound = Object.entries(row.bindings).filter(([, binding]) => binding.bound);
  return element("tr", {},
    cell(row.number, "number"),
    cell(bound.map(([channel]) => channel).join(", ")),
    cell(bound.map(([, binding]) => agentName(binding)).join(", ")),
    cell(row.updated_at ?? "", "wide"),
    cell(row.phone_number_uuid, "mono wide"),
  );
}

function agentRow(agent) {
  return element("tr", {},
    cell(agent.name),
    cell(agent.serves.map((one) => element("small", {}, `${one.number} (${one.channel})`))),
    cell(agent.agent_uuid, "mono"),
  );
}

let activation;

async function refreshInventory() {
  const inventory = await ask("inventory");
  const rowsOf = (tab) => byId(tab).querySelector("tbody");
  draw(rowsOf("numbers"), inventory.numbers, (row) => row.phone_number_uuid, numberRow);
  draw(rowsOf("trunks"), inventory.trunks, (row) => row.phone_number_uuid, trunkRow);
  draw(rowsOf("agents"), inventory.agents, (agent) => agent.agent_uuid, agentRow);
  for (const tab of ["numbers", "trunks", "agents"]) count(tab, inventory[tab].length);
  clearTimeout(activation);
  if (inventory.next_activation != null) {
    activation = setTimeout(() => refresh("inventory"), inventory.next_activation * 1000 + 50);
  }
  await refreshHealth();
}

// Faults

function pendingFault(line) {
  const where = [line.method ?? "any method", line.path ?? "any path"].join(", ");
  const often = line.times == null ? "every time" : `${line.times} more`;
  const later = [line.skip ? `after ${line.skip} more` : "", line.after_write ? "after a write" : ""].filter(Boolean);
  return element("li", {},
    element("code", {}, line.description),
    element("small", {}, [where, often, ...later].join("; ")),
  );
}

function scriptButton(script) {
  const button = element("button", { type: "button", "data-script": script.name },
    script.name, element("small", {}, script.meaning));
  button.addEventListener("click", () => attempt(() => ask("faults", "POST", { script: script.name })));
  return button;
}

async function refreshFaults() {
  const { faults, scripts } = await ask("faults");
  draw(byId("pending"), faults.map((line, index) => ({ ...line, index })), (line) => line.index, pendingFault);
  byId("pending").nextElementSibling.hidden = faults.length > 0;
  byId("clear-faults").hidden = faults.length === 0;
  draw(byId("scripts"), scripts, (script) => script.name, scriptButton);
}

// Variables, and what is not documented

async function refreshHealth() {
  const { variables, undocumented } = await ask("health");
  byId("variables").textContent = Object.entries(variables).map(([name, value]) => `export ${name}=${quoted(value)}`).join("\n");
  byId("undocumented").hidden = undocumented.length === 0;
  byId("undocumented").querySelector("ul").replaceChildren(...undocumented.map((one) => element("li", {}, one)));
}

const quoted = (value) => (/^[\w@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", `'"'"'`)}'`);

async function copy() {
  await navigator.clipboard.writeText(`${byId("variables").textContent}\n`);
  byId("copy").textContent = "Copied";
  setTimeout(() => { byId("copy").textContent = "Copy"; }, 1500);
}

// Tabs and the filter

function select(tab) {
  for (const name of TABS) {
    byId(name).hidden = name !== tab;
    byId(`tab-${name}`).setAttribute("aria-selected", name === tab);
    byId(`tab-${name}`).tabIndex = name === tab ? 0 : -1;
  }
  byId("clear-journal").hidden = tab !== "requests";
  filter();
}

function turn(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const now = TABS.findIndex((name) => !byId(name).hidden);
  const tab = TABS[(now + step + TABS.length) % TABS.length];
  location.hash = tab;
  byId(`tab-${tab}`).focus();
}

function filter() {
  const wanted = byId("filter").value.trim().toLowerCase();
  for (const name of TABS) {
    const panel = byId(name);
    const rows = [...panel.querySelectorAll("tbody > tr, ol > li")];
    for (const row of rows) {
      const text = (row.querySelector("summary") ?? row).textContent.toLowerCase();
      row.hidden = wanted !== "" && !text.includes(wanted);
    }
    panel.querySelector(".empty").hidden = rows.length > 0;
  }
}

// What changed

const REFRESH = { journal: refreshJournal, inventory: refreshInventory, faults: refreshFaults };
const underWay = new Set();
const wanted = new Set();

async function refresh(part) {
  wanted.add(part);
  if (underWay.has(part)) return;
  underWay.add(part);
  while (wanted.delete(part)) await attempt(REFRESH[part]);
  underWay.delete(part);
}

function watch() {
  const source = new EventSource("events");
  const show = (text, kind) => {
    byId("connection").textContent = text;
    byId("connection").className = kind;
  };
  source.addEventListener("open", () => show("live", "live"));
  source.addEventListener("error", () => show("not reachable", "lost"));
  source.addEventListener("change", (event) => event.data.split(" ").forEach(refresh));
}

const tabOfAddress = () => (TABS.includes(location.hash.slice(1)) ? location.hash.slice(1) : "requests");

for (const name of TABS) byId(`tab-${name}`).addEventListener("click", () => { location.hash = name; });
addEventListener("hashchange", () => select(tabOfAddress()));
document.querySelector("[role=tablist]").addEventListener("keydown", turn);
byId("filter").addEventListener("input", filter);
byId("copy").addEventListener("click", () => attempt(copy));
byId("clear-journal").addEventListener("click", () => attempt(() => ask("journal", "DELETE")));
byId("clear-faults").addEventListener("click", () => attempt(() => ask("faults", "DELETE")));
byId("reset").addEventListener("click", () => attempt(() => ask("reset", "POST")));
select(tabOfAddress());
watch();
