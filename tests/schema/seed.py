"""Fills a running service with what the operations are about, and writes the words that schemathesis shall try.

    seed.py URL FOLDER

The example thread and copies of one comment (cards, a campaign), a decision that stands and one that was undone, notes, views, a trusted author, an
allowed campaign, a callback message. FOLDER gets one dictionary a kind of id, and `csrf` and `cookie` of the user whose password is in SCHEMA_PASSWORD.
The key is SCHEMA_KEY. Looks at `/v1/events` too, which schemathesis cannot: its answer never ends.
"""

import http.client
import json
import os
import sys
import urllib.parse

HOST = urllib.parse.urlsplit(sys.argv[1]).netloc
FOLDER = sys.argv[2]
THREAD = "examples/thread"


def call(method, path, body=None, headers=None, expect=range(200, 300)):
    """The answer's JSON (none where it has no body) and its headers."""
    connection = http.client.HTTPConnection(HOST, timeout=20)
    headers = headers or {"Authorization": "Bearer " + os.environ["SCHEMA_KEY"]}
    if body is not None:
        headers = {"Content-Type": "application/json", **headers}
    connection.request(method, path, json.dumps(body) if body is not None else None, headers)
    response = connection.getresponse()
    data = response.read()
    if response.status not in expect:
        sys.exit(f"seed.py: {method} {path}: {response.status} {data.decode(errors='replace')}")
    connection.close()
    return (json.loads(data) if data else None), response.headers


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def dictionary(name, values):
    """The format of libFuzzer's dictionaries."""
    with open(f"{FOLDER}/{name}.dict", "w", encoding="utf-8") as file:
        for value in dict.fromkeys(values):
            escaped = "".join(
                chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\' else f"\\x{byte:02x}"
                for byte in value.encode()
            )
            file.write(f'"{escaped}"\n')


def comments():
    """The ids of all comments that were taken."""
    for article in lines(f"{THREAD}/article.jsonl"):
        call("PUT", f"/v1/articles/{article.pop('id')}", article)
    thread = lines(f"{THREAD}/comments.jsonl")
    copy = max((comment["text"] for comment in thread), key=len)
    copies = [
        {"id": f"copy/{n} ü", "article_id": "harbour-tram", "author": {"id": f"u{n}", "name": f"User {n}"}, "text": copy}
        for n in range(6)
    ]
    taken, _ = call("POST", "/v1/comments:batch", thread + copies)
    failed = [answer for answer in taken if "error" in answer]
    if failed:
        sys.exit(f"seed.py: a comment was not taken: {failed[0]}")
    return [answer["id"] for answer in taken]


def events():
    """The stream begins at once, as what it says it is, and tells what happened."""
    connection = http.client.HTTPConnection(HOST, timeout=10)
    connection.request("GET", "/v1/events?last_event_id=0", headers={"Authorization": "Bearer " + os.environ["SCHEMA_KEY"]})
    response = connection.getresponse()
    kind = response.headers.get_content_type()
    if (response.status, kind) != (200, "text/event-stream"):
        sys.exit(f"seed.py: GET /v1/events: {response.status} {kind}")
    while not response.readline().startswith(b"event: "):
        pass
    connection.close()


def main():
    ids = comments()
    items = call("GET", "/v1/queue?limit=200")[0]["items"]
    campaigns = call("GET", "/v1/campaigns")[0]["campaigns"]
    if len(items) < 2 or not campaigns:
        sys.exit(f"seed.py: {len(items)} cards and {len(campaigns)} campaigns are too few to test with")
    single = next(item for item in items if item["kind"] == "comment")
    decided = [
        call("POST", "/v1/decisions", {"item": single["id"], "version": single["version"], "action": "reject", "note": "seed"})[0]["id"],
        call("POST", "/v1/decisions", {"comment": {"site": "harbour-gazette", "id": ids[0]}, "action": "approve"})[0]["id"],
    ]
    call("POST", f"/v1/decisions/{decided[1]}/undo")
    call("POST", "/v1/notes", {"kind": "author", "subject": "u1", "text": "A note."})
    call("POST", f"/v1/comments/harbour-gazette/{urllib.parse.quote(ids[1], safe='')}/status", {"status": "published"})
    events()

    login = {"name": "boss", "password": os.environ["SCHEMA_PASSWORD"]}
    person, headers = call("POST", "/v1/session", login, headers={"User-Agent": "seed"})
    cookie = headers["Set-Cookie"].split(";")[0].split("=", 1)[1]
    session = {"Cookie": f"claque_session={cookie}", "X-CSRF-Token": person["csrf"]}
    for name, value in [("csrf", person["csrf"]), ("cookie", cookie)]:
        with open(f"{FOLDER}/{name}", "w", encoding="utf-8") as file:
            file.write(value)
    view, _ = call("POST", "/v1/views", {"name": "Campaigns", "query": {"kind": "campaign"}, "shared": True}, session)
    call("PUT", "/v1/trusted-authors/u9?site=harbour-gazette", {"note": "known"}, session)
    other = {"site": "harbour-gazette", "campaign": campaigns[-1]["id"], "title": "petition", "days": 30}
    allowed, _ = call("POST", "/v1/allowed-campaigns", other, session)

    dictionary("comment", ids)
    dictionary("card", [item["id"] for item in items])
    dictionary("campaign", [campaign["id"] for campaign in campaigns])
    dictionary("decision", decided)
    dictionary("view", [view["id"]])
    dictionary("allowed", [allowed["id"]])
    dictionary("akismet", [os.environ["SCHEMA_AKISMET"]])
    dictionary("perspective", [os.environ["SCHEMA_PERSPECTIVE"]])


main()
