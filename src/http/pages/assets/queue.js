// The queue: one current card, keys and buttons that decide it, the next one laid open at once; what others do shows as it happens.
//
// A decision is shown before the service has answered: the card goes, the next one comes from what was fetched ahead. If the answer is no, the card
// comes back with the reason. The list never moves by itself: new cards wait behind a button.

import { call, fragment } from "./api.js";
import { label, on } from "./keys.js";
import { hear, listen } from "./live.js";
import { localize } from "./times.js";
import { ask, make, say, toast } from "./toast.js";

const { base, user } = document.body.dataset;
const me = `user:${user}`;
const decides = "decides" in document.body.dataset;
const desk = document.getElementById("desk");
const rows = document.getElementById("rows");
const pane = document.getElementById("pane");
const query = desk.dataset.query;
const AHEAD = 2;
const LINGER = 4000;
const PORTION = 50;

const opened = new Map(); // id -> the pane's HTML
const undoable = []; // what was decided here, newest last
const fresh = new Set(); // cards that came since
let current = rows.querySelector(".card");
let claimed = null;
let claiming = 0;
let lastPicked = null;
let more = document.getElementById("more");
let loading = null;

const cards = () => [...rows.querySelectorAll(".card")];
const rowOf = (id) => document.getElementById(`card-${id}`);
const past = { approve: "js.approved", reject: "js.rejected", escalate: "js.escalated", skip: "js.skipped" };
const nameOf = (actor) => (actor ?? "").replace(/^user:/, "");

/* ---- the current card ---- */

function show(html) {
  pane.innerHTML = html;
  localize(pane);
  label(pane);
  for (const mark of pane.querySelectorAll("mark[data-f]")) {
    mark.tabIndex = 0;
    mark.setAttribute("aria-describedby", `f-${mark.dataset.f}`);
  }
  pane.scrollTop = 0;
}

async function lay(id) {
  const known = opened.get(id);
  if (known) return known;
  const here = encodeURIComponent(desk.dataset.here);
  const asked = fragment(`/queue/${encodeURIComponent(id)}?part=pane&back=${here}`).then((part) => part?.html ?? null);
  opened.set(id, asked);
  const html = await asked;
  if (html === null) opened.delete(id);
  else opened.set(id, html);
  return html;
}

function ahead() {
  let next = current;
  for (let n = 0; n < AHEAD && next; n++) {
    next = next.nextElementSibling;
    if (next) void lay(next.dataset.id);
  }
  if (cards().length < 8) void loadMore();
}

async function choose(card, { focus = true } = {}) {
  current?.classList.remove("current");
  current?.querySelector(".open")?.removeAttribute("aria-current");
  current = card;
  if (!card) {
    show("");
    release();
    empty();
    return;
  }
  card.classList.add("current");
  card.querySelector(".open").setAttribute("aria-current", "true");
  if (focus) {
    if (document.body.classList.contains("zen")) pane.focus({ preventScroll: true });
    else card.querySelector(".open").focus({ preventScroll: true });
    card.scrollIntoView({ block: "nearest" });
  }
  const { id } = card.dataset;
  const known = opened.get(id);
  if (typeof known === "string") show(known);
  else {
    const html = await lay(id);
    if (current !== card) return;
    if (html !== null) show(html);
  }
  claimSoon(id);
  ahead();
}

function claimSoon(id) {
  clearTimeout(claiming);
  if (!decides) return;
  claiming = setTimeout(async () => {
    if (current?.dataset.id !== id) return;
    if (claimed && claimed !== id) release();
    const { ok, data } = await call("POST", "/v1/queue/claims", { items: [id] });
    if (ok && data.claimed.includes(id)) claimed = id;
  }, 400);
}

function release() {
  if (!claimed) return;
  void call("POST", "/v1/queue/claims", { items: [claimed], release: true }, { keepalive: true });
  claimed = null;
}
addEventListener("pagehide", release);

function empty() {
  document.getElementById("empty").hidden = cards().length > 0;
}

/** More of the list, once at a time. */
function loadMore() {
  if (!more) return Promise.resolve();
  loading ||= (async () => {
    const url = new URL(more.href);
    const part = await fragment(`/queue/rows${url.search}`);
    loading = null;
    if (!part) return;
    add(part.html);
    if (part.next) {
      url.search = query ? `?${query}` : "";
      url.searchParams.set("after", decodeURIComponent(part.next));
      more.href = url.href;
    } else {
      more.closest("p").remove();
      more = null;
    }
  })();
  return loading;
}

