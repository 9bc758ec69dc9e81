"""PyPI `akismet`: the key in the body, the host `rest.akismet.com`, as split DNS would lead it here."""

import asyncio
import re
from datetime import datetime, timezone

import akismet
import httpx

from check import HAM, PORT, PRAISE, Report, api, claque, site, status_of

SITE = "akismet-pypi"
report = Report(SITE)
api_key = site(SITE)
KEY = claque("hooks", "add", "blog", "--site", SITE, "--adapter", "akismet")
CONFIG = akismet.Config(key=KEY, url="https://blog.example")
answers = []


def here(request):
    request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=PORT)
    return request


class Here(httpx.HTTPTransport):
    """Connects to the service, whatever the address; the `Host` header stays."""

    def handle_request(self, request):
        return super().handle_request(here(request))


class HereAsync(httpx.AsyncHTTPTransport):
    async def handle_async_request(self, request):
        return await super().handle_async_request(here(request))


def client(config=CONFIG, **options):
    hooks = {"response": [answers.append]}
    headers = {"User-Agent": akismet.USER_AGENT, **options.pop("headers", {})}
    http = httpx.Client(transport=Here(), headers=headers, event_hooks=hooks, **options)
    return akismet.SyncClient(config=config, http_client=http)


def post(call, **form):
    """A call that the client has no method for, sent as it sends all others."""
    return client()._request("POST", "1.1", call, form).text


def check(text, post_, **fields):
    """Checks a comment under a post; the client's verdict and whether the answer asks to hold it."""
    fields = {"user_ip": "203.0.113.7", "comment_author": "Ann", **fields}
    verdict = client().comment_check(comment_content=text, permalink=f"https://blog.example/{post_}", **fields)
    return verdict, answers[-1].headers.get("X-akismet-error") is not None


def guid():
    return answers[-1].headers["X-akismet-guid"]


def usage():
    return client().usage_limit()["usage"]


HAM_, SPAM = akismet.CheckResponse.HAM, akismet.CheckResponse.SPAM
wrong = akismet.Config(key="000000000000", url="https://blog.example")

# Keys.
report.equal("verify-key", lambda: client().verify_key(), True)
report.equal("verify-key wrong", lambda: client(wrong).verify_key(), False)
report.equal(
    "validated-client", lambda: type(akismet.SyncClient.validated_client(CONFIG, client()._http_client)), akismet.SyncClient
)
report.raises(
    "validated-client wrong", lambda: akismet.SyncClient.validated_client(wrong, client()._http_client), akismet.APIKeyError
)
report.raises("comment-check wrong key", lambda: client(wrong).comment_check(user_ip="203.0.113.7"), akismet.APIKeyError)
# WordPress adds the key it has stored to every call: `key` is the one that is asked about.
report.equal("verify-key new beside stored", lambda: post("verify-key", key=KEY, blog="x", api_key=wrong.key), "valid")
report.equal("verify-key wrong beside stored", lambda: post("verify-key", key=wrong.key, blog="x", api_key=KEY), "invalid")
# WordPress's settings page keeps hexadecimal digits only, then wants twelve of them.
report.equal("key as WordPress keeps it", lambda: re.sub("(?i)[^a-f0-9]", "", KEY), KEY)

