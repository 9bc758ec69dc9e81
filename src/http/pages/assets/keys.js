// Keys: one registry of what they do. They are silent while somebody types, and each is a button on the page too (`data-key`): where nobody
// has said what a key does, the button is pressed.

/** Name -> character. */
export const keys = JSON.parse(document.body.dataset.keys || "{}");
const named = new Map(Object.entries(keys).map(([name, key]) => [key, name]));
const handlers = new Map();

/** Says what a key does. */
export function on(name, handler) {
  handlers.set(name, handler);
}

// What is typed while the field that it is meant for is still on its way; null where none is.
let ahead = null;

/** Keeps what is typed from now on from being commands; the function that it returns ends that and tells what was typed: null where Escape was. */
export function typeAhead() {
  ahead = "";
  return () => {
    const typed = ahead;
    ahead = null;
    return typed;
  };
}

/** Does what a key does. */
export function press(name) {
  const handler = handlers.get(name);
  if (handler) return handler();
  const button = [...document.querySelectorAll(`[data-key="${name}"], [data-key-link="${name}"]`)].find((one) => one.offsetParent !== null);
  button?.click();
}

/** Writes the keys beside their buttons. */
export function label(root) {
  for (const button of root.querySelectorAll("[data-key]")) {
    const key = keys[button.dataset.key];
    const kbd = button.querySelector("kbd");
    if (kbd && key) kbd.textContent = key;
    if (key && key !== " ") button.setAttribute("aria-keyshortcuts", /^[A-Z]$/.test(key) ? `Shift+${key}` : key);
  }
}

function isTyping(target) {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.matches("textarea, select")) return true;
  return target.matches("input") && !["checkbox", "radio", "button", "submit", "range"].includes(target.type);
}

/** The character of an event, whatever Caps Lock says and, where the layout has other letters, by the key's place. */
function character(event) {
  let key = event.key;
  if (key.length === 1 && !/[\x20-\x7e]/.test(key) && !named.has(key) && /^Key[A-Z]$/.test(event.code)) key = event.code.slice(3).toLowerCase();
  return /^[a-z]$/i.test(key) ? (event.shiftKey ? key.toUpperCase() : key.toLowerCase()) : key;
}

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
    event.preventDefault();
    return press("palette");
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (document.querySelector("dialog[open]")) return;
  if (ahead !== null && !isTyping(event.target) && (event.key.length === 1 || event.key === "Backspace" || event.key === "Escape")) {
    event.preventDefault();
    if (event.key === "Escape") ahead = null;
    else ahead = event.key === "Backspace" ? ahead.slice(0, -1) : ahead + event.key;
    return;
  }
  if (event.key === "Escape") {
    // Out of the field first, then whatever else there is to leave.
    if (isTyping(event.target)) return event.target.blur();
    return handlers.get("leave")?.();
  }
  if (isTyping(event.target)) return;
  const key = character(event);
  const name = named.get(key);
  if (!name) return;
  event.preventDefault();
  if (event.repeat && !["next", "previous"].includes(name)) return;
  press(name);
});

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-key]") : null;
  // A summary opens and closes by itself.
  if (!button || button.matches("summary") || !handlers.has(button.dataset.key)) return;
  event.preventDefault();
  press(button.dataset.key);
});

on("search", () => {
  const field = document.getElementById("search");
  field?.focus();
  field?.select();
});
