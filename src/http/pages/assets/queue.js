// The queue: one current card, keys and buttons that decide it, the next one laid open at once; what others do shows as it happens.
//
// A decision is shown before the service has answered: the card goes, the next one comes from what was fetched ahead. If the answer is no, the card
// comes back with the reason. The list never moves by itself: new cards wait behind a button.

import { call, fragment } from "./api.js";
import { label, on, typeAhead } from "./keys.js";
import { hear, listen } from "./live.js";
import { prepare } from "./marks.js";
import { localize } from "./times.js";
import { ask, make, many, say, toast } from "./toast.js";

const { base, user } = document.body.dataset;
const me = `user:${user}`;
const decides = "decides" in document.body.dataset;
const desk = document.getElementById("desk");
const rows = document.getElementById("rows");
const pane = document.getElementById("pane");
const query = desk.dataset.query;
// A card on a page of its own: the list is there, and out of sight.
const alone = "alone" in desk.dataset;
const leads = "leads" in document.body.dataset;
const AHEAD = 2;
const LINGER = 4000;
const PORTION = 50;

const opened = new Map(); // id -> the pane's HTML
const undoable = []; // what was decided here, newest last
const fresh = new Set(); // cards that came since
let current = rows.querySelector(".card");
let claimed = null;
let claiming = 0;
let renewing = 0;
let lastPicked = null;
let more = document.getElementById("more");
let loading = null;

const cards = () => [...rows.querySelectorAll(".card")];
const rowOf = (id) => document.getElementById(`card-${id}`);
const past = { approve: "js.approved", reject: "js.rejected", escalate: "js.escalated", skip: "js.skipped" };
const comments = (n) => many("js.comments", n);
const nameOf = (actor) => (actor ?? "").replace(/^user:/, "");

/* ---- the current card ---- */

/** The card that the pane shows, and nothing else: what is decided is what was seen. */
const shown = () => pane.querySelector(".pane-card[data-id]");

/** What somebody ticked and wrote in the pane. */
function filled() {
  return {
    id: shown()?.dataset.id,
    except: [...pane.querySelectorAll("[data-except]:checked, [data-except-kept]")].map((box) => box.value),
    reason: pane.querySelector("form.decide [name=reason]")?.value ?? "",
    note: pane.querySelector("form.decide [name=note]")?.value ?? "",
    text: pane.querySelector(".note-form textarea")?.value ?? "",
  };
}

// What was ticked and written and not sent yet, by card: kept while one goes about, through a refusal, and through a login.
const SHELF = `drafts:${user}`;
const drafts = new Map(Object.entries(JSON.parse(sessionStorage.getItem(SHELF) ?? "{}")));

function store() {
  sessionStorage.setItem(SHELF, JSON.stringify(Object.fromEntries(drafts)));
}
function keep() {
  const now = filled();
  if (!now.id) return;
  if (now.except.length || now.reason || now.note || now.text) drafts.set(now.id, now);
  else if (!drafts.delete(now.id)) return;
  store();
}
function forget(id) {
  if (drafts.delete(id)) store();
}
pane.addEventListener("input", keep);

function show(html, { isFirst = false } = {}) {
  // What the service has drawn is not somebody's having taken his draft away.
  if (!isFirst) keep();
  pane.removeAttribute("aria-busy");
  pane.innerHTML = html;
  const before = drafts.get(shown()?.dataset.id);
  if (before) {
    for (const id of before.except) {
      const box = pane.querySelector(`[data-except][value="${CSS.escape(id)}"]`);
      if (box) box.checked = true;
      else pane.querySelector("form.decide")?.append(make("input", { type: "hidden", name: "except", value: id, "data-except-kept": true }));
    }
    tellKept();
    const set = (selector, value) => {
      const field = pane.querySelector(selector);
      if (field && value) field.value = value;
    };
    set("form.decide [name=reason]", before.reason);
    set("form.decide [name=note]", before.note);
    set(".note-form textarea", before.text);
    if (before.reason || before.note) pane.querySelector("details.with")?.setAttribute("open", "");
    if (before.text) pane.querySelector("details.notes")?.setAttribute("open", "");
  }
  localize(pane);
  label(pane);
  prepare(pane);
  pane.scrollTop = 0;
  pane.dispatchEvent(new Event("laid"));
}