# Comments.
report.equal("comment-check ham", lambda: check(HAM, "a"), (HAM_, False))
ham = guid()
report.equal("comment-check review", lambda: check(PRAISE, "b"), (HAM_, True))
praise = guid()
report.equal("comment-check again", lambda: (check(PRAISE, "b"), guid()), ((HAM_, True), praise))
report.equal(
    "comment-check guaranteed spam by name", lambda: check(HAM, "c", comment_author="akismet-guaranteed-spam"), (SPAM, False)
)
report.equal(
    "comment-check guaranteed spam by address",
    lambda: check(HAM, "c", comment_author_email="akismet-guaranteed-spam@example.com"),
    (SPAM, False),
)
report.equal("comment-check administrator", lambda: check(PRAISE, "d", user_role="administrator"), (HAM_, False))
report.equal(
    "comment-check administrator of several roles", lambda: check(PRAISE, "d", user_role="editor,administrator"), (HAM_, False)
)
# `blog_lang` names the languages of the site, not of the comment.
report.equal("comment-check review on a German site", lambda: check(PRAISE, "e", blog_lang="de_DE"), (HAM_, True))
report.equal(
    "comment-check every field",
    lambda: check(
        PRAISE,
        "f",
        blog_charset="UTF-8",
        blog_lang="en_US",
        comment_author_email="ann@mail.example",
        comment_author_url="https://ann.example",
        comment_context="tram",
        comment_date_gmt="2026-11-25T10:00:00.123456",
        comment_post_modified_gmt="2026-11-24T10:00:00+00:00",
        comment_type="comment",
        honeypot_field_name="hp",
        recheck_reason="edit",
        referrer="https://blog.example/",
        user_agent="Mozilla/5.0",
    ),
    (HAM_, True),
)
report.equal(
    "comment-check keeps its time",
    lambda: api(api_key, "GET", f"/v1/comments/{SITE}/{guid()}")[1]["comment"].get("created_at", "")[:19],
    "2026-11-25T10:00:00",
)
report.equal(
    "comment-check text is kept",
    lambda: (
        check("Ünï🚋 + 100 % & <b>=\n\x00", "g"),
        api(api_key, "GET", f"/v1/comments/{SITE}/{guid()}")[1]["comment"]["text"],
    ),
    ((HAM_, False), "Ünï🚋 + 100 % & <b>=\n\x00"),
)


def counted(**fields):
    before = usage()
    return check(PRAISE, "h", **fields), usage() - before


report.equal("comment-check test keeps nothing", lambda: counted(is_test=True), ((HAM_, True), 0))
report.equal("comment-check counts as usage", counted, ((HAM_, True), 1))
# Discourse has no address for posts that came by its API, and sends the field empty.
report.equal("comment-check without an address", lambda: check(HAM, "i", user_ip=""), (HAM_, False))

# What people did.
fields = {"user_ip": "203.0.113.7", "comment_author": "Ann"}
report.equal("submit-spam", lambda: client().submit_spam(comment_content=HAM, permalink="https://blog.example/a", **fields), True)
report.equal("submit-spam rejects", lambda: status_of(api_key, SITE, ham), "rejected")
report.equal(
    "submit-ham", lambda: client().submit_ham(comment_content=PRAISE, permalink="https://blog.example/b", **fields), True
)
report.equal("submit-ham publishes", lambda: status_of(api_key, SITE, praise), "published")
report.equal("submit-spam of an unknown comment", lambda: client().submit_spam(comment_content="unknown", **fields), True)
report.raises("submit-ham wrong key", lambda: client(wrong).submit_ham(comment_content=HAM, **fields), akismet.APIKeyError)

# Usage.
report.equal(
    "usage-limit",
    lambda: {k: v for k, v in client().usage_limit().items() if k != "usage"},
    {"limit": "none", "percentage": "0.00", "throttled": False},
)
report.raises("usage-limit wrong key", lambda: client(wrong).usage_limit(), akismet.APIKeyError)

# Figures: a site of three comments, of which people call one missed spam and one a false alarm.
COUNTED = "akismet-counted"
site(COUNTED)
counted_key = claque("hooks", "add", "counted", "--site", COUNTED, "--adapter", "akismet")
figures = akismet.Config(key=counted_key, url="https://counted.example")
for text in (HAM, PRAISE, "Will there be a stop at the hospital? My mother, 81, goes there twice a week."):
    client(figures).comment_check(comment_content=text, **fields)
client(figures).submit_spam(comment_content=HAM, **fields)
client(figures).submit_ham(comment_content=PRAISE, **fields)
MONTH = datetime.now(timezone.utc).strftime("%Y-%m")


