// The band: chart, numbers and sample follow the handles, which keep the focus; deciding goes portion by portion, with progress and one undo for all.

import { call, fragment, post } from "./api.js";
import { localize } from "./times.js";
import { ask, make, many, say, toast } from "./toast.js";

const band = document.getElementById("band");
const handlesForm = document.getElementById("band-form");
const low = document.getElementById("band-low");
const high = document.getElementById("band-high");
const counts = JSON.parse(band.dataset.counts);
const labels = [...band.querySelectorAll("details tbody tr td:first-child")].map((cell) => cell.textContent);
const { base } = document.body.dataset;
const { noEnd } = band.dataset;
let asked = 0;

function handles() {
  const [a, b] = [Number(low.value), Number(high.value)].sort((x, y) => x - y);
  const from = Math.min(a, counts.length - 1);
  return [from, Math.max(b, from + 1)];
}

function follow() {
  const [from, until] = handles();
  for (const [handle, text] of [["band-from", labels[from]], ["band-until", labels[until] ?? noEnd]]) {
    document.getElementById(handle).textContent = text;
  }
  // What a handle says is its own place, also where the two have crossed.
  for (const handle of [low, high]) handle.setAttribute("aria-valuetext", labels[handle.value] ?? noEnd);
  const cards = counts.slice(from, until).reduce((sum, count) => sum + count, 0);
  document.getElementById("band-count").textContent = many("js.cards", cards);
  for (const bar of document.querySelectorAll("#band-chart rect")) {
    const at = labels.indexOf(bar.querySelector("title").textContent.split(": ")[0]);
    bar.setAttribute("class", at >= from && at < until ? "c1" : "c0");
  }
  // What stands below belongs to another band until it has been fetched.
  for (const button of document.querySelectorAll("#band-decide button")) button.disabled = true;
  clearTimeout(asked);
  asked = setTimeout(fetchBand, 300);
}

async function fetchBand() {
  const [from, until] = handles();
  const site = handlesForm.elements.site?.value ?? "";
  const path = `/band?low=${from}&high=${until}&site=${encodeURIComponent(site)}`;
  const page = await fragment(path);
  if (!page) return handlesForm.requestSubmit();
  const now = handles();
  if (now[0] !== from || now[1] !== until) return;
  const found = new DOMParser().parseFromString(page.html, "text/html").getElementById("band-result");
  document.getElementById("band-result").replaceWith(document.importNode(found, true));
  history.replaceState(null, "", base + path);
  localize(band);
}

for (const handle of [low, high]) handle.addEventListener("input", follow);

band.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.id !== "band-decide") return;
  event.preventDefault();
  const { submitter } = event;
  const fields = Object.fromEntries(new FormData(form));
  const all = Number(form.dataset.cards);
  const sample = [...band.querySelectorAll("ol .text")].slice(0, 5).map((text) => make("li", { dir: "auto" }, text.textContent));
  const body = [make("ul", {}, ...sample)];
  if (all > sample.length) body.push(make("p", { class: "dim" }, say("js.and-more", { n: (all - sample.length).toLocaleString("en") })));
  const title = `${submitter.textContent}: ${many("js.cards", all)}`;
  const buttons = [{ text: submitter.textContent, value: "yes", primary: true }, { text: say("js.close"), value: "" }];
  if ((await ask(title, body, buttons)) !== "yes") return;
  const progress = document.getElementById("band-progress");
  const said = document.getElementById("band-said");
  for (const button of form.querySelectorAll("button")) button.disabled = true;
  progress.hidden = false;
  progress.max = all;
  const decisions = [];
  let done = 0;
  for (;;) {
    const { ok, status, data } = await post("/band", { ...fields, action: submitter.value });
    if (!ok) {
      toast(say(status ? "js.failed" : "js.offline", { why: data?.detail ?? status }), { error: true });
      break;
    }
    decisions.push(...data.decisions);
    done += data.cards;
    progress.value = done;
    said.textContent = say("js.progress", { done, all });
    if (data.cards === 0) break;
  }
  said.textContent = say("js.finished", { cards: many("js.cards", done), decisions: many("js.decisions", decisions.length) });
  if (!decisions.length) return;
  const undo = make("button", { type: "button", "data-undo": true }, say("js.undo"));
  undo.addEventListener("click", async () => {
    undo.disabled = true;
    // The newest first; one that is refused can be tried again, and nothing is taken back twice.
    while (decisions.length) {
      const { ok, data } = await call("POST", `/v1/decisions/${decisions[decisions.length - 1]}/undo`);
      if (!ok) {
        undo.disabled = false;
        return toast(say("js.failed", { why: data?.detail ?? "" }), { error: true });
      }
      decisions.pop();
    }
    location.reload();
  });
  said.append(" ", undo);
});
