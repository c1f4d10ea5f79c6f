"""One mail that came to a return path: found out whose it is, read, written down, not kept."""

import logging
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from django.utils import timezone

from newsletter.outcomes.bounce_address import delivery_of
from newsletter.outcomes.bounces.parts import head_of
from newsletter.outcomes.bounces.report import Report, Verdict, read
from newsletter.outcomes.bounces.trace import recipients
from newsletter.outcomes.models import Event
from newsletter.outcomes.record import record_event
from newsletter.sending.models import Delivery
from newsletter.transports.classify import HARD, classify
from newsletter.transports.values import Outcome

log = logging.getLogger(__name__)

SOURCE = "return path"
_KINDS = {
    Verdict.FAILED: Event.Kind.BOUNCED,
    Verdict.DELAYED: Event.Kind.DEFERRED,
    Verdict.COMPLAINED: Event.Kind.COMPLAINED,
}


class Fate(StrEnum):
    """What became of a mail. The first three are done with, the others are for people."""

    RECORDED = "recorded"
    # The copy's return path has said so before.
    KNOWN = "known"
    # An automatic answer, or a report of nothing that we act on.
    NOTHING = "nothing to do"
    # To one of our return paths, but no report that can be read.
    NO_REPORT = "no report"
    # To an address that we did not sign, or of a copy that is not kept.
    NOT_OURS = "not ours"
    # Our own mail server does not say to which address it came (docs/outcomes.md).
    NAMELESS = "nameless"

    @property
    def is_done(self) -> bool:
        return self in (Fate.RECORDED, Fate.KNOWN, Fate.NOTHING)


def take(raw: bytes, *, recipient: str | None = None, at: datetime | None = None) -> Fate:
    """Write down what this mail says of the copy whose return path it came to. Harmless twice.

    `recipient` is the envelope's; None takes it from the lines that our own mail server wrote
    (`trace`). `at` is when the mail came, by our own server's clock; None for now. Nothing in the
    mail changes whose it is (standards C1). Reacting is a step of its own (`outcomes.reactions`).
    Any bytes may be given; raises django.db.DatabaseError alone.
    """
    addresses = recipients(head_of(raw)[0]) if recipient is None else [recipient]
    delivery = _whose(addresses)
    if delivery is None:
        fate = Fate.NOT_OURS if addresses else Fate.NAMELESS
    else:
        fate = _note(delivery, read(raw), at)
    # Neither the address nor a word of the mail: a log is kept longer than either should be.
    log.info("Mail to a return path: %s (copy %s)", fate, delivery.pk if delivery else "unknown")
    return fate


def _whose(addresses: Sequence[str]) -> Delivery | None:
    """Return the one copy that these addresses are of; None for none, and for two."""
    found = {copy.pk: copy for copy in map(delivery_of, addresses) if copy is not None}
    return found.popitem()[1] if len(found) == 1 else None


def _note(delivery: Delivery, report: Report, at: datetime | None) -> Fate:
    kind = _KINDS.get(report.verdict)
    if kind is None:
        return Fate.NOTHING if report.verdict is Verdict.NOTHING else Fate.NO_REPORT
    now = timezone.now()
    event = record_event(
        kind=kind,
        source=SOURCE,
        # One copy fails once, whoever says so how often: the same report comes again when we stop
        # between writing it down and letting go of the mail, and five reports of one copy are not
        # five failures. So what can be written through one return path is bounded too.
        source_id=f"{delivery.pk} {kind} {_weight(report)}".strip(),
        at=min(at or now, now),
        mailing_id=delivery.mailing_id,
        subscriber_id=None if _went_elsewhere(delivery) else delivery.subscriber_id,
        status=report.status,
        detail=report.detail,
    )
    return Fate.KNOWN if event is None else Fate.RECORDED


def _weight(report: Report) -> str:
    """Only what may lead to something else is told apart: a cause that is named later counts."""
    if report.verdict is not Verdict.FAILED:
        return ""
    if report.status in HARD:
        return "hard"
    return "ours" if classify(0, report.status) is Outcome.OURS else "soft"


def _went_elsewhere(delivery: Delivery) -> bool:
    """True when the reader is gone, or has moved since to an address of which this says nothing.

    By the mailing's date, which is never later than the copy: who moved meanwhile is spared.
    """
    reader = delivery.subscriber
    return reader.is_erased or reader.was_mailed_elsewhere(delivery.mailing.dated)