/** Goes to a field of the pane, which may still be on its way: what is typed meanwhile is meant for the field. */
async function into(find) {
  let typed = "";
  if (pane.hasAttribute("aria-busy")) {
    const { id } = current.dataset;
    const told = typeAhead();
    await new Promise((laid) => pane.addEventListener("laid", laid, { once: true }));
    typed = told();
    // Another card was laid open meanwhile, or none: the words were not meant for it.
    if (typed === null || shown()?.dataset.id !== id) return;
  }
  const field = find();
  field?.focus();
  if (!field || !typed || field.matches("select")) return;
  field.value += typed;
  keep();
}

/** What was left out further down than the members that are shown is told of, and can be taken back. */
function tellKept() {
  pane.querySelector(".kept")?.remove();
  const kept = [...pane.querySelectorAll("[data-except-kept]")];
  if (!kept.length) return;
  const clear = () => {
    for (const input of pane.querySelectorAll("[data-except-kept]")) input.remove();
    tellKept();
    keep();
  };
  const button = make("button", { type: "button", class: "plain", onclick: clear }, say("js.leave-none-out"));
  pane.querySelector("form.decide")?.append(make("p", { class: "kept dim", role: "status" }, many("js.also-left-out", kept.length), " ", button));
}

// More members are shown: what was left out of them is ticked, and not kept beside them.
pane.addEventListener("grown", () => {
  for (const input of pane.querySelectorAll("[data-except-kept]")) {
    const box = pane.querySelector(`[data-except][value="${CSS.escape(input.value)}"]`);
    if (!box) continue;
    box.checked = true;
    input.remove();
  }
  tellKept();
});

async function lay(id) {
  const known = opened.get(id);
  if (known) return known;
  const here = encodeURIComponent(desk.dataset.here);
  const asked = fragment(`/queue/${encodeURIComponent(id)}?part=pane${alone ? "&alone=1" : ""}&back=${here}`).then((part) => part?.html ?? null);
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
  keep();
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
  // So that the way back, and loading the page again, lead to this card.
  const place = { card: card.dataset.id, rows: cards().length };
  if (alone) history.replaceState(place, "", card.querySelector(".open").href);
  else history.replaceState(place, "");
  if (focus) {
    if (alone || document.body.classList.contains("zen")) pane.focus({ preventScroll: true });
    else card.querySelector(".open").focus({ preventScroll: true });
    card.scrollIntoView({ block: "nearest" });
  }
  const { id } = card.dataset;
  const known = opened.get(id);
  if (typeof known === "string") show(known);
  else {
    // Nothing may be decided that is not seen: the card before goes at once.
    pane.replaceChildren(make("p", { class: "empty" }, say("js.loading")));
    pane.setAttribute("aria-busy", "true");
    const html = await lay(id);
    if (current !== card) return;
    if (html === null) {
      pane.removeAttribute("aria-busy");
      const retry = make("button", { type: "button", onclick: () => choose(card) }, say("js.retry"));
      pane.dispatchEvent(new Event("laid"));
      return pane.replaceChildren(make("p", { class: "conflict", role: "alert" }, say("js.not-loaded"), " ", retry));
    }
    show(html);
  }
  claimSoon(id);
  ahead();
}

/** Whether somebody else has a card, or has dealt with it. */
const isTaken = (card) => card.classList.contains("gone") || card.querySelector("[data-claim]:not([hidden])") !== null;

/** The card to go on with after this one: the next that is free, else any. */
function following(card) {
  for (const step of ["nextElementSibling", "previousElementSibling"]) {
    for (let other = card[step]; other; other = other[step]) if (!isTaken(other)) return other;
  }
  return card.nextElementSibling ?? card.previousElementSibling;
}

