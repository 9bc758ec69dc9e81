// Evidence in a text: what a mark says stands beside it, for a pointer and for the keyboard. A text with marks is one stop of the Tab key; from there
// the arrows go from mark to mark, and Escape takes the words away.

import { make } from "./toast.js";

const MARKS = ".body mark[data-f], .body .hc";
const tip = make("div", { class: "tip", id: "tip", role: "tooltip", hidden: true });
document.body.append(tip);
let told = null;
let leaving = 0;

/** Makes the marks below an element ready for the keyboard. */
export function prepare(root) {
  for (const body of root.querySelectorAll(".body")) {
    [...body.querySelectorAll("mark[data-f], .hc")].forEach((mark, at) => {
      mark.tabIndex = at ? -1 : 0;
      // The browser's own words come for a pointer alone.
      if (mark.hasAttribute("title")) {
        mark.dataset.says = mark.title;
        mark.removeAttribute("title");
      }
      if (mark.dataset.f && document.getElementById(`f-${mark.dataset.f}`)) mark.setAttribute("aria-describedby", `f-${mark.dataset.f}`);
      else mark.setAttribute("aria-describedby", "tip");
    });
  }
}

function tell(mark) {
  clearTimeout(leaving);
  if (!mark.dataset.says) return;
  told = mark;
  tip.textContent = mark.dataset.says;
  tip.hidden = false;
  const { left, bottom, top } = mark.getClientRects()[0] ?? mark.getBoundingClientRect();
  const { width, height } = tip.getBoundingClientRect();
  const below = bottom + 6 + height < innerHeight;
  tip.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
  tip.style.top = `${below ? bottom + 6 : Math.max(8, top - height - 6)}px`;
}

function hide() {
  clearTimeout(leaving);
  told = null;
  tip.hidden = true;
}

const markOf = (event) => (event.target instanceof Element ? event.target.closest(MARKS) : null);

for (const begin of ["mouseover", "focusin"]) {
  document.addEventListener(begin, (event) => {
    const mark = markOf(event);
    if (mark) tell(mark);
    else if (event.target === tip) clearTimeout(leaving);
  });
}
document.addEventListener("focusout", (event) => markOf(event) && hide());
document.addEventListener("mouseout", (event) => {
  // There is time to go over to the words and read them.
  if (told && told !== document.activeElement && (markOf(event) || event.target === tip)) leaving = setTimeout(hide, 200);
});
document.addEventListener("scroll", () => told && hide(), { capture: true, passive: true });

document.addEventListener(
  "keydown",
  (event) => {
    if (event.key === "Escape" && told) {
      event.stopPropagation();
      return hide();
    }
    const mark = markOf(event);
    if (!mark || event.ctrlKey || event.metaKey || event.altKey) return;
    const all = [...mark.closest(".body").querySelectorAll("mark[data-f], .hc")];
    const at = all.indexOf(mark);
    const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined || !all[to]) return;
    event.preventDefault();
    event.stopPropagation();
    mark.tabIndex = -1;
    all[to].tabIndex = 0;
    all[to].focus();
  },
  true,
);
