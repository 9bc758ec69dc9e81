#!/usr/bin/env python3
"""An external signal for Claque: messenger handles and phone numbers offered for contact.

Claque posts each comment to it and adds the evidence that it answers to its own. Standard library only, Python 3.9 or later:

    handles.py [--port 9797] [--secret-file FILE]
    handles.py --self-test

The wire format and Claque's side of the configuration are in README.md beside this file.
"""

import argparse
import base64
import binascii
import hashlib
import hmac
import json
import re
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# The largest body that is read: a comment with its article.
LARGEST = 4 << 20
# Seconds that a signed request's time may be from ours.
TOLERANCE = 300
# Seconds that an idle connection is kept.
IDLE = 60

# Every repetition has a bound: a hostile comment must not make a match slow.
PHONE = r"(?:\+|\b00)[ ]?\d(?:[ .()/-]{0,2}\d){7,14}(?!\d)"
HANDLE = r"@[A-Za-z][\w.]{3,31}"
MESSENGER = r"(?:whats?[ -]?app|telegram|viber|we[ -]?chat|signal|zalo|kakao(?:talk)?)"
CONTACT = r"(?:call|text|sms|phone|ring|contact|reach|message|write(?: to)?|dm|add)"
# What may lie between "WhatsApp" and its number. Any other word, and it is a sentence about something else.
JOIN = r"(?:me|us|him|her|them|now|at|on|via|is|my|our|the|number|no|id|handle|channel|group)"
GAP = rf"(?:[ \t:=>,–—-]{{1,3}}{JOIN}\b\.?){{0,4}}[ \t:=>,–—-]{{0,3}}"

# rule, points (natural-log odds), pattern whose group 1 is what a moderator should see, sentence
RULES = [
    (
        "handles/messenger",
        1.2,
        re.compile(rf"\b({MESSENGER}\b{GAP}(?:{PHONE}|{HANDLE}))", re.IGNORECASE),
        "offers a messenger contact",
    ),
    (
        "handles/link",
        1.2,
        re.compile(
            r"\b((?:https?://)?(?:(?:t|telegram)\.me/\+?\w{4,40}|wa\.me/\+?\d{7,15}"
            r"|chat\.whatsapp\.com/\w{8,40}|api\.whatsapp\.com/send/?\?phone=\+?\d{7,15}))",
            re.IGNORECASE,
        ),
        "links to a messenger contact",
    ),
    (
        "handles/phone",
        0.6,
        re.compile(rf"\b({CONTACT}\b{GAP}{PHONE})", re.IGNORECASE),
        "offers a phone number for contact",
    ),
]


def evidence(text):
    """What speaks for advertising in a text: one entry a rule, a place belongs to the first rule that names it."""
    found = []
    taken = []
    for rule, points, pattern, message in RULES:
        spans = []
        for match in pattern.finditer(text):
            start, end = match.span(1)
            if all(end <= other[0] or start >= other[1] for other in taken):
                taken.append((start, end))
                spans.append([byte_offset(text, start), byte_offset(text, end)])
        if spans:
            found.append({"rule": rule, "points": points, "spans": spans, "message": message})
    return found


def byte_offset(text, index):
    """Claque counts bytes of UTF-8, Python counts characters."""
    # JSON can carry half a surrogate pair, which is no text; it must not end the request.
    return len(text[:index].encode("utf-8", "surrogatepass"))


class BadRequest(Exception):
    """A body that is not what Claque sends."""


def answer(body):
    """The answer to a request's body, both as bytes."""
    try:
        request = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"not JSON: {error}") from error
    if not isinstance(request, dict) or request.get("version") != 1:
        raise BadRequest("`version` is not 1")
    comment = request.get("comment")
    text = comment.get("text") if isinstance(comment, dict) else None
    if not isinstance(text, str):
        raise BadRequest("`comment.text` is missing")
    return json.dumps({"evidence": evidence(text)}).encode()


def sign(key, message, seconds, body):
    """A Standard Webhooks 1.0 signature."""
    content = f"{message}.{seconds}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


def is_signed(key, headers, body, now):
    """Whether a request comes from somebody who knows the key, now."""
    message, seconds = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not re.fullmatch(r"[0-9]{1,12}", seconds) or abs(now - int(seconds)) > TOLERANCE:
        return False
    expected = sign(key, message, seconds, body).encode()
    given = headers.get("webhook-signature", "").split(" ")
    return any(hmac.compare_digest(expected, one.encode("utf-8", "replace")) for one in given)


def read_key(path):
    """The key in a file with a `whsec_` secret."""
    with open(path, encoding="utf-8") as file:
        secret = file.read().strip()
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith("whsec_") or len(key) < 16:
        sys.exit(f"{path}: not a secret: `whsec_` and at least 16 bytes in base64")
    return key


class Handler(BaseHTTPRequestHandler):
    """Answers `POST /`; the connection stays open for the next comment."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE
    # Head and body leave in one packet, at once: a delayed acknowledgement costs 40 ms, and Claque waits for 150.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_POST(self):
        length = self.headers.get("content-length", "")
        if not re.fullmatch(r"[0-9]{1,12}", length):
            self.reply(411, {"error": "`Content-Length` is needed"}, close=True)
            return
        if int(length) > LARGEST:
            self.reply(413, {"error": f"more than {LARGEST} bytes"}, close=True)
            return
        body = self.rfile.read(int(length))
        key = self.server.key
        if self.path != "/":
            self.reply(404, {"error": "only `/` is here"})
        elif key and not is_signed(key, self.headers, body, time.time()):
            self.reply(401, {"error": "the signature or its time does not fit"})
        else:
            try:
                self.send(200, answer(body))
            except BadRequest as error:
                self.reply(400, {"error": str(error)})

    def reply(self, status, problem, close=False):
        """Answers with a problem; where the body was not read, the connection cannot go on."""
        self.close_connection = self.close_connection or close
        self.send(status, json.dumps(problem).encode())

    def send(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code="-", size="-"):
        """Comments come by the thousand: only problems are worth a line."""
        if code != 200:
            super().log_request(code, size)


class Server(ThreadingHTTPServer):
    """One thread a connection; Claque keeps a few open."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port, key):
        super().__init__(("127.0.0.1", port), Handler)
        self.key = key


