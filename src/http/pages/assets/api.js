// How the desk's scripts ask the service: JSON to the API, fragments of HTML from the pages. Every change carries the session's token.
//
// A session that ended is said in words, with the way to log in and back; one that was begun anew in another window is gone on with.

import { make, say } from "./toast.js";

const { base, user } = document.body.dataset;
let { csrf } = document.body.dataset;

function loggedOut() {
  if (document.getElementById("logged-out")) return;
  const next = location.pathname.slice(base.length) + location.search;
  const link = make("a", { href: `${base}/login?${new URLSearchParams({ next })}` }, say("js.log-in"));
  document.getElementById("main").before(make("p", { class: "said out", id: "logged-out", role: "alert" }, say("js.logged-out"), " ", link));
}

/** Looks after the session: `out` when it is over, `new` when there is another one of the same person's, else `same`. */
export async function session() {
  try {
    const answer = await fetch(`${base}/v1/session`, { headers: { accept: "application/json" } });
    const person = answer.ok ? await answer.json() : null;
    if (answer.status === 401 || (person && person.user !== user)) {
      loggedOut();
      return "out";
    }
    if (!person) return "same";
    document.getElementById("logged-out")?.remove();
    if ((person.csrf ?? "") === csrf) return "same";
    csrf = person.csrf ?? "";
    for (const field of document.querySelectorAll("input[name=csrf]")) field.value = csrf;
    return "new";
  } catch {
    return "same";
  }
}

async function send(path, request) {
  try {
    const answer = await fetch(base + path, request());
    const text = await answer.text();
    let data = null;
    try {
      data = text ? JSON.parse(text) : null;
    } catch {
      // A proxy's own page.
    }
    return { ok: answer.ok, status: answer.status, data };
  } catch {
    return { ok: false, status: 0, data: null };
  }
}

/** Sends; once more where the session is another one by now. */
async function sent(path, request) {
  const answer = await send(path, request);
  if (answer.status !== 401 && answer.status !== 403) return answer;
  const now = await session();
  if (now === "new") return send(path, request);
  return now === "out" ? { ...answer, status: 401, data: { detail: say("js.logged-out") } } : answer;
}

/** Asks the API. Never throws: an answer that did not come has the status 0. */
export function call(method, path, body, more = {}) {
  return sent(path, () => {
    const headers = { accept: "application/json", "x-csrf-token": csrf };
    if (body !== undefined) headers["content-type"] = "application/json";
    return { method, headers, body: body === undefined ? undefined : JSON.stringify(body), ...more };
  });
}

// Milliseconds after which a fragment is not waited for.
const PATIENCE = 20_000;

/** Fetches a fragment; null where it cannot be had. */
export async function fragment(path) {
  try {
    const answer = await fetch(base + path, { headers: { accept: "text/html" }, redirect: "manual", signal: AbortSignal.timeout(PATIENCE) });
    // Fragments lead nowhere but to the login.
    if (answer.type === "opaqueredirect") await session();
    return answer.ok ? { html: await answer.text(), next: answer.headers.get("x-next") } : null;
  } catch {
    return null;
  }
}

/** Sends a form's fields and reads JSON. */
export function post(path, fields) {
  return sent(path, () => ({ method: "POST", headers: { accept: "application/json" }, body: new URLSearchParams({ ...fields, csrf }) }));
}
