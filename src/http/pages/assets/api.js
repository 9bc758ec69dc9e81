// How the desk's scripts ask the service: JSON to the API, fragments of HTML from the pages. Every change carries the session's token.

const { base, csrf } = document.body.dataset;

/** Asks the API. Never throws: an answer that did not come has the status 0. */
export async function call(method, path, body, more = {}) {
  const headers = { accept: "application/json", "x-csrf-token": csrf };
  if (body !== undefined) headers["content-type"] = "application/json";
  try {
    const answer = await fetch(base + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), ...more });
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

/** Fetches a fragment; null where it cannot be had. */
export async function fragment(path) {
  try {
    const answer = await fetch(base + path, { headers: { accept: "text/html" }, redirect: "error" });
    return answer.ok ? { html: await answer.text(), next: answer.headers.get("x-next") } : null;
  } catch {
    return null;
  }
}

/** Sends a form's fields and reads JSON. */
export async function post(path, fields) {
  try {
    const answer = await fetch(base + path, {
      method: "POST",
      headers: { accept: "application/json" },
      body: new URLSearchParams({ ...fields, csrf }),
    });
    return { ok: answer.ok, status: answer.status, data: await answer.json().catch(() => null) };
  } catch {
    return { ok: false, status: 0, data: null };
  }
}