def key_sites(**options):
    # This client's key_sites sends no key, so it goes into the address or the host.
    return client(figures, params={"api_key": counted_key}).key_sites(**options)


def row():
    answer = key_sites()
    (one,) = answer[MONTH]
    return (
        {k: answer[k] for k in ("limit", "offset", "total")},
        sorted(one),
        one["spam"] + one["ham"],
        one["missed_spam"],
        one["false_positives"],
        one["is_revoked"],
    )


COLUMNS = ["api_calls", "false_positives", "ham", "is_revoked", "missed_spam", "site", "spam"]
report.equal("key-sites", row, ({"limit": 500, "offset": 0, "total": 1}, COLUMNS, 3, 1, 1, False))
report.equal(
    "key-sites by host", lambda: MONTH in client(figures, headers={"Host": f"{counted_key}.rest.akismet.com"}).key_sites(), True
)
report.equal("key-sites page", lambda: [key_sites(limit=1, offset=5)[k] for k in ("limit", "offset", "total")], [1, 5, 1])
report.equal(
    "key-sites month",
    lambda: [m for m in key_sites(month="2020-01") if re.fullmatch(r"\d{4}-\d\d", m)] in (["2020-01"], []),
    True,
)
report.equal("key-sites filter", lambda: key_sites(url_filter="nobody.example")["total"], 0)
report.equal(
    "key-sites csv",
    lambda: (
        [line.split(" (")[0] for line in key_sites(result_format="csv").splitlines()][:2]
        + [len(key_sites(result_format="csv").splitlines())]
    ),
    [f"Active sites for {counted_key} during {MONTH}", "Site,Total API Calls,Spam,Ham,Missed Spam,False Positives,Is Revoked", 3],
)
report.raises("key-sites wrong key", lambda: client(wrong, params={"api_key": wrong.key}).key_sites(), akismet.APIKeyError)
report.raises("key-sites no key", lambda: client().key_sites(), akismet.APIKeyError)


def stats(period):
    answer = client()._request("POST", "1.1", "get-stats", {"blog": figures.url, "key": counted_key, "from": period}).json()
    numbers = all(float(answer[name]) >= 0 for name in ("spam", "ham", "accuracy", "time_saved"))
    return (
        int(answer["spam"]) + int(answer["ham"]),
        int(answer["missed_spam"]),
        int(answer["false_positives"]),
        numbers,
        type(answer["breakdown"]),
    )


for period in ("60-days", "6-months", "all"):
    report.equal(f"get-stats {period}", lambda period=period: stats(period), (3, 1, 1, True, dict))
report.raises("get-stats wrong key", lambda: post("get-stats", key=wrong.key, blog="x"), akismet.APIKeyError)
report.equal(
    "token", lambda: (lambda text: bool(text) and text != "invalid" and KEY not in text)(post("token", api_key=KEY)), True
)
report.raises("token wrong key", lambda: post("token", api_key=wrong.key), akismet.APIKeyError)
# WordPress saves a key only if this says that the account is active.
report.equal(
    "get-subscription",
    lambda: client()._request("POST", "1.1", "get-subscription", {"key": KEY, "blog": "x"}).json()["status"],
    "active",
)


async def asynchronous():
    http = httpx.AsyncClient(transport=HereAsync(), headers={"User-Agent": akismet.USER_AGENT})
    async with akismet.AsyncClient(config=CONFIG, http_client=http) as one:
        texts = (HAM, PRAISE)
        return await asyncio.gather(*(one.comment_check(user_ip="203.0.113.8", comment_content=text) for text in texts))


report.equal("async comment-check", lambda: asyncio.run(asynchronous()), [HAM_, HAM_])
report.raises("deactivate wrong key", lambda: post("deactivate", key=wrong.key, blog="x"), akismet.APIKeyError)
report.equal("deactivate", lambda: post("deactivate", key=KEY, blog="x"), "deactivated")
report.end()