/** Puts rows where their priority says; returns those that are new. */
function add(html) {
  const found = new DOMParser().parseFromString(`<ol>${html}</ol>`, "text/html").querySelectorAll(".card");
  const added = [];
  for (const parsed of found) {
    const card = document.importNode(parsed, true);
    const old = rowOf(card.dataset.id);
    if (old) {
      card.classList.toggle("current", old === current);
      const picked = old.querySelector("input")?.checked;
      old.replaceWith(card);
      if (picked) card.querySelector("input").checked = true;
      if (old === current) current = card;
    } else {
      place(card);
      added.push(card);
    }
    localize(card);
  }
  empty();
  return added;
}

function place(card) {
  const before = cards().find((other) => {
    const [a, b] = [Number(card.dataset.priority), Number(other.dataset.priority)];
    return a > b || (a === b && card.dataset.id < other.dataset.id);
  });
  rows.insertBefore(card, before ?? null);
}

const move = (step) => {
  if (!current) return choose(rows.querySelector(".card"));
  const next = step > 0 ? current.nextElementSibling : current.previousElementSibling;
  if (next) return choose(next);
  if (step > 0) return loadMore().then(() => (current.nextElementSibling ? choose(current.nextElementSibling) : toast(say("js.end"), { milliseconds: 2000 })));
};
on("next", () => move(1));
on("previous", () => move(-1));

