"""Say whether a web address that a draft links to answers. No body is read."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from newsletter.approval.models import LinkCheck
from newsletter.web import fetch
from newsletter.web.fetch import THE_WEB, Way

Verdict = LinkCheck.Verdict

# Seconds, over all hops.
DEADLINE = 12.0
_HEADERS = {"User-Agent": "Wellread link check", "Accept": "*/*"}
_NO_HEAD = frozenset({400, 403, 404, 405, 406, 409, 429, 500, 501, 503})
_GUARDED = frozenset({401, 402, 403, 407, 429, 451, 999})
_GONE = frozenset({404, 410})


@dataclass(frozen=True, slots=True)
class Answer:
    verdict: LinkCheck.Verdict
    status: int | None = None
    detail: str = ""


def ask(url: str, *, way: Way = THE_WEB, now: Callable[[], float] = time.monotonic) -> Answer:
    """Say what stands at `url`. Takes at most about DEADLINE seconds. Raises nothing."""
    until = now() + DEADLINE

    def hop(address: str) -> fetch.Answer:
        answer = fetch.request("HEAD", address, way, until, _HEADERS, now=now)
        if answer.status in _NO_HEAD:
            # Not every server knows HEAD.
            answer = fetch.request("GET", address, way, until, _HEADERS, now=now)
        return answer

    try:
        status = fetch.follow(url, hop).status
        return Answer(_judge(status), status)
    except fetch.Forbidden as refusal:
        return Answer(Verdict.FORBIDDEN, detail=str(refusal)[:200])
    except fetch.Trouble as silence:
        return Answer(Verdict.SILENT, detail=str(silence)[:200])


def _judge(status: int) -> LinkCheck.Verdict:
    if status < 400:
        return Verdict.FINE
    if status in _GUARDED:
        return Verdict.GUARDED
    # Another 4xx is an answer about the way we asked, not about the page.
    return Verdict.GONE if status in _GONE else Verdict.SILENT