function claimSoon(id) {
  clearTimeout(claiming);
  clearTimeout(renewing);
  // Where the card is not shown, nobody is at work on it.
  // What waits for a lead is looked at by others, and not taken.
  if (!decides || getComputedStyle(pane).display === "none" || !pane.querySelector("form.decide")) return;
  claiming = setTimeout(async () => {
    if (current?.dataset.id !== id || document.hidden) return;
    if (claimed && claimed !== id) release();
    const { ok, data } = await call("POST", "/v1/queue/claims", { items: [id] });
    if (!ok || !data.claimed.includes(id)) return;
    claimed = id;
    // Whoever still reads keeps it; whoever has gone loses it by itself.
    renewing = setTimeout(() => claimSoon(id), data.lease_seconds * 500);
  }, 400);
}
document.addEventListener("visibilitychange", () => !document.hidden && current && claimSoon(current.dataset.id));

function release() {
  clearTimeout(renewing);
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

/** Puts rows where their rank says; returns those that are new. */
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
    fresh.delete(card.dataset.id);
  }
  offer();
  empty();
  return added;
}

function place(card) {
  const before = cards().find((other) => {
    const [a, b] = [Number(card.dataset.rank), Number(other.dataset.rank)];
    return a > b || (a === b && card.dataset.id < other.dataset.id);
  });
  rows.insertBefore(card, before ?? null);
}

const move = (step) => {
  if (!current) return choose(rows.querySelector(".card"));
  const next = step > 0 ? current.nextElementSibling : current.previousElementSibling;
  if (next) return choose(next);
  const link = pane.querySelector(`a[data-key="${step > 0 ? "next" : "previous"}"]`);
  if (link) return (location.href = link.href);
  if (step > 0) return loadMore().then(() => (current.nextElementSibling ? choose(current.nextElementSibling) : toast(say("js.end"), { milliseconds: 2000 })));
};
on("next", () => move(1));
on("previous", () => move(-1));

