// The band: the chart follows the handles, the page follows when they rest; deciding goes portion by portion, with progress and one undo for all.

import { call, post } from "./api.js";
import { ask, make, say, toast } from "./toast.js";

const band = document.getElementById("band");
const counts = JSON.parse(band.dataset.counts);
const low = document.getElementById("band-low");
const high = document.getElementById("band-high");
const labels = [...band.querySelectorAll("tbody tr td:first-child")].map((cell) => cell.textContent);
const unbounded = document.getElementById("band-until").textContent;
const noEnd = Number(high.value) === Number(high.max) ? unbounded : "∞";

function handles() {
  const [a, b] = [Number(low.value), Number(high.value)].sort((x, y) => x - y);
  return [Math.min(a, counts.length - 1), Math.max(b, Math.min(a, counts.length - 1) + 1)];
}

function follow() {
  const [from, until] = handles();
  document.getElementById("band-from").textContent = labels[from];
  document.getElementById("band-until").textContent = labels[until] ?? noEnd;
  const cards = counts.slice(from, until).reduce((sum, count) => sum + count, 0);
  document.getElementById("band-count").textContent = cards.toLocaleString("en");
  for (const bar of document.querySelectorAll("#band-chart rect")) {
    const at = labels.indexOf(bar.querySelector("title").textContent.split(": ")[0]);
    bar.setAttribute("class", at >= from && at < until ? "c1" : "c0");
  }
}

for (const handle of [low, high]) {
  handle.addEventListener("input", follow);
  handle.addEventListener("change", () => document.getElementById("band-form").requestSubmit());
}

const form = document.getElementById("band-decide");
form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const action = event.submitter.value;
  const fields = Object.fromEntries(new FormData(form));
  const all = Number(form.dataset.cards);
  const sample = [...band.querySelectorAll("ol .text")].slice(0, 5).map((text) => make("li", { dir: "auto" }, text.textContent));
  const sure = await ask(
    `${event.submitter.textContent}: ${all.toLocaleString("en")}`,
    [make("ul", {}, ...sample)],
    [{ text: event.submitter.textContent, value: "yes", primary: true }, { text: say("js.close"), value: "" }],
  );
  if (sure !== "yes") return;
  const progress = document.getElementById("band-progress");
  const said = document.getElementById("band-said");
  for (const button of form.querySelectorAll("button")) button.disabled = true;
  progress.hidden = false;
  progress.max = all;
  const seen = String(Date.now());
  const decisions = [];
  let done = 0;
  for (;;) {
    const { ok, status, data } = await post("/band", { ...fields, action, seen });
    if (!ok) {
      toast(say(status ? "js.failed" : "js.offline", { why: data?.detail ?? status }), { error: true });
      break;
    }
    decisions.push(...data.decisions);
    done += data.cards;
    progress.value = done;
    said.textContent = say("js.progress", { done, all });
    if (data.cards === 0 || action === "skip" || done >= all) break;
  }
  said.textContent = say("js.finished", { n: done, d: decisions.length });
  if (!decisions.length) return;
  const undo = make("button", { type: "button" }, say("js.undo"));
  undo.addEventListener("click", async () => {
    undo.disabled = true;
    for (const id of decisions.reverse()) {
      const { ok, data } = await call("POST", `/v1/decisions/${id}/undo`);
      if (!ok) return toast(say("js.failed", { why: data?.detail ?? "" }), { error: true });
    }
    location.reload();
  });
  said.append(" ", undo);
});
