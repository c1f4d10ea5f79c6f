"""Reading the ledger back, and saying where it does not hold."""

from collections.abc import Iterator

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from signup.consent.fault import Fault
from signup.consent.sealed import against_seals
from signup.consent.walk import broken_chains
from signup.models import ConsentEntry, ConsentText, Subscriber, Subscription

TRIGGERS = frozenset(
    {
        "consent_entry_no_update",
        "consent_entry_no_delete",
        "consent_text_no_update",
        "consent_text_no_delete",
        "consent_subject_no_rewind",
        "consent_subject_no_delete",
    }
)
TRUNCATE_TRIGGERS = frozenset(
    {"consent_entry_no_truncate", "consent_text_no_truncate", "consent_subject_no_truncate"}
)
RETENTION_TABLE = "signup_ledger_retention"  # SQLite's guard; see signup.consent.retention


def verify() -> list[Fault]:
    """Check everything; see `faults`."""
    return list(faults())


def faults() -> Iterator[Fault]:
    """Yield what does not hold: triggers, chains, seals, and the consent that mail rests on.

    Holds a few thousand chains at a time and may run while the service does.
    """
    yield from _missing_triggers()
    yield from broken_chains()
    yield from against_seals()
    yield from _subscriptions_without_proof()
    yield from _readers_without_proof()


def missing_triggers() -> frozenset[str]:
    """Return the names of the ledger's triggers that this database lacks."""
    wanted = TRIGGERS
    if connection.vendor == "postgresql":
        wanted |= TRUNCATE_TRIGGERS
        query = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'O'"
    else:
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    with connection.cursor() as cursor:
        cursor.execute(query)
        return wanted - {name for (name,) in cursor.fetchall()}


def _missing_triggers() -> Iterator[Fault]:
    for name in sorted(missing_triggers()):
        yield Fault(None, None, f"the trigger {name} is missing or off")
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {RETENTION_TABLE}")  # noqa: S608 - our own name
            if cursor.fetchone()[0]:
                yield Fault(None, None, f"{RETENTION_TABLE} is not empty: lines could be removed")


def _subscriptions_without_proof() -> Iterator[Fault]:
    """Invariant 1: a live subscription points at this reader's own consent to this newsletter."""
    live = Subscription.objects.live()
    unproven = live.exclude(
        Q(consent__action__in=ConsentEntry.BASES),
        Q(consent__purpose=ConsentText.Purpose.MAIL),
        Q(consent__newsletter_id=F("newsletter_id")),
        Q(consent__subject=F("subscriber__consent_subject__subject")),
    )
    for pk in unproven.values_list("pk", flat=True).iterator():
        yield Fault(None, None, f"subscription {pk} is live without a consent of its own")
    withdrawn = live.filter(
        Exists(
            _ended_after("consent").filter(
                Q(action=ConsentEntry.Action.ERASED) | Q(newsletter_id=OuterRef("newsletter_id"))
            )
        )
    )
    for pk in withdrawn.values_list("pk", flat=True).iterator():
        yield Fault(None, None, f"subscription {pk} is live although its consent was ended")


def _readers_without_proof() -> Iterator[Fault]:
    """What a reader's row says of health and measurement is what the ledger says."""
    for purpose in (ConsentText.Purpose.HEALTH, ConsentText.Purpose.MEASUREMENT):
        name = f"{purpose}_consent"
        having = Subscriber.objects.filter(**{f"{name}__isnull": False})
        unproven = having.exclude(
            Q(**{f"{name}__action": ConsentEntry.Action.CONFIRMED}),
            Q(**{f"{name}__purpose": purpose}),
            Q(**{f"{name}__subject": F("consent_subject__subject")}),
        )
        withdrawn = having.filter(
            Exists(
                _ended_after(name).filter(Q(action=ConsentEntry.Action.ERASED) | Q(purpose=purpose))
            )
        )
        for pk in unproven.values_list("pk", flat=True).iterator():
            yield Fault(None, None, f"reader {pk} has no consent of their own for {purpose}")
        for pk in withdrawn.values_list("pk", flat=True).iterator():
            yield Fault(None, None, f"reader {pk} counts as consenting to {purpose}, but ended it")


def _ended_after(consent: str) -> "QuerySet[ConsentEntry]":
    """Lines that end something, later in the same chain than the one behind `consent`."""
    return ConsentEntry.objects.filter(
        subject=OuterRef(f"{consent}__subject"),
        seq__gt=OuterRef(f"{consent}__seq"),
        action__in=[
            ConsentEntry.Action.WITHDRAWN,
            ConsentEntry.Action.EXPIRED,
            ConsentEntry.Action.ERASED,
        ],
    )
