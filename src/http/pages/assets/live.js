// What others do, as it happens: server-sent events. The browser comes back by itself and names the last event it saw, so nothing is missed.

import { session } from "./api.js";
import { say, toast } from "./toast.js";

const { base, user } = document.body.dataset;
const listeners = new Map();
const KINDS = ["queue.opened", "queue.changed", "queue.closed", "queue.claimed", "queue.released", "decision", "decision.undone", "comment.status", "note", "campaign.allowed"];
let lost = 0;
let said = false;

/** Hears of a kind of event; the listener gets its data. */
export function hear(kind, listener) {
  listeners.set(kind, [...(listeners.get(kind) ?? []), listener]);
}

/** Begins to listen, from what had happened when the page was made. */
export function listen(from) {
  let last = from;
  let source = null;
  const open = () => {
    source = new EventSource(`${base}/v1/events?last_event_id=${encodeURIComponent(last)}`);
    for (const kind of KINDS) {
      source.addEventListener(kind, (event) => {
        last = event.lastEventId || last;
        const { data, site } = JSON.parse(event.data);
        for (const listener of listeners.get(kind) ?? []) listener({ ...data, site });
      });
    }
    source.addEventListener("presence", (event) => {
      const others = JSON.parse(event.data).people.filter((name) => name !== user);
      const place = document.getElementById("presence");
      if (place) place.textContent = others.length ? say("js.here", { names: others.join(", ") }) : "";
    });
    source.onopen = () => {
      clearTimeout(lost);
      lost = 0;
      if (said) toast(say("js.back"), { milliseconds: 3000 });
      said = false;
    };
    source.onerror = () => {
      lost ||= setTimeout(() => {
        said = true;
        toast(say("js.lost"), { milliseconds: 5000 });
      }, 3000);
      // A browser gives up for good when it was answered with an error; the service may be back in a moment.
      if (source.readyState === EventSource.CLOSED) {
        void session();
        setTimeout(open, 3000);
      }
    };
  };
  open();
  addEventListener("pagehide", () => source.close());
  // A page that comes back out of the browser's memory listens again.
  addEventListener("pageshow", (event) => event.persisted && open());
}