rows.addEventListener("click", (event) => {
  const card = event.target.closest(".card");
  if (!card) return;
  if (event.target.matches("input")) return picked(event.target, event.shiftKey);
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
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

const withReason = () =>
  into(() => {
    const details = pane.querySelector("details.with");
    details?.setAttribute("open", "");
    return details?.querySelector("select, input, textarea");
  });
on("reject-with", withReason);

/** Takes a card away, lays the next one open, asks the service; brings it back if the answer is no. */
async function decide(action, whole = false) {
  const card = current;
  if (!card || card.classList.contains("gone")) return toast(say("js.nothing-open"), { milliseconds: 2000 });
  if (!decides) return;
  const selected = picks();
  if (selected.length && !whole) return decideAll(action, selected);
  if (shown()?.dataset.id !== card.dataset.id) return toast(say("js.loading"), { milliseconds: 2000 });
  if (!pane.querySelector("form.decide")) return toast(say("js.lead-decides"), { milliseconds: 3000 });
  const extra = filledIn();
  if (lacks(action, extra)) return;
  const { id, kind, campaign, site } = card.dataset;
  // The version that was looked at, not the one that the list has heard of.
  const { version } = shown().dataset;
  const body = { action, ...extra };
  if (kind === "campaign") {
    Object.assign(body, { item: id, version: Number(version), except: [...pane.querySelectorAll("[data-except]:checked, [data-except-kept]")].map((box) => box.value) });
  } else if (whole) {
    const of = pane.querySelector("[data-campaign-link]")?.href.split("/").pop();
    if (!of) return toast(say("js.not-a-campaign"), { milliseconds: 3000 });
    Object.assign(body, { campaign: campaign || decodeURIComponent(of), site });
  } else {
    Object.assign(body, { item: id, version: Number(version) });
  }
  const next = following(card);
  const known = opened.get(id);
  const html = typeof known === "string" ? known : pane.innerHTML;
  keep();
  if (claimed === id) claimed = null;
  card.remove();
  count();
  opened.delete(id);
  void choose(next);
  bump(-1);
  const asked = call("POST", "/v1/decisions", body);
  // In the list from now on: whoever undoes at once undoes this one, and waits for it.
  const entry = { ids: [], card, asked };
  undoable.push(entry);
  const { ok, status, data } = await asked;
  if (ok) {
    entry.ids.push(data.id);
    forget(id);
    // What was left out of its campaign is not decided with it.
    if (whole && kind !== "campaign") void renew(id);
    // Nothing is left to be shown on this page: the list tells of it.
    if (alone && !current) location.href = `${base}${desk.dataset.here}${desk.dataset.here.includes("?") ? "&" : "?"}done=${encodeURIComponent(data.id)}`;
    else toast(`${say(past[action])} · ${comments(data.comments)}`, { undo: () => undo(entry) });
    return;
  }
  if (undoable.includes(entry)) undoable.splice(undoable.indexOf(entry), 1);
  bump(1);
  opened.set(id, html);
  comeBack(card, status, data);
}

/** A card whose decision was refused stands where it stood, and says why. */
function comeBack(card, status, data) {
  const again = rowOf(card.dataset.id);
  if (again) card = again;
  else place(card);
  empty();
  const state = data?.item;
  const why = refusal(status, data);
  let link;
  if (status === 409 && state?.campaign_card) link = { text: say("js.campaign-card"), go: () => showCard(state.campaign_card) };
  else if (status === 409 && state?.open && !isHeld(state)) void renew(card.dataset.id).then(() => current?.dataset.id === card.dataset.id && lookAgain(card.dataset.id));
  note(card, why);
  toast(why, { error: true, link });
  if (state && state.open === false) leave(card);
  else void choose(card);
}

const isHeld = (state) => Boolean(state.claimed_by) && state.claimed_by !== me;

/** Why a decision was refused. Somebody was faster only where the card is closed; one that is open is somebody's, or has changed. */
function refusal(status, data) {
  if (status === 0) return say("js.offline");
  if (status === 401) return say("js.logged-out");
  const state = data?.item;
  if (status !== 409 || !state) return say("js.failed", { why: data?.detail ?? status });
  if (!state.open && state.decision) return say("js.conflict", { by: nameOf(state.decision.actor), what: say(past[state.decision.action] ?? "js.approved") });
  if (state.campaign_card) return say("js.absorbed");
  return isHeld(state) ? say("js.held-by", { by: nameOf(state.claimed_by) }) : say("js.changed");
}

/** Lays a card open that may not be in the list. */
async function showCard(id) {
  if (!rowOf(id)) await renew(id);
  const card = rowOf(id);
  if (card) return choose(card);
  location.href = `${base}/queue/${encodeURIComponent(id)}?back=${encodeURIComponent(desk.dataset.here)}`;
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
    if (card === current) void choose(following(card), { focus: false });
    card.remove();
    count();
    empty();
  }, LINGER);
}

async function undo(entry) {
  const last = entry ?? undoable[undoable.length - 1];
  // What was decided on another page is undone by the form that tells of it.
  const form = document.querySelector("form.said");
  if (!last && form) return form.requestSubmit();
  if (!last) return undoOlder();
  const at = undoable.indexOf(last);
  if (at < 0) return;
  undoable.splice(at, 1);
  if (last.asked && !(await last.asked).ok) return;
  const back = [];
  while (last.ids.length) {
    const { ok, status, data } = await call("POST", `/v1/decisions/${last.ids[last.ids.length - 1]}/undo`);
    if (!ok) {
      undoable.push(last);
      return toast(say(status ? "js.failed" : "js.offline", { why: data?.detail ?? status }), { error: true });
    }
    last.ids.pop();
    back.push(...(data.items ?? []));
  }
  toast(say("js.undone"), { milliseconds: 3000 });
  // Where the comments stand now, which may be another card than the one that was decided.
  if (back.length > 20) await renewAll();
  else await Promise.all(back.map(renew));
  recount();
  const first = rowOf(last.card?.dataset.id ?? "") ?? back.map(rowOf).find(Boolean);
  if (first && (last.card || !current)) void choose(first);
}

