"""PyPI `python-akismet`: the key as the first label of the host, on the `requests` library."""

import datetime
import socket

import akismet

from check import HAM, PORT, PRAISE, Report, api, claque, site

SITE = "python-akismet"
report = Report(SITE)
api_key = site(SITE)
KEY = claque("hooks", "add", "blog", "--site", SITE, "--adapter", "akismet")
resolve = socket.getaddrinfo
socket.getaddrinfo = lambda host, *rest, **more: resolve(
    "127.0.0.1" if str(host).endswith(".claque.test") else host, *rest, **more
)


class Client(akismet.Akismet):
    protocol = "http"
    domain = f"rest.claque.test:{PORT}"


def client(key=KEY, **options):
    return Client(key, blog="https://blog.example", application_user_agent="Tests/1.0", **options)


def fields(post, text, **more):
    return {
        "user_ip": "203.0.113.7",
        "user_agent": "Mozilla/5.0",
        "comment_author": "Ann",
        "comment_content": text,
        "permalink": f"https://blog.example/{post}",
        "comment_date": datetime.datetime(2026, 11, 25, 10),
        **more,
    }


def stored():
    return api(api_key, "GET", "/v1/stats")[1]["comments"]


def counted(**options):
    before = stored()
    return client(**options).check(**fields("c", PRAISE)), stored() - before


report.equal("comment-check ham", lambda: client().check(**fields("a", HAM)), akismet.SpamStatus.Ham)
report.equal("comment-check review", lambda: client().check(**fields("b", PRAISE)), akismet.SpamStatus.Ham)
report.equal("comment-check review is queued", lambda: len(api(api_key, "GET", "/v1/queue")[1]["items"]), 1)
report.equal(
    "comment-check guaranteed spam",
    lambda: client().check(**fields("a", HAM, comment_author="akismet-guaranteed-spam")),
    akismet.SpamStatus.ProbableSpam,
)
report.raises(
    "comment-check wrong key", lambda: client("000000000000").check(**fields("a", HAM)), akismet.AkismetServerError, "key"
)
report.equal("submit-spam", lambda: client().submit_spam(**fields("b", PRAISE)), None)
report.equal("submit-spam empties the queue", lambda: len(api(api_key, "GET", "/v1/queue")[1]["items"]), 0)
report.equal("submit-ham", lambda: client().submit_ham(**fields("b", PRAISE)), None)
report.raises(
    "submit-ham wrong key", lambda: client("000000000000").submit_ham(**fields("a", HAM)), akismet.AkismetServerError, "invalid"
)
# It writes `is_test=True`, as Python does.
report.equal("comment-check test keeps nothing", lambda: counted(is_test=True), (akismet.SpamStatus.Ham, 0))
report.end()
