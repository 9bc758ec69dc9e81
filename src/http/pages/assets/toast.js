// Short messages at the foot of the page, read aloud too; and questions before something large is done.

import words from "./words.js";

/** A text with its places filled. */
export function say(key, places = {}) {
  let text = words[key] ?? key;
  for (const [name, value] of Object.entries(places)) text = text.replaceAll(`{${name}}`, value);
  return text;
}

/** A text for one or for several: the keys `KEY.one` and `KEY.many`, with the place `{n}`. */
export const many = (key, n) => say(`${key}.${n === 1 ? "one" : "many"}`, { n: n.toLocaleString("en") });

const box = document.createElement("div");
box.className = "toasts";
document.body.append(box);
const live = document.getElementById("live");

/** An element with attributes and children; text is always text. */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

/** Says something. With `undo`, a button that does so; with `link`, one that leads to what is spoken of. */
export function toast(text, { undo, link, error = false, milliseconds = 8000 } = {}) {
  const toast = make("div", { class: error ? "toast error" : "toast" }, make("span", {}, text));
  if (undo) toast.append(make("button", { type: "button", onclick: () => { toast.remove(); undo(); } }, say("js.undo")));
  if (link) toast.append(make("button", { type: "button", onclick: () => { toast.remove(); link.go(); } }, link.text));
  if (error) toast.append(make("button", { type: "button", onclick: () => toast.remove() }, say("js.close")));
  box.append(toast);
  while (box.children.length > 3) box.firstChild.remove();
  live.textContent = text;
  setTimeout(() => toast.remove(), error ? milliseconds * 2 : milliseconds);
  return toast;
}

/** Asks before something is done; resolves to whether it is to be, with what was filled in. */
export function ask(title, body, buttons) {
  return new Promise((resolve) => {
    const dialog = make("dialog", { "aria-label": title }, make("h2", {}, title), ...body);
    const row = make("p", { class: "row" });
    for (const { text, value, primary } of buttons) {
      row.append(make("button", { type: "button", class: primary ? "primary" : "", onclick: () => dialog.close(value) }, text));
    }
    dialog.append(row);
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue);
    });
    document.body.append(dialog);
    dialog.showModal();
    dialog.querySelector("button.primary")?.focus();
  });
}