/** After the page was loaded again nothing is remembered here: the newest of one's decisions that can still be taken back, if it is meant. */
async function undoOlder() {
  const { ok, data } = await call("GET", "/v1/decisions?limit=100");
  const mine = ok && data.decisions.find((one) => one.actor === me && !one.undone_at && Date.parse(one.undo_until) > Date.now());
  if (!mine) return toast(say("js.nothing-to-undo"), { milliseconds: 3000 });
  const at = new Intl.DateTimeFormat(undefined, { timeStyle: "short" }).format(new Date(mine.at));
  const what = make("p", {}, say("js.undo-what", { what: say(past[mine.action] ?? "js.approved"), n: comments(mine.size), at }));
  const sure = await ask(say("js.undo-older"), [what], [{ text: say("js.undo"), value: "yes", primary: true }, { text: say("js.close"), value: "" }]);
  if (sure !== "yes") return;
  const entry = { ids: [mine.id], card: null };
  undoable.push(entry);
  return undo(entry);
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
    const card = current;
    const { kind, site, subject, text } = Object.fromEntries(new FormData(form));
    const { ok, data } = await call("POST", "/v1/notes", { kind, site, subject, text });
    if (!ok) return toast(say("js.failed", { why: data?.detail ?? "" }), { error: true });
    toast(say("js.noted"), { milliseconds: 3000 });
    form.reset();
    keep();
    await lookAgain(card.dataset.id);
  } else if (form.matches("form.take")) {
    event.preventDefault();
    const { id } = current.dataset;
    const { ok, data } = await call("POST", "/v1/queue/claims", { items: [id], take_over: true });
    if (!ok || !data.claimed.includes(id)) return toast(say("js.not-taken"), { error: true });
    claimed = id;
    claim(id, me, Date.now() + data.lease_seconds * 1000);
    toast(say("js.taken"), { milliseconds: 3000 });
  }
});

// Enter in the field of a reason rejects: that is what reasons are given for.
pane.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing || !event.target.matches("form.decide input[name=reason]")) return;
  event.preventDefault();
  void decide("reject", shown()?.dataset.kind === "campaign");
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

