// The desk's script: what every page has. The queue and the band bring their own.

import { fragment } from "./api.js";
import { label, on } from "./keys.js";
import { prepare } from "./marks.js";
import "./palette.js";
import { localize } from "./times.js";
import { make, say } from "./toast.js";

document.documentElement.classList.add("scripted");
localize(document);
label(document);
prepare(document);
// A form that came back with a mistake: what is wrong is read first.
document.querySelector(".mistake")?.focus();

const { base } = document.body.dataset;

// Places that a letter after `g` leads to, or a number: the queues in their order, then the views.
on("go", () => {
  const places = [...document.querySelectorAll("#places a")];
  const queues = places.filter((link) => new URL(link.href).pathname === `${base}/queue`);
  const numbered = [...queues, ...document.querySelectorAll(".queues .view > a")].slice(0, 9);
  const links = [...new Set([...places, ...numbered])].map((place) => {
    const letter = place.dataset.go;
    const number = numbered.indexOf(place) + 1;
    const keys = [letter, number ? String(number) : undefined].filter(Boolean);
    const link = make("a", { class: "plain button", href: place.href, "aria-keyshortcuts": keys.join(" ") }, ...keys.map((key) => make("kbd", {}, key)), " ", place.firstChild.textContent.trim());
    return { keys, link };
  });
  const close = make("button", { type: "button", onclick: () => dialog.close() }, say("js.close"));
  const dialog = make("dialog", { "aria-label": say("js.palette") }, make("ul", { class: "leads" }, ...links.map(({ link }) => make("li", {}, link))), make("p", {}, close));
  dialog.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const found = links.find(({ keys }) => keys.includes(event.key.toLowerCase()));
    if (!found) return;
    event.preventDefault();
    found.link.click();
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
});

on("help", async () => {
  const page = await fragment("/help");
  if (!page) return (location.href = `${base}/help`);
  const main = new DOMParser().parseFromString(page.html, "text/html").querySelector("main");
  const dialog = make("dialog", { "aria-label": say("key.help") }, ...main.childNodes);
  dialog.append(make("p", {}, make("button", { type: "button", onclick: () => dialog.close() }, say("js.close"))));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
});

/** A mark and its finding light up together. */
function light(event, lit) {
  const found = event.target instanceof Element ? event.target.closest("[data-f]") : null;
  const card = found?.closest(".pane-card, .pane, main");
  for (const one of card?.querySelectorAll(`[data-f="${found.dataset.f}"]`) ?? []) one.classList.toggle("lit", lit);
}
for (const [begin, end] of [["mouseover", "mouseout"], ["focusin", "focusout"]]) {
  document.addEventListener(begin, (event) => light(event, true));
  document.addEventListener(end, (event) => light(event, false));
}

// The rest of a campaign, and "all of it", are fetched into the list.
document.addEventListener("click", async (event) => {
  const link = event.target instanceof Element ? event.target.closest("a[data-expand]") : null;
  const list = link?.closest("section")?.querySelector("[data-members]");
  if (!list || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  const url = new URL(link.href);
  url.searchParams.set("part", "rows");
  const rows = await fragment(url.pathname.slice(base.length) + url.search);
  if (!rows) return (location.href = link.href);
  link.closest("li, p").remove();
  list.insertAdjacentHTML("beforeend", rows.html);
  localize(list);
  list.dispatchEvent(new Event("grown", { bubbles: true }));
});

// What was just done is told of once: loading the page again tells nothing, and takes nothing back.
const told = new URL(location.href);
if (told.searchParams.has("done") || told.searchParams.has("said")) {
  told.searchParams.delete("done");
  told.searchParams.delete("said");
  history.replaceState(history.state, "", told);
}

if (document.getElementById("desk")) await import("./queue.js");
if (document.getElementById("band")) await import("./band.js");