rows.addEventListener("click", (event) => {
  const card = event.target.closest(".card");
  if (!card || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (event.target.matches("input")) return picked(event.target, false);
  // On a phone the card has a page of its own.
  if (getComputedStyle(pane).display === "none") return;
  event.preventDefault();
  void choose(card);
});

/* ---- deciding ---- */

function filledIn() {
  const form = pane.querySelector("form.decide");
  const read = (name) => form?.elements[name]?.value?.trim() || undefined;
  return { reason: read("reason"), note: read("note") };
}

/** Whether the newsroom wants a reason or a note that is not there; then the fields are shown. */
function lacks(action, { reason, note }) {
  const { reason: needsReason, note: needsNote } = document.body.dataset;
  const lacking = action === "reject" && ((needsReason !== undefined && !reason) || (needsNote !== undefined && !note));
  if (lacking) {
    withReason();
    toast(say("js.reason-needed"), { milliseconds: 3000 });
  }
  return lacking;
}

function withReason() {
  const details = pane.querySelector("details.with");
  if (!details) return;
  details.open = true;
  details.querySelector("select, input, textarea")?.focus();
}
on("reject-with", withReason);

/** Takes a card away, lays the next one open, asks the service; brings it back if the answer is no. */
async function decide(action, whole = false) {
  const card = current;
  if (!card || card.classList.contains("gone")) return toast(say("js.nothing-open"), { milliseconds: 2000 });
  if (!decides) return;
  const selected = picks();
  if (selected.length && !whole) return decideAll(action, selected);
  const extra = filledIn();
  if (lacks(action, extra)) return;
  const { id, version, kind, campaign, site } = card.dataset;
  const body = { action, ...extra };
  if (kind === "campaign") {
    Object.assign(body, { item: id, version: Number(version), except: [...pane.querySelectorAll("[data-except]:checked")].map((box) => box.value) });
  } else if (whole) {
    const of = pane.querySelector("[data-campaign-link]")?.href.split("/").pop();
    if (!of) return toast(say("js.not-a-campaign"), { milliseconds: 3000 });
    Object.assign(body, { campaign: campaign || decodeURIComponent(of), site });
  } else {
    Object.assign(body, { item: id, version: Number(version) });
  }
  const next = card.nextElementSibling ?? card.previousElementSibling;
  const html = opened.get(id);
  if (claimed === id) claimed = null;
  card.remove();
  opened.delete(id);
  void choose(next);
  bump(-1);
  const { ok, status, data } = await call("POST", "/v1/decisions", body);
  if (ok) {
    const entry = { ids: [data.id], card };
    undoable.push(entry);
    toast(`${say(past[action])} · ${say("js.comments", { n: data.comments })}`, { undo: () => undo(entry) });
    return;
  }
  bump(1);
  if (typeof html === "string") opened.set(id, html);
  comeBack(card, status, data);
}

/** A card whose decision was refused stands where it stood, and says why. */
function comeBack(card, status, data) {
  if (rowOf(card.dataset.id)) return;
  place(card);
  empty();
  const state = data?.item;
  let why = status ? say("js.failed", { why: data?.detail ?? status }) : say("js.offline");
  if (status === 409 && state) {
    if (state.decision) why = say("js.conflict", { by: nameOf(state.decision.actor), what: say(past[state.decision.action] ?? "js.approved") });
    else if (state.claimed_by && state.claimed_by !== me) why = say("js.held-by", { by: nameOf(state.claimed_by) });
    else {
      why = say("js.changed");
      void renew(card.dataset.id);
    }
  }
  note(card, why);
  toast(why, { error: true });
  if (state && state.open === false) leave(card);
  else void choose(card);
}

function note(card, text) {
  const line = card.querySelector(".note-line");
  if (!line) return;
  line.textContent = text;
  line.hidden = false;
}

/** A card that somebody else has dealt with stays for a moment. */
function leave(card) {
  card.classList.add("gone");
  opened.delete(card.dataset.id);
  if (card === current) {
    for (const button of pane.querySelectorAll("form.decide button")) button.disabled = true;
    const banner = pane.querySelector(".conflict");
    const text = card.querySelector(".note-line")?.textContent;
    if (banner && text) {
      banner.textContent = text;
      banner.hidden = false;
    }
  }
  setTimeout(() => {
    if (!card.isConnected || !card.classList.contains("gone")) return;
    if (card === current) void choose(card.nextElementSibling ?? card.previousElementSibling, { focus: false });
    card.remove();
    empty();
  }, LINGER);
}

async function undo(entry) {
  const last = entry ?? undoable[undoable.length - 1];
  if (!last) return toast(say("js.nothing-to-undo"), { milliseconds: 3000 });
  const at = undoable.indexOf(last);
  if (at < 0) return;
  undoable.splice(at, 1);
  while (last.ids.length) {
    const { ok, status, data } = await call("POST", `/v1/decisions/${last.ids[last.ids.length - 1]}/undo`);
    if (!ok) {
      undoable.push(last);
      return toast(say(status ? "js.failed" : "js.offline", { why: data?.detail ?? status }), { error: true });
    }
    last.ids.pop();
  }
  toast(say("js.undone"), { milliseconds: 3000 });
  if (!last.card) return void renewAll();
  await renew(last.card.dataset.id);
  const back = rowOf(last.card.dataset.id);
  if (back) void choose(back);
}
on("undo", () => undo());

on("approve", () => decide("approve"));
on("reject", () => decide("reject"));
on("escalate", () => decide("escalate"));
on("skip", () => decide("skip"));
on("approve-campaign", () => decide("approve", true));
on("reject-campaign", () => decide("reject", true));

pane.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.matches("form.decide")) {
    event.preventDefault();
    void decide(event.submitter?.value ?? "approve", form.closest(".pane-card")?.dataset.kind === "campaign");
  } else if (form.matches("form.note-form")) {
    event.preventDefault();
    const { kind, site, subject, text } = Object.fromEntries(new FormData(form));
    const { ok, data } = await call("POST", "/v1/notes", { kind, site, subject, text });
    if (!ok) return toast(say("js.failed", { why: data?.detail ?? "" }), { error: true });
    toast(say("js.noted"), { milliseconds: 3000 });
    const card = current;
    opened.delete(card.dataset.id);
    await choose(card);
  }
});

/* ---- selections ---- */

const picks = () => [...rows.querySelectorAll(".card > input:checked")].map((box) => box.closest(".card"));

function picked(box, range) {
  const all = cards();
  const at = all.indexOf(box.closest(".card"));
  if (range && lastPicked?.isConnected) {
    const from = all.indexOf(lastPicked);
    for (const card of all.slice(Math.min(from, at), Math.max(from, at) + 1)) card.querySelector("input").checked = true;
  }
  lastPicked = box.closest(".card");
  count();
}