on("leave", () => {
  for (const card of picks()) card.querySelector("input").checked = false;
  count();
});
on("select", () => {
  const box = current?.querySelector("input");
  if (!box || alone) return;
  box.checked = !box.checked;
  picked(box, false);
});
on("select-range", () => {
  const box = current?.querySelector("input");
  if (!box || alone) return;
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
  const reached = selected.reduce((sum, card) => sum + Number(card.dataset.size), 0);
  const sample = selected.slice(0, 5).map((card) => make("li", { dir: "auto" }, card.querySelector(".text").textContent));
  const reason = make("input", { name: "reason", maxlength: "100", autocomplete: "off" });
  const title = `${say(`key.${action}`)}: ${say("js.picked", { n: selected.length })}, ${comments(reached)}`;
  const fields = [make("ul", {}, ...sample)];
  if (selected.length > sample.length) fields.push(make("p", { class: "dim" }, say("js.and-more", { n: selected.length - sample.length })));
  const options = pane.querySelector("form.decide [name=reason]");
  const why = options ? options.cloneNode(true) : reason;
  if (options) fields.push(make("label", {}, options.closest("label").firstChild.textContent, why));
  const remarks = make("input", { name: "note", maxlength: "4000", autocomplete: "off" });
  const noteLabel = pane.querySelector("form.decide [name=note]")?.closest("label").firstChild.textContent;
  if (noteLabel) fields.push(make("label", {}, noteLabel, remarks));
  const sure = await ask(title, fields, [{ text: say(`key.${action}`), value: "yes", primary: true }, { text: say("js.close"), value: "" }]);
  if (sure !== "yes") return;
  const extra = { reason: why.value.trim() || undefined, note: remarks.value.trim() || undefined };
  const { reason: needsReason, note: needsNote } = document.body.dataset;
  if (action === "reject" && ((needsReason !== undefined && !extra.reason) || (needsNote !== undefined && !extra.note))) {
    toast(say("js.reason-needed"), { milliseconds: 3000 });
    return decideAll(action, selected);
  }
  const groups = Map.groupBy ? Map.groupBy(selected, (card) => card.dataset.site) : new Map(selected.map((card) => [card.dataset.site, selected.filter((other) => other.dataset.site === card.dataset.site)]));
  // In the list from now on: whoever undoes meanwhile undoes this selection, and waits for its end.
  let finish;
  const entry = { ids: [], card: null, asked: new Promise((ended) => (finish = ended)) };
  undoable.push(entry);
  const busy = toast(say("js.progress", { done: 0, all: selected.length }), { milliseconds: 60_000 });
  let done = 0;
  const reasons = [];
  for (const group of groups.values()) {
    const free = group.filter((card) => leads || !("escalated" in card.dataset));
    if (free.length < group.length) reasons.push(say("js.lead-card"));
    for (let at = 0; at < free.length; at += PORTION) {
      let portion = free.slice(at, at + PORTION);
      // One card of somebody else's does not keep the others: it stays behind with the reason, and they are tried again.
      while (portion.length) {
        const items = portion.map((card) => ({ id: card.dataset.id, version: Number(card.dataset.version) }));
        const { ok, status, data } = await call("POST", "/v1/decisions", { action, items, ...extra });
        const refused = status === 409 ? portion.find((card) => card.dataset.id === data?.item?.id) : undefined;
        if (!ok && !refused) {
          toast(refusal(status, data), { error: true });
          break;
        }
        if (refused) {
          const why = refusal(status, data);
          reasons.push(why);
          note(refused, why);
          refused.querySelector("input").checked = false;
          if (data.item.open === false) leave(refused);
          else void renew(refused.dataset.id);
          portion = portion.filter((card) => card !== refused);
          continue;
        }
        entry.ids.push(data.id);
        done += portion.length;
        busy.firstChild.textContent = say("js.progress", { done, all: selected.length });
        if (portion.includes(current)) void choose(cards().find((card) => !selected.includes(card)) ?? null);
        for (const card of portion) card.remove();
        break;
      }
    }
  }
  busy.remove();
  count();
  if (!current && more) await loadMore().then(() => choose(rows.querySelector(".card")));
  empty();
  ahead();
  if (reasons.length) toast(say("js.left-out", { why: [...new Set(reasons)].join(" ") }), { error: true });
  if (!entry.ids.length && undoable.includes(entry)) undoable.splice(undoable.indexOf(entry), 1);
  finish({ ok: entry.ids.length > 0 });
  if (!entry.ids.length) return;
  const told = done < selected.length ? say("js.done-of", { what: say(past[action]), done, all: selected.length }) : `${say(past[action])} · ${say("js.picked", { n: done })}`;
  toast(told, { undo: () => undo(entry), milliseconds: 15_000 });
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
on("note", () =>
  into(() => {
    const notes = pane.querySelector("details.notes");
    notes?.setAttribute("open", "");
    return notes?.querySelector("textarea");
  }),
);
on("open", () => current && (location.href = current.querySelector(".open").href));
on("open-campaign", () => {
  if (!current) return;
  const { campaign, site } = current.dataset;
  const seen = shown()?.dataset.id === current.dataset.id ? pane.querySelector("[data-campaign-link]")?.href : undefined;
  const link = seen ?? (campaign && `${base}/campaigns/${encodeURIComponent(site)}/${encodeURIComponent(campaign)}`);
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
    count();
    return empty();
  }
  add(part.html);
  if (current?.dataset.id !== id) return;
  if (shown()?.dataset.id !== id) return void choose(current, { focus: false });
  if (shown().dataset.version === current.dataset.version) return;
  // It changed under somebody's eyes: it is shown anew when he wants it, and decided as he saw it or not at all.
  const banner = pane.querySelector(".conflict");
  if (!banner) return;
  banner.replaceChildren(say("js.look-again"), " ", make("button", { type: "button", onclick: () => lookAgain(id) }, say("js.show")));
  banner.hidden = false;
}

async function lookAgain(id) {
  opened.delete(id);
  const html = await lay(id);
  if (current?.dataset.id === id && html !== null) show(html);
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
  const moved = (place) => Math.max(0, Number(place.textContent.replace(/\D/g, "")) + by);
  for (const place of document.querySelectorAll('[data-count="all"]')) place.textContent = moved(place);
  const open = document.getElementById("open-count");
  if (open) open.textContent = many("js.open", moved(open));
  recount();
}
function recount() {
  counting ||= setTimeout(async () => {
    counting = 0;
    const { ok, data } = await call("GET", "/queue/counts");
    if (!ok) return;
    const numbers = { ...data, comments: data.all - data.campaigns };
    for (const place of document.querySelectorAll("[data-count]")) place.textContent = numbers[place.dataset.count] ?? place.textContent;
    const open = document.getElementById("open-count");
    if (open) open.textContent = many("js.open", numbers[open.dataset.of]);
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
  if (card && !card.classList.contains("gone")) setTimeout(() => card.isConnected && leave(card), 100);
});
hear("decision", ({ actor, action, items }) => {
  if (actor === me) return;
  for (const item of items ?? []) {
    const card = rowOf(item);
    if (!card) continue;
    note(card, say("js.by", { what: say(past[action] ?? "js.approved"), by: nameOf(actor) }));
    if (action === "skip" || action === "escalate") void renew(item);
    else leave(card);
  }
  recount();
});
hear("decision.undone", ({ items }) => {
  recount();
  for (const item of items ?? []) {
    if (rowOf(item)) void renew(item);
    else fresh.add(item);
  }
  offer();
  if (!cards().length) void renewAll();
});

function claim(item, by, until, from) {
  // Whose it is stands on the card: but one's own is not fetched again for that, nor lost when the line is cut.
  if (by !== me) opened.delete(item);
  const others = by && by !== me;
  for (const place of [rowOf(item), pane.querySelector(`.pane-card[data-id="${CSS.escape(item)}"]`)]) {
    const chip = place?.querySelector("[data-claim]");
    if (!chip) continue;
    chip.hidden = !by || (by === me && place.matches(".card"));
    const time = until ? new Intl.DateTimeFormat(undefined, { timeStyle: "short" }).format(new Date(until)) : "";
    const who = by === me ? say("js.mine") : say("js.with", { by: nameOf(by) });
    chip.textContent = by ? `${who} – ${time}` : "";
  }
  const take = shown()?.dataset.id === item ? pane.querySelector("[data-take]") : null;
  if (take) take.hidden = !others || !pane.querySelector("form.decide");
  if (!others) return;
  if (claimed === item) claimed = null;
  const why = say(from === me ? "js.taken-over" : "js.held-by", { by: nameOf(by) });
  if (from === me) {
    clearTimeout(renewing);
    const banner = shown()?.dataset.id === item ? pane.querySelector(".conflict") : null;
    if (banner) {
      banner.textContent = why;
      banner.hidden = false;
    }
  }
  if (current?.dataset.id === item) toast(why, { milliseconds: 4000 });
}
hear("queue.claimed", ({ item, by, until, from }) => claim(item, by, until, from));
hear("queue.released", ({ item }) => claim(item, null));

/* ---- begin ---- */

// Where the filter stands above the cards, it is folded: how much of it is set stands beside its name.
const filters = document.querySelector(".filters");
if (filters && matchMedia("(max-width: 1100px)").matches && !document.querySelector(".mistake")) filters.open = false;

if (sessionStorage.getItem("zen")) document.querySelector('[data-key="zen"]')?.click();
if (current) {
  if (pane.firstElementChild) {
    opened.set(current.dataset.id, pane.innerHTML);
    show(pane.innerHTML, { isFirst: true });
  }
  const own = alone ? rowOf(shown()?.dataset.id ?? "") : null;
  const before = alone ? null : history.state?.card;
  if (own) void choose(own, { focus: false });
  else {
    // Back from another page: to the card that was open, as long as it waits.
    while (before && !rowOf(before) && more && cards().length < (history.state?.rows ?? 0)) await loadMore();
    const place = before ? rowOf(before) : null;
    if (!place && isTaken(current)) current = following(current) ?? current;
    void choose(place ?? current, { focus: false });
  }
}
count();
listen(desk.dataset.event);
