"""What an ESP's answer means for the messages of one call."""

import math
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from anymail.exceptions import AnymailAPIError, AnymailError, AnymailInvalidAddress

from newsletter.transports.values import Outcome, Receipt, without_addresses

# anymail's words for what became of a recipient, and ours.
STATUSES = {
    "sent": Receipt(Outcome.ACCEPTED, 250, "2.0.0", "sent"),
    "queued": Receipt(Outcome.ACCEPTED, 250, "2.0.0", "queued"),
    "invalid": Receipt(Outcome.PERMANENT, 550, "5.1.3", "invalid address"),
    # On the provider's own list of refusals, not proof that the mailbox is gone.
    "rejected": Receipt(Outcome.PERMANENT, 550, "5.0.0", "rejected by the provider"),
    "failed": Receipt(Outcome.TEMPORARY, 450, "4.0.0", "failed at the provider"),
    "unknown": Receipt(Outcome.UNKNOWN, None, "", "the provider does not say"),
}

# Seconds to leave an ESP alone that says "too many" and not for how long.
WAIT = 5.0
# And one that names no time to speak of, or one that is over.
SHORTEST_WAIT = 0.5
LONGEST_WAIT = 3600.0

# Words by which an API says that it is the recipient's address that it does not take.
_ADDRESS_WORDS = ("not a valid address", "'to' parameter", "invalid 'to'", "error parsing 'to'",
                  "email is not valid in to", "invalid email address")  # fmt: skip