def self_test():
    """Ends with an exception where something is wrong."""

    def marked(text):
        raw = text.encode()
        return [(e["rule"], raw[a:b].decode()) for e in evidence(text) for a, b in e["spans"]]

    for text, expected in [
        ("Schöne Grüße, zażółć 👍 – WhatsApp +1 (202) 555-0143!", [("handles/messenger", "WhatsApp +1 (202) 555-0143")]),
        ("مرحبا Telegram: @fast_profit now", [("handles/messenger", "Telegram: @fast_profit")]),
        ("日本 see t.me/fast_profit and https://wa.me/12025550143", [
            ("handles/link", "t.me/fast_profit"), ("handles/link", "https://wa.me/12025550143")]),
        ("é text me on +44 20 7946 0958", [("handles/phone", "text me on +44 20 7946 0958")]),
        # The messenger's rule takes the number, the phone's rule does not count it again.
        ("Contact her on WhatsApp +12025550143", [("handles/messenger", "WhatsApp +12025550143")]),
        # No opinion: numbers and names that nobody offers.
        ("The 2024 budget of 1 200 000 000 euros", []),
        ("Emergencies: call 112. I use WhatsApp daily, ask @anna", []),
        ("The phone hotline was 0800 1111 as I recall", []),
        ("not at://t.me/ab", []),
        ("", []),
    ]:
        assert marked(text) == expected, (text, marked(text))
    spans = evidence("Grüße 👍 t.me/fast_profit")[0]["spans"]
    assert spans == [[13, 29]], spans

    slow = "whatsapp call " * 20000 + "+1" * 20000 + " 1" * 20000
    before = time.perf_counter()
    evidence(slow)
    assert time.perf_counter() - before < 5, "a hostile text takes too long"

    # The test vector of Standard Webhooks.
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    vector = ("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')
    assert sign(key, *vector) == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    headers = {
        "webhook-id": vector[0],
        "webhook-timestamp": vector[1],
        "webhook-signature": "v1a,other " + sign(key, *vector),
    }
    assert is_signed(key, headers, vector[2], 1614265330 + 299)
    assert not is_signed(key, headers, vector[2], 1614265330 + 301)
    assert not is_signed(key, headers, b"{}", 1614265330)
    assert not is_signed(b"another key of some length", headers, vector[2], 1614265330)
    assert not is_signed(key, {}, vector[2], 1614265330)

    test_server(key)
    print("ok")


def test_server(key):
    """The server as Claque meets it: several requests on one connection, refusals among them."""
    import http.client

    server = Server(0, key)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.RequestHandlerClass = type("Quiet", (Handler,), {"log_message": lambda *_: None})
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=5)

    def ask(body, path="/", signing=key):
        now = str(int(time.time()))
        headers = {"webhook-id": "m", "webhook-timestamp": now, "webhook-signature": sign(signing, "m", now, body)}
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())

    def comment(text):
        return json.dumps({"version": 1, "comment": {"id": "1", "text": text}, "article": None, "parent": None}).encode()

    before = time.perf_counter()
    for _ in range(50):
        status, body = ask(comment("WhatsApp +1 202 555 0143"))
        assert (status, body["evidence"][0]["spans"]) == (200, [[0, 24]]), body
    assert time.perf_counter() - before < 1.5, "a request takes longer than 30 ms: is something waiting for an acknowledgement?"
    assert ask(comment("Good morning.")) == (200, {"evidence": []})
    assert ask(comment("\ud83d t.me/fast_profit"))[0] == 200
    for body in [b"", b"{", b"[]", b"\xff", b'{"version": 1}', b'{"version": 2, "comment": {"text": ""}}',
                 b'{"version": 1, "comment": {"text": 7}}', b"[" * 100000]:
        assert ask(body)[0] == 400, body[:50]
    assert ask(comment("x"), path="/other")[0] == 404
    assert ask(comment("x"), signing=b"another key of some length")[0] == 401
    assert ask(comment("after all that"))[0] == 200
    connection.close()
    server.shutdown()
    server.server_close()


def main():
    parser = argparse.ArgumentParser(description="Claque plugin: messenger handles and phone numbers offered for contact")
    parser.add_argument("--port", type=int, default=9797, help="port on 127.0.0.1 (default: 9797)")
    parser.add_argument("--secret-file", help="file with the whsec_ secret that requests are signed with")
    parser.add_argument("--self-test", action="store_true", help="test and end")
    options = parser.parse_args()
    if options.self_test:
        self_test()
        return
    server = Server(options.port, read_key(options.secret_file) if options.secret_file else None)
    # As a service it is stopped by SIGTERM; the default would end it without closing the socket.
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"listening on http://127.0.0.1:{server.server_address[1]}/", file=sys.stderr, flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    server.server_close()


if __name__ == "__main__":
    main()
