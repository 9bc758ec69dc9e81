// The desk's script: what every page has. The queue and the band bring their own.

import { fragment } from "./api.js";
import { label, on } from "./keys.js";
import "./palette.js";
import { localize } from "./times.js";
import { make, say } from "./toast.js";

document.documentElement.classList.add("scripted");
localize(document);
label(document);

const { base } = document.body.dataset;

// Queues and pages that a letter after `g` leads to, on every page.
const places = { q: "/queue", c: "/queue?kind=campaign", s: "/queue?kind=comment", e: "/queue?escalated=true", h: "/queue?verdict=hold", b: "/band", m: "/morning", d: "/history" };
const links = make("div", { hidden: true });
for (const [key, path] of Object.entries(places)) {
  if (!document.querySelector(`[data-go="${key}"]`)) links.append(make("a", { href: base + path, "data-go": key }, path));
}
document.body.append(links);

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
});

if (document.getElementById("desk")) await import("./queue.js");
if (document.getElementById("band")) await import("./band.js");