# Names for "a call with this idempotency key came before" (Brevo: guide, "Idempotency for batch
# emails"; Resend: API reference, "Errors").
_HAD_IT_BEFORE = frozenset(
    {"duplicate_parameter", "invalid_idempotent_request", "concurrent_idempotent_requests"}
)
# Amazon's names for what HTTP says elsewhere (SES API v2, SendEmail, Errors).
_AMAZON = {
    "TooManyRequestsException": 429,
    "Throttling": 429,
    "ThrottlingException": 429,
    "ServiceUnavailable": 503,
    "AccessDeniedException": 403,
    "UnrecognizedClientException": 403,
    "InvalidSignatureException": 403,
    "ExpiredTokenException": 403,
    # The account's sending is paused, or its daily quota used up: no reader's fault, and the next
    # one would hear the same.
    "SendingPausedException": 403,
    "AccountSuspendedException": 403,
    "LimitExceededException": 402,
    "MailFromDomainNotVerifiedException": 403,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """`receipt` is for every message of the call. `wait` asks for that many seconds of quiet.

    `nothing_went` is true when the API refused the call whole: what was in it can be sent in
    other calls, and cannot arrive twice.
    """

    receipt: Receipt
    nothing_went: bool = False
    wait: float = 0.0

    @property
    def nobody_would_get_through(self) -> bool:
        """It cannot be reached, or does not take our key. One that asks for time is well."""
        return self.receipt.about_the_line and not self.wait


def verdict(error: Exception) -> Verdict:
    """Return what a failed call means. `error` is anymail's, or one of its configuration."""
    said = _said(error)
    if isinstance(error, AnymailInvalidAddress):
        return Verdict(Receipt(Outcome.PERMANENT, 553, "5.1.3", said), nothing_went=True)
    if not isinstance(error, AnymailAPIError):
        # A feature that the provider lacks, a key that is missing: ours, and nothing was called.
        return Verdict(Receipt(Outcome.OURS, reply=said, about_the_line=True), nothing_went=True)
    code = status_of(error)
    if code is None:
        if never_connected(error):
            return Verdict(
                Receipt(Outcome.TEMPORARY, reply=said, about_the_line=True), nothing_went=True
            )
        # The request went out, or some of it, and no answer came back (invariant 7).
        return Verdict(Receipt(Outcome.UNKNOWN, reply=said))
    if code in (429, 503):
        receipt = Receipt(Outcome.TEMPORARY, 450, "4.3.2", said, about_the_line=True)
        return Verdict(receipt, nothing_went=True, wait=_asked_wait(error))
    if code in (408, 425):
        receipt = Receipt(Outcome.TEMPORARY, 450, "4.0.0", said, about_the_line=True)
        return Verdict(receipt, nothing_went=True)
    if _had_it_before(error):
        # This one did nothing, and what became of the earlier one is not said. Sent again in
        # another way, under another key, it could arrive twice.
        return Verdict(Receipt(Outcome.UNKNOWN, None, "", said))
    if 400 <= code < 500:
        if _names_the_address(error):
            return Verdict(Receipt(Outcome.PERMANENT, 550, "5.1.3", said), nothing_went=True)
        # A key, a plan or a payload that the provider does not take: no reader's fault.
        ours = Receipt(Outcome.OURS, 550, "5.7.0", said, about_the_line=code in (401, 402, 403))
        return Verdict(ours, nothing_went=True)
    return Verdict(Receipt(Outcome.UNKNOWN, None, "", said))


def status_of(error: AnymailAPIError) -> int | None:
    """Return the HTTP status that was answered; None when there was no answer."""
    if error.status_code is not None:
        return int(error.status_code)
    response = error.response
    if isinstance(response, dict):  # boto3's
        named = _AMAZON.get(response.get("Error", {}).get("Code", ""))
        given = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        return named or (int(given) if given else None)
    if any(type(cause).__name__ in _NO_KEY for cause in _causes(error)):
        return 401
    return None


def never_connected(error: BaseException) -> bool:
    """True when not one octet of the request can have gone out."""
    return any(
        isinstance(cause, _BEFORE_ANY_OCTET)
        or type(cause).__name__ in _NOT_CONNECTED
        or _is_of_the_handshake(cause)
        for cause in _causes(error)
    )


def _is_of_the_handshake(error: BaseException) -> bool:
    """True when TLS failed before anything could be sent inside it. The same errors also come
    instead of an answer, to a request that was read: only the place tells them apart."""
    trace = error.__traceback__ if isinstance(error, OSError) else None
    while trace is not None:
        if trace.tb_frame.f_code is ssl.SSLSocket.do_handshake.__code__:
            return True
        trace = trace.tb_next
    return False


_BEFORE_ANY_OCTET = (requests.ConnectTimeout, ConnectionRefusedError)
# By name, because boto3 need not be there, and urllib3 wraps its own in requests'.
_NOT_CONNECTED = frozenset(
    {"NewConnectionError", "NameResolutionError", "EndpointConnectionError",
     "ConnectTimeoutError", "gaierror"}
)  # fmt: skip
_NO_KEY = frozenset({"NoCredentialsError", "PartialCredentialsError", "NoRegionError"})


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        cause = waiting.pop()
        if not isinstance(cause, BaseException) or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting += [cause.__cause__, cause.__context__, getattr(cause, "reason", None)]
        waiting += [one for one in cause.args if isinstance(one, BaseException)]
        waiting.append(getattr(cause, "kwargs", {}).get("error"))


def _asked_wait(error: AnymailAPIError) -> float:
    """Return the seconds that the API asked to be left alone (RFC 9110 section 10.2.3)."""
    headers: Mapping[str, str] = {}
    if isinstance(error.response, requests.Response):
        headers = error.response.headers
    elif isinstance(error.response, dict):
        headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    # Brevo has a name of its own for it.
    asked = headers.get("retry-after") or headers.get("x-sib-ratelimit-reset")
    seconds = _seconds(asked) if asked else None
    return WAIT if seconds is None else min(max(seconds, SHORTEST_WAIT), LONGEST_WAIT)


def _seconds(asked: str) -> float | None:
    try:
        seconds = float(asked)
    except ValueError:
        try:
            return parsedate_to_datetime(asked).timestamp() - time.time()
        except ValueError:
            return None
    return seconds if math.isfinite(seconds) else None


def _names_the_address(error: AnymailAPIError) -> bool:
    said = _words(error).lower()
    return any(words in said for words in _ADDRESS_WORDS)


def _had_it_before(error: AnymailAPIError) -> bool:
    body = _body(error)
    return any(str(body.get(name)) in _HAD_IT_BEFORE for name in ("code", "name"))


def _words(error: AnymailAPIError) -> str:
    """What the API itself said, out of the JSON in which it said it."""
    said = _body(error).get("message")
    return said if isinstance(said, str) else ""


def _body(error: AnymailAPIError) -> dict[str, Any]:
    """Return the JSON that was answered, its names in lower case; empty if it was anything else."""
    body: Any = None
    if isinstance(error.response, requests.Response):
        try:
            body = error.response.json()
        except ValueError:
            return {}
    elif isinstance(error.response, dict):  # boto3's
        body = error.response.get("Error", {})
    if not isinstance(body, dict):
        return {}
    return {str(name).lower(): value for name, value in body.items()}


def _why(error: AnymailAPIError) -> str:
    """Why no answer came, as the system says it: anymail's first line names the address alone."""
    causes = [cause for cause in _causes(error) if isinstance(cause, OSError) and cause.strerror]
    return str(causes[0].strerror) if causes else ""


def _said(error: Exception) -> str:
    """One line for staff, without the reader's address, and never the payload, which holds it."""
    parts = [(str(error).splitlines() or [type(error).__name__])[0]]
    if isinstance(error, AnymailError) and isinstance(error, AnymailAPIError):
        parts.append(_words(error) if error.response is not None else _why(error))
    line = " ".join(" ".join(filter(None, parts)).split())
    return without_addresses(line)[:200]
