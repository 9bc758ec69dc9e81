"""PyPI `standardwebhooks`: signs deliveries to a generic hook, verifies the decisions that come back."""

import http.server
import json
import queue
import threading
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone

from standardwebhooks import Webhook

from check import HAM, PRAISE, URL, Report, api, claque, site, status_of

SITE = "webhooks-pypi"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BACK = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
report = Report(SITE)
api_key = site(SITE)
claque("hooks", "add", SITE, "--site", SITE, "--adapter", "generic", "--secret-stdin", stdin=SECRET)


def deliver(message, kind, data, secret=SECRET, at=None, body=None):
    """Signs and posts one delivery; status and answer."""
    text = json.dumps({"type": kind, "timestamp": "2026-11-25T10:00:00Z", "data": data}, ensure_ascii=False)
    at = at or datetime.now(timezone.utc)
    headers = {
        "Content-Type": "application/json",
        "webhook-id": message,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(message, at, text),
    }
    request = urllib.request.Request(f"{URL}/hooks/{SITE}", data=(body or text).encode(), headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            status, got = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        status, got = error.code, error.read()
    return status, json.loads(got) if got else None


def verdict(*args, **more):
    status, answer = deliver(*args, **more)
    return status, answer.get("verdict"), answer.get("queued")


def refused(*args, **more):
    status, answer = deliver(*args, **more)
    return status, answer.get("code")


article = {"id": "tram", "title": "Council approves the tram", "body": "It will cost 184 million."}
report.equal("article.published", lambda: deliver("m0", "article.published", article), (204, None))
report.equal(
    "comment.created ham",
    lambda: verdict("m1", "comment.created", {"id": 1, "article_id": "tram", "author": "u1", "text": HAM}),
    (200, "allow", False),
)
praise = {"id": 2, "article_id": "tram", "author": {"id": "u2", "name": "Bée"}, "text": PRAISE + " 🚋"}
report.equal("comment.created review", lambda: verdict("m2", "comment.created", praise), (200, "review", True))
report.equal(
    "comment.created again",
    lambda: deliver("m2", "comment.created", praise)[1] == deliver("m2", "comment.created", praise)[1],
    True,
)
report.equal(
    "comment.updated",
    lambda: verdict("m3", "comment.updated", {**praise, "id": 1, "author": "u1", "revision": 2}),
    (200, "review", True),
)
report.equal(
    "comment.status",
    lambda: (deliver("m4", "comment.status", {"id": 1, "status": "rejected"}), status_of(api_key, SITE, 1)),
    ((204, None), "rejected"),
)
report.equal(
    "comment.deleted", lambda: (deliver("m5", "comment.deleted", {"id": 1}), status_of(api_key, SITE, 1)), ((204, None), 404)
)
report.equal("another secret", lambda: refused("m6", "comment.created", praise, secret=BACK), (401, "bad-signature"))
report.equal("another body", lambda: refused("m7", "comment.created", praise, body="{}"), (401, "bad-signature"))
old, new = (datetime.now(timezone.utc) + timedelta(minutes=m) for m in (-6, 6))
report.equal("too old", lambda: refused("m8", "comment.created", praise, at=old), (401, "stale-timestamp"))
report.equal("too new", lambda: refused("m9", "comment.created", praise, at=new), (401, "stale-timestamp"))
report.equal("unknown type", lambda: refused("m10", "comment.liked", praise), (400, "invalid-body"))

# Callbacks. The first is answered 503 once, so that it comes a second time.
arrived = queue.Queue()
answers = [503]


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        arrived.put((dict(self.headers.items()), body))
        self.send_response(answers.pop(0) if answers else 204)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()
claque(
    "callbacks",
    "add",
    f"http://127.0.0.1:{server.server_port}/decisions",
    "--site",
    SITE,
    "--secret-stdin",
    "--allow-private",
    stdin=BACK,
)
status, decided = api(
    api_key,
    "POST",
    "/v1/decisions",
    {"comment": {"site": SITE, "id": 2}, "action": "reject", "reason": "spam", "note": "Zug um Zug – 🚋"},
)
(headers, body), (again_headers, again_body) = arrived.get(timeout=10), arrived.get(timeout=15)
seen = {}


def verified():
    seen.update(Webhook(BACK).verify(body, headers))
    data = seen["data"]
    return (
        seen["type"],
        data["decision"] == decided["id"],
        data["site"],
        data["comment"],
        data["action"],
        data["reason"],
        data["note"],
    )


report.equal(
    "callback verifies",
    verified,
    ("comment.decided", True, SITE, {"id": "2", "status": "rejected"}, "reject", "spam", "Zug um Zug – 🚋"),
)
report.equal(
    "callback time",
    lambda: abs(datetime.fromisoformat(seen["timestamp"]) - datetime.now(timezone.utc)) < timedelta(minutes=1),
    True,
)
report.equal("callback content type", lambda: {k.lower(): v for k, v in headers.items()}["content-type"], "application/json")
report.raises(
    "callback under another secret", lambda: Webhook(SECRET).verify(body, headers), Exception, "No matching signature found"
)
report.raises(
    "callback changed on the way",
    lambda: Webhook(BACK).verify(body.replace(b"reject", b"accept"), headers),
    Exception,
    "No matching signature found",
)
lower = [{k.lower(): v for k, v in each.items()} for each in (headers, again_headers)]
report.equal(
    "callback again has its id and body",
    lambda: (lower[0]["webhook-id"] == lower[1]["webhook-id"], body == again_body),
    (True, True),
)
report.equal("callback again verifies", lambda: Webhook(BACK).verify(again_body, again_headers)["type"], "comment.decided")
api(api_key, "POST", f"/v1/decisions/{decided['id']}/undo", {})
undone_headers, undone_body = arrived.get(timeout=10)
report.equal(
    "callback undo verifies",
    lambda: (lambda got: (got["type"], got["data"]["comment"], got["data"]["decision"] == decided["id"]))(
        Webhook(BACK).verify(undone_body, undone_headers)
    ),
    ("comment.undone", {"id": "2", "status": "published"}, True),
)
report.end()
