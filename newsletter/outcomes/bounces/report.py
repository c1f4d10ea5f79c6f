"""What a mail that came to a return path says: a pure function from bytes to a verdict.

Only what machines wrote for machines is read: a delivery status (RFC 3464, RFC 6533) or a feedback
report (RFC 5965) in a multipart/report (RFC 6522). Sentences for people are never searched for
words, since every provider words them differently and any of them may be quoted by a reader.
"""

import logging
import re
from dataclasses import dataclass
from email.message import Message
from enum import StrEnum

from newsletter.outcomes.bounces.parts import blocks_of, field, head_of, parts_of
from newsletter.outcomes.bounces.trace import has_null_return_path
from newsletter.transports.classify import HARD

log = logging.getLogger(__name__)


class Verdict(StrEnum):
    FAILED = "failed"
    # Somebody still tries.
    DELAYED = "delayed"
    COMPLAINED = "complained"
    # Delivered, relayed, read, not spam, and machines that answer for people: nothing follows.
    NOTHING = "nothing"
    # No report, or one that cannot be read: for people, if for anybody.
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Report:
    """`status` is an enhanced code (RFC 3463), `detail` what the server said, on one line."""

    verdict: Verdict
    status: str = ""
    detail: str = ""


# A failure whose cause nobody told us: it counts when it goes on for weeks, never at once.
NO_CAUSE = "5.0.0"

_NOTHING, _OTHER = Report(Verdict.NOTHING), Report(Verdict.OTHER)
_STATUS_PARTS = frozenset({"message/delivery-status", "message/global-delivery-status"})
# RFC 3464 section 2.3.3. Who forwards or expands a list has taken the mail.
_GOT_IT = frozenset({"delivered", "relayed", "expanded"})
# RFC 5965 section 7.3, as far as a reader says it of a mail that they do not want.
_COMPLAINTS = frozenset({"abuse", "fraud"})

_WORD = re.compile(r"[a-z_-]+")
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?![\d.])")
# `smtp; 550 5.1.1 text`, `smtp;550-5.1.1 text`: the code in SMTP's own place for it (RFC 2034).
_DIAGNOSTIC = re.compile(
    r"smtp ?; ?(?:[245]\d\d[ -])? ?(?:([245]\.\d{1,3}\.\d{1,3})(?![\d.]))?", re.I
)
# What old mail programs put on an answer for their owner, beside Auto-Submitted (RFC 3834).
_ANSWERS = ("X-Autoreply", "X-Autorespond", "X-Auto-Response-Suppress")
_BULK = frozenset({"bulk", "junk", "list", "auto_reply"})
# Who writes bounces (RFC 5321 section 4.5.1 and custom). An answer comes from its owner's address.
_SERVER = re.compile(
    r"(?:.*[\s<])?(?:mailer-daemon|postmaster)(?:@[^\s<>()]+)?>?(?: ?\([^()]*\))?", re.I
)


def read(raw: bytes) -> Report:
    """Return what the mail says. Any bytes may be given; never raises."""
    try:
        return _read(raw)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        # Each of these has been raised by some version of the standard library's parser, for a
        # field that it should have taken. One such mail must not hold up those behind it.
        log.warning("A mail to a return path could not be read: %s", type(error).__name__)
        return _OTHER


def _read(raw: bytes) -> Report:
    mail, body = head_of(raw)
    if mail.get_content_type() != "multipart/report":
        return _without_report(mail)
    # What claims to be a report is believed only as one.
    boundary = mail.get_boundary()
    for head, content in parts_of(body, boundary)[1:] if boundary else ():
        kind = head.get_content_type()
        if kind in _STATUS_PARTS:
            return _delivery_status(blocks_of(head, content))
        if kind == "message/feedback-report":
            return _feedback(blocks_of(head, content))
    is_receipt = _word(str(mail.get_param("report-type", ""))) == "disposition-notification"
    return _NOTHING if is_receipt else _OTHER


def _delivery_status(blocks: list["Message[str, str]"]) -> Report:
    """Of several readers, to whom an address may have led, the one best off counts: while
    somebody gets the mail, the address works."""
    told = [_about_one(block) for block in blocks if "Action" in block]
    return min(told, key=_severity, default=_OTHER)


def _about_one(block: "Message[str, str]") -> Report:
    action = _word(field(block, "Action"))
    if action in _GOT_IT:
        return _NOTHING
    if action not in ("failed", "delayed"):
        return _OTHER
    status, words = _cause(block)
    if action == "failed" and status[:1] not in ("4", "5"):
        # A failure that calls itself a success says nothing of its cause.
        status = NO_CAUSE
    return Report(Verdict(action), status, words)


def _cause(block: "Message[str, str]") -> tuple[str, str]:
    """Return the status ("": none that can be read), and the words of the server that said no.

    Some servers write 5.0.0 whatever they were told (Exim does); then the code that they were told
    counts, which stands in its fixed place.
    """
    found = _STATUS.match(field(block, "Status"))
    status = found[0] if found else ""
    words = field(block, "Diagnostic-Code")
    told = _DIAGNOSTIC.match(words)
    if told and told[1] and (not status or status.endswith(".0.0")):
        status = told[1]
    return status, words.partition(";")[2].strip() or words


def _severity(report: Report) -> int:
    order = (Verdict.NOTHING, Verdict.DELAYED, Verdict.OTHER, Verdict.FAILED)
    return 2 * order.index(report.verdict) + (report.status in HARD)


def _feedback(blocks: list["Message[str, str]"]) -> Report:
    said = _word(field(blocks[0], "Feedback-Type"))
    return Report(Verdict.COMPLAINED, detail=said) if said in _COMPLAINTS else _NOTHING


def _without_report(mail: "Message[str, str]") -> Report:
    """A bounce of a server that writes for people only (qmail, old Exchange, old Exim), or not.

    It counts as a failure without a cause if our own server says that it came from the null return
    path, another server signs it, and nothing says that it answers somebody: otherwise a dead
    address behind such a server would be mailed for ever. Not on less than all of this, because an
    absence of some weeks would end a subscription.
    """
    # Old versions of Exim mark their bounces as answers, and with this, which no answer has.
    if "X-Failed-Recipients" not in mail:
        if _word(field(mail, "Auto-Submitted")) not in ("", "no"):
            return _NOTHING
        if _word(field(mail, "Precedence")) in _BULK or any(name in mail for name in _ANSWERS):
            return _NOTHING
        if "In-Reply-To" in mail or not _SERVER.fullmatch(field(mail, "From")):
            return _OTHER
    return Report(Verdict.FAILED, NO_CAUSE) if has_null_return_path(mail) else _OTHER


def _word(value: str) -> str:
    found = _WORD.match(value.lower().strip())
    return found[0] if found else ""