function count() {
  const n = picks().length;
  document.getElementById("bulk-bar")?.classList.toggle("on", n > 0);
  const place = document.getElementById("picked");
  if (place) place.textContent = n ? say("js.picked", { n }) : say("js.none-picked");
}

on("select", () => {
  const box = current?.querySelector("input");
  if (!box) return;
  box.checked = !box.checked;
  picked(box, false);
});
on("select-range", () => {
  const box = current?.querySelector("input");
  if (!box) return;
  box.checked = true;
  picked(box, true);
});

document.getElementById("bulk")?.addEventListener("submit", (event) => {
  const selected = picks();
  if (!selected.length) return;
  event.preventDefault();
  void decideAll(event.submitter.value, selected);
});

/** Decides a selection after a question with a sample; each site and portion is a decision, all undone together. */
async function decideAll(action, selected) {
  const comments = selected.reduce((sum, card) => sum + Number(card.dataset.size), 0);
  const sample = selected.slice(0, 5).map((card) => make("li", { dir: "auto" }, card.querySelector(".text").textContent));
  const reason = make("input", { name: "reason", maxlength: "100", autocomplete: "off" });
  const title = `${say(`key.${action}`)}: ${say("js.picked", { n: selected.length })}, ${say("js.comments", { n: comments })}`;
  const bar = make("progress", { hidden: true, max: String(selected.length), value: "0", "aria-label": title });
  const fields = [make("ul", {}, ...sample)];
  const options = pane.querySelector("form.decide [name=reason]");
  const why = options ? options.cloneNode(true) : reason;
  if (options) fields.push(make("label", {}, options.closest("label").firstChild.textContent, why));
  const sure = await ask(title, [...fields, bar], [{ text: say(`key.${action}`), value: "yes", primary: true }, { text: say("js.close"), value: "" }]);
  if (sure !== "yes") return;
  const groups = Map.groupBy ? Map.groupBy(selected, (card) => card.dataset.site) : new Map(selected.map((card) => [card.dataset.site, selected.filter((other) => other.dataset.site === card.dataset.site)]));
  const entry = { ids: [], card: null };
  const busy = toast(say("js.progress", { done: 0, all: selected.length }), { milliseconds: 60_000 });
  let done = 0;
  for (const group of groups.values()) {
    for (let at = 0; at < group.length; at += PORTION) {
      const portion = group.slice(at, at + PORTION);
      const items = portion.map((card) => ({ id: card.dataset.id, version: Number(card.dataset.version) }));
      const { ok, status, data } = await call("POST", "/v1/decisions", { action, items, reason: why.value.trim() || undefined });
      if (!ok) {
        toast(say(status ? "js.failed" : "js.offline", { why: data?.detail ?? status }), { error: true });
        continue;
      }
      entry.ids.push(data.id);
      done += portion.length;
      busy.firstChild.textContent = say("js.progress", { done, all: selected.length });
      if (portion.includes(current)) void choose(cards().find((card) => !selected.includes(card)) ?? null);
      for (const card of portion) card.remove();
    }
  }
  busy.remove();
  count();
  empty();
  ahead();
  if (!entry.ids.length) return;
  undoable.push(entry);
  toast(`${say(past[action])} · ${say("js.picked", { n: done })}`, { undo: () => undo(entry), milliseconds: 15_000 });
}

/* ---- the rest of the keys ---- */

on("zen", () => {
  const zen = document.body.classList.toggle("zen");
  for (const button of document.querySelectorAll('[data-key="zen"]')) {
    button.setAttribute("aria-pressed", String(zen));
    button.textContent = say(zen ? "js.zen-off" : "js.zen-on");
  }
  sessionStorage.setItem("zen", zen ? "1" : "");
  if (zen) pane.focus({ preventScroll: true });
  else current?.querySelector(".open").focus();
});
on("why", () => {
  const why = pane.querySelector("details.why");
  if (!why) return;
  why.open = !why.open || why.getBoundingClientRect().top > pane.getBoundingClientRect().bottom;
  if (why.open) why.scrollIntoView({ block: "nearest" });
});
on("note", () => {
  const notes = pane.querySelector("details.notes");
  if (!notes) return;
  notes.open = true;
  notes.querySelector("textarea")?.focus();
});
on("open", () => current && (location.href = current.querySelector(".open").href));
on("open-campaign", () => {
  if (!current) return;
  const { campaign, site } = current.dataset;
  const link = pane.querySelector("[data-campaign-link]")?.href ?? (campaign && `${base}/campaigns/${encodeURIComponent(site)}/${encodeURIComponent(campaign)}`);
  if (link) location.href = link;
  else toast(say("js.not-a-campaign"), { milliseconds: 3000 });
});
on("refresh", renewAll);

