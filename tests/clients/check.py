"""What the Python scripts here share: one line a check, the command line of the service, its own API for what a client cannot see."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from urllib.parse import urlsplit

URL = os.environ["CLAQUE_URL"]
PORT = urlsplit(URL).port

HAM = "I am new in Wexcombe and I have not a car. For me is the tram very good news. Thank you for the good article."
PRAISE = (
    "The article raises important questions about the tram, and a nuanced understanding of this complex issue is crucial "
    "for all residents."
)


class Report:
    """Prints `ok CLIENT CHECK` or `FAIL CLIENT CHECK: why`; a check that raises has failed, the next one is made all the same."""

    def __init__(self, client):
        self.client = client
        self.failed = 0

    def _line(self, name, problem):
        print(f"FAIL {self.client} {name}: {problem}" if problem else f"ok {self.client} {name}", flush=True)
        self.failed += bool(problem)

    def equal(self, name, call, expected):
        """What `call` gives is exactly `expected`."""
        try:
            got = call()
        except Exception as error:  # a client raises what it likes
            self._line(name, f"raised {type(error).__name__}: {' '.join(str(error).split())}; expected {expected!r}")
            return None
        self._line(name, None if got == expected and type(got) is type(expected) else f"got {got!r}, expected {expected!r}")
        return got

    def raises(self, name, call, kind, text=""):
        """`call` raises `kind`, and the message tells the user `text`."""
        try:
            got = call()
        except kind as error:
            told = " ".join(str(error).split())
            self._line(name, None if text in told else f"said {told!r}, without {text!r}")
        except Exception as error:
            self._line(name, f"raised {type(error).__name__}: {' '.join(str(error).split())}; expected {kind.__name__}")
        else:
            self._line(name, f"got {got!r}, expected {kind.__name__}")

    def end(self):
        sys.exit(1 if self.failed else 0)


def claque(*args, stdin=None):
    """Runs `claque ARGS` on the service's database; what it prints."""
    done = subprocess.run([os.environ["CLAQUE_BIN"], *args], input=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"claque {' '.join(args)}: {done.stderr}")
    return done.stdout.strip()


def site(name):
    """Adds a site; a key for its API."""
    claque("sites", "add", name, "--title", name)
    return claque("keys", "create", "--site", name, "--scope", "score", "--scope", "review")


def api(key, method, path, body=None):
    """The service's own API: status and body."""
    request = urllib.request.Request(URL + path, method=method, data=None if body is None else json.dumps(body).encode())
    request.add_header("Authorization", f"Bearer {key}")
    request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            status, text = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read()
    return status, json.loads(text) if text else None


def status_of(key, name, comment):
    """The status of a comment, or the HTTP status when it is not there."""
    status, body = api(key, "GET", f"/v1/comments/{name}/{comment}")
    return body["status"] if status == 200 else status
