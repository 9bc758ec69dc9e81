"""PyPI `google-api-python-client`, the client of Perspective's own documentation; its discovery document lies beside this file."""

import json
import pathlib

import httplib2
from googleapiclient.discovery import build_from_document
from googleapiclient.errors import HttpError

from check import PRAISE, URL, Report, api, claque, site, status_of

SITE = "google-api-python-client"
report = Report(SITE)
api_key = site(SITE)
KEY = claque("hooks", "add", "perspective", "--site", SITE, "--adapter", "perspective")
DOCUMENT = json.loads((pathlib.Path(__file__).parent / "commentanalyzer.v1alpha1.json").read_text(encoding="utf-8"))


def comment(number):
    api(api_key, "POST", "/v1/comments", {"id": number, "text": PRAISE})
    return str(number)


def judged(text):
    return api(api_key, "POST", "/v1/score", {"id": 0, "text": text})[1]["score"]


def google(key=KEY):
    return build_from_document(
        DOCUMENT, developerKey=key, http=httplib2.Http(timeout=10), client_options={"api_endpoint": URL}
    ).comments()


def analyze(key=KEY, **body):
    return google(key).analyze(body={"comment": {"text": PRAISE}, "requestedAttributes": {"TOXICITY": {}}, **body}).execute()


def reason(call):
    """What this library shows its user of an error."""
    try:
        return call()
    except HttpError as error:
        return error.reason


report.equal(
    "analyze", lambda: analyze()["attributeScores"]["TOXICITY"]["summaryScore"], {"value": judged(PRAISE), "type": "PROBABILITY"}
)
report.equal(
    "analyze nulls",
    lambda: sorted(analyze(languages=None, clientToken=None, requestedAttributes={"TOXICITY": None})["attributeScores"]),
    ["TOXICITY"],
)
report.raises("analyze wrong key", lambda: analyze("nobody"), HttpError)
report.equal("analyze wrong key says so", lambda: "key" in reason(lambda: analyze("nobody")), True)
report.equal(
    "analyze no attributes says so", lambda: "requestedAttributes" in reason(lambda: analyze(requestedAttributes={})), True
)
report.equal(
    "suggestscore",
    lambda: (
        google()
        .suggestscore(
            body={
                "comment": {"text": PRAISE},
                "attributeScores": {"TOXICITY": {"summaryScore": {"value": 1}}},
                "clientToken": f"comment:{comment(3)}",
            }
        )
        .execute()["clientToken"]
    ),
    "comment:3",
)
report.equal("suggestscore rejects", lambda: status_of(api_key, SITE, "3"), "rejected")
report.end()