/* ---- what others do ---- */

/** Reads a card's row anew; takes it out of the list where it does not fit any more. */
async function renew(id) {
  opened.delete(id);
  const part = await fragment(`/queue/rows?${query}${query ? "&" : ""}id=${encodeURIComponent(id)}`);
  if (!part) return;
  const before = rowOf(id);
  if (!part.html.trim()) {
    if (before && before !== current) before.remove();
    return empty();
  }
  add(part.html);
  if (current?.dataset.id === id) {
    const html = await lay(id);
    if (current?.dataset.id === id && html !== null && !pane.contains(document.activeElement?.closest("textarea, input") ?? null)) show(html);
  }
}

async function renewAll() {
  const wanted = [...fresh];
  fresh.clear();
  offer();
  if (wanted.length > 20 || !wanted.length) {
    const part = await fragment(`/queue/rows?${query}`);
    if (part) add(part.html);
  } else {
    await Promise.all(wanted.map(renew));
  }
  if (!current) void choose(rows.querySelector(".card"));
  empty();
}

function offer() {
  const button = document.getElementById("fresh");
  button.hidden = fresh.size === 0;
  button.textContent = say("js.fresh", { n: fresh.size });
}

let counting = 0;
function bump(by) {
  for (const place of document.querySelectorAll('[data-count="all"]')) place.textContent = Math.max(0, Number(place.textContent.replace(/\D/g, "")) + by);
  recount();
}
function recount() {
  counting ||= setTimeout(async () => {
    counting = 0;
    const { ok, data } = await call("GET", "/queue/counts");
    if (!ok) return;
    for (const place of document.querySelectorAll("[data-count]")) place.textContent = data[place.dataset.count] ?? place.textContent;
  }, 500);
}

hear("queue.opened", ({ item }) => {
  recount();
  if (rowOf(item)) return void renew(item);
  fresh.add(item);
  offer();
  if (!cards().length) void renewAll();
});
hear("queue.changed", ({ item }) => {
  opened.delete(item);
  if (rowOf(item)) void renew(item);
});
hear("queue.closed", ({ item }) => {
  recount();
  fresh.delete(item);
  offer();
  const card = rowOf(item);
  // The decision that closed it comes right after: it names who and what.
  if (card) setTimeout(() => card.isConnected && leave(card), 100);
});
hear("decision", ({ actor, action, items }) => {
  if (actor === me) return;
  for (const item of items ?? []) {
    const card = rowOf(item);
    if (!card) continue;
    note(card, say("js.by", { what: say(past[action] ?? "js.approved"), by: nameOf(actor) }));
    if (action === "skip" || action === "escalate") void renew(item);
  }
});
hear("decision.undone", () => recount());

function claim(item, by, until) {
  opened.delete(item);
  const others = by && by !== me;
  for (const place of [rowOf(item), pane.querySelector(`.pane-card[data-id="${CSS.escape(item)}"]`)]) {
    const chip = place?.querySelector("[data-claim]");
    if (!chip) continue;
    chip.hidden = !by || (by === me && place.matches(".card"));
    const time = until ? new Intl.DateTimeFormat(undefined, { timeStyle: "short" }).format(new Date(until)) : "";
    const who = by === me ? say("js.mine") : say("js.with", { by: nameOf(by) });
    chip.textContent = by ? `${who} – ${time}` : "";
  }
  if (others && current?.dataset.id === item) toast(say("js.held-by", { by: nameOf(by) }), { milliseconds: 4000 });
}
hear("queue.claimed", ({ item, by, until }) => claim(item, by, until));
hear("queue.released", ({ item }) => claim(item, null));

/* ---- begin ---- */

if (sessionStorage.getItem("zen")) document.querySelector('[data-key="zen"]')?.click();
if (current) {
  if (pane.firstElementChild) {
    opened.set(current.dataset.id, pane.innerHTML);
    show(pane.innerHTML);
  }
  void choose(current, { focus: false });
}
count();
listen();
