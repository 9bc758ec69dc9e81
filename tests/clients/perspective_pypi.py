"""PyPI `perspective`: both of its calls, on Python's own HTTP."""

import json
import urllib.error

from perspective import PerspectiveAPI

from check import HAM, PRAISE, URL, Report, api, claque, site, status_of

SITE = "perspective-pypi"
report = Report(SITE)
api_key = site(SITE)
KEY = claque("hooks", "add", "perspective", "--site", SITE, "--adapter", "perspective")


def comment(number):
    api(api_key, "POST", "/v1/comments", {"id": number, "text": PRAISE})
    return str(number)


def judged(text):
    return api(api_key, "POST", "/v1/score", {"id": 0, "text": text})[1]["score"]


def client(key=KEY):
    made = PerspectiveAPI(key)
    made.api_client.url = f"{URL}/v1alpha1/{{endpoint}}"
    return made


report.equal("analyze praise", lambda: client().score(PRAISE), {"TOXICITY": judged(PRAISE)})
report.equal("analyze ham", lambda: client().score(HAM), {"TOXICITY": judged(HAM)})
report.equal(
    "analyze tells them apart", lambda: client().score(PRAISE)["TOXICITY"] > 0.999 > client().score(HAM)["TOXICITY"], True
)
report.equal(
    "analyze attributes",
    lambda: sorted(client().score(HAM, tests=["TOXICITY", "INSULT", "SPAM"])),
    ["INSULT", "SPAM", "TOXICITY"],
)


def whole():
    answer = client().analyze_comment(
        PRAISE,
        comment_type="PLAIN_TEXT",
        context=[{"text": "{}", "type": "PLAIN_TEXT"}],
        requested_attributes={"TOXICITY": {"scoreType": "PROBABILITY"}},
        span_annotations=True,
        languages=["en"],
        do_not_store=True,
        client_token="t-1",
        session_id="s",
        community_id="c",
    )
    (span,) = answer["attributeScores"]["TOXICITY"]["spanScores"]
    return (
        answer["languages"],
        answer["detectedLanguages"],
        answer["clientToken"],
        PRAISE[span["begin"] : span["end"]] == PRAISE,
        span["score"]["type"],
    )


report.equal("analyze every field", whole, (["en"], ["en"], "t-1", True, "PROBABILITY"))
report.raises("analyze wrong key", lambda: client("nobody").score(HAM), urllib.error.HTTPError)


def suggest(value, number):
    answer = client().suggest_score(
        PRAISE,
        {"TOXICITY": {"summaryScore": {"value": value}}},
        languages=["en"],
        client_token=f"comment:{number}",
        community_id="Coral:https://coral.example",
        context=[{"text": json.dumps({"url": "https://news.example/1", "Coral_comment_id": number})}],
    )
    return answer["clientToken"], status_of(api_key, SITE, number)


report.equal("suggestscore deleted", lambda: suggest(1.0, comment(1)), ("comment:1", "rejected"))
report.equal("suggestscore approved", lambda: suggest(0.0, comment(2)), ("comment:2", "published"))
report.equal("suggestscore of an unknown comment", lambda: suggest(1.0, "77"), ("comment:77", 404))
report.end()
