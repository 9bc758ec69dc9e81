// Go to anything: a page, a queue, whatever a pasted id or address leads to, or a search.

import { call } from "./api.js";
import { on } from "./keys.js";
import { make, say } from "./toast.js";

const { base } = document.body.dataset;

function pages() {
  return [...document.querySelectorAll(".top nav a, .queues a")].map((link) => ({ label: (link.firstChild?.textContent ?? "").trim() || link.textContent.trim(), href: link.href }));
}

function open() {
  if (document.querySelector("dialog[open]")) return;
  let leads = [];
  let chosen = 0;
  let asked = 0;
  const input = make("input", { type: "text", role: "combobox", "aria-expanded": "true", "aria-controls": "leads", "aria-label": say("js.palette-hint"), placeholder: say("js.palette-hint"), autocomplete: "off" });
  const list = make("ul", { class: "leads", id: "leads", role: "listbox", "aria-label": say("js.palette") });
  const dialog = make("dialog", { "aria-label": say("js.palette") }, input, list);
  const go = (lead) => lead && (location.href = lead.href);
  const draw = () => {
    list.replaceChildren(...leads.map((lead, at) => make("li", { role: "option", id: `lead-${at}`, "aria-selected": String(at === chosen), onclick: () => go(lead) }, lead.label)));
    input.setAttribute("aria-activedescendant", leads.length ? `lead-${chosen}` : "");
    list.children[chosen]?.scrollIntoView({ block: "nearest" });
  };
  const find = async () => {
    const words = input.value.trim();
    const turn = ++asked;
    const small = words.toLowerCase();
    leads = pages().filter((page) => page.label.toLowerCase().includes(small));
    chosen = 0;
    if (words) leads.push({ label: say("js.search-for", { q: words }), href: `${base}/search?q=${encodeURIComponent(words)}` });
    draw();
    if (words.length < 2) return;
    await new Promise((wait) => setTimeout(wait, 120));
    if (turn !== asked) return;
    const { ok, data } = await call("GET", `/find?q=${encodeURIComponent(words)}`);
    if (!ok || turn !== asked) return;
    leads = [...data.map((lead) => ({ label: `${lead.kind}: ${lead.label}${lead.site ? ` (${lead.site})` : ""}`, href: base + lead.link })), ...leads];
    chosen = 0;
    draw();
  };
  input.addEventListener("input", find);
  input.addEventListener("keydown", async (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      chosen = (chosen + (event.key === "ArrowDown" ? 1 : leads.length - 1)) % Math.max(1, leads.length);
      draw();
    } else if (event.key === "Enter") {
      event.preventDefault();
      go(leads[chosen]);
    }
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  find();
}

on("palette", open);
