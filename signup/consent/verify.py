"""Reading the ledger back, and saying where it does not hold."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q

from signup.consent.chain import FIRST, seal
from signup.models import ConsentEntry, ConsentSubject, ConsentText, Subscription

CHUNK = 500  # chains held in memory at a time

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


@dataclass(frozen=True, slots=True)
class Fault:
    """One place where the ledger does not hold. `subject` names nobody; None: all of it."""

    subject: UUID | None
    seq: int | None
    what: str

    def __str__(self) -> str:
        where = "ledger" if self.subject is None else f"subject {self.subject}"
        return f"{where}{'' if self.seq is None else f', entry {self.seq}'}: {self.what}"


def verify() -> list[Fault]:
    """Check every chain, every head, the consent behind every live subscription, the triggers.

    Reads some hundred chains at a time and may run while the service does.
    """
    return [
        *_missing_triggers(),
        *_broken_chains(),
        *_orphans(),
        *_subscriptions_without_proof(),
    ]


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


def _broken_chains() -> Iterator[Fault]:
    wordings = dict(ConsentText.objects.values_list("pk", "wording"))
    last: UUID | None = None
    while True:
        page = ConsentSubject.objects.order_by("subject")
        if last is not None:
            page = page.filter(subject__gt=last)
        subjects = list(page[:CHUNK])
        if not subjects:
            return
        chains = _chains([subject.subject for subject in subjects])
        for subject in subjects:
            if any(_broken_chain(subject, chains[subject.subject], wordings)):
                yield from _broken_under_lock(subject.subject)
        last = subjects[-1].subject


def _broken_under_lock(subject: UUID) -> list[Fault]:
    """Look again while nobody writes: a line may have come between reading head and chain."""
    with transaction.atomic():
        head = ConsentSubject.objects.select_for_update().get(subject=subject)
        wordings = dict(ConsentText.objects.values_list("pk", "wording"))
        return list(_broken_chain(head, _chains([subject])[subject], wordings))


def _chains(subjects: list[UUID]) -> dict[UUID, list[ConsentEntry]]:
    chains: dict[UUID, list[ConsentEntry]] = defaultdict(list)
    entries = ConsentEntry.objects.filter(subject__in=subjects).order_by("subject", "seq")
    for entry in entries:
        chains[entry.subject].append(entry)
    return chains


def _broken_chain(
    subject: ConsentSubject, entries: list[ConsentEntry], wordings: dict[Any, str]
) -> Iterator[Fault]:
    keys = dict(settings.LEDGER_KEYS)
    previous, expected = FIRST, 1
    for entry in entries:
        if entry.seq != expected:
            yield Fault(subject.subject, expected, "is missing")
        if bytes(entry.previous_hash) != previous:
            yield Fault(subject.subject, entry.seq, "does not follow the one before")
        key = keys.get(entry.key_version)
        if key is None:
            yield Fault(
                subject.subject,
                entry.seq,
                f"was sealed with key {entry.key_version}, which LEDGER_KEYS does not list",
            )
        elif bytes(entry.entry_hash) != seal(key, entry, wordings.get(entry.text_id)):
            yield Fault(subject.subject, entry.seq, "was changed after it was written")
        previous, expected = bytes(entry.entry_hash), entry.seq + 1
    if subject.head_seq != expected - 1:
        yield Fault(
            subject.subject,
            None,
            f"its head says {subject.head_seq} entries, the chain ends at {expected - 1}",
        )
    elif (bytes(subject.head_hash) or FIRST) != previous:
        yield Fault(subject.subject, None, "its head is not the hash of its last entry")


def _orphans() -> Iterator[Fault]:
    orphans = ConsentEntry.objects.filter(
        ~Exists(ConsentSubject.objects.filter(subject=OuterRef("subject")))
    )
    for subject, seq in orphans.values_list("subject", "seq"):
        yield Fault(subject, seq, "belongs to no chain")


def _subscriptions_without_proof() -> Iterator[Fault]:
    """Invariant 1: a live subscription points at this reader's own consent to this newsletter."""
    unproven = Subscription.objects.live().exclude(
        Q(consent__action__in=[ConsentEntry.Action.CONFIRMED, ConsentEntry.Action.IMPORTED]),
        Q(consent__purpose=ConsentText.Purpose.MAIL),
        Q(consent__newsletter_id=F("newsletter_id")),
        Q(consent__subject=F("subscriber__consent_subject__subject")),
    )
    for pk in unproven.values_list("pk", flat=True):
        yield Fault(None, None, f"subscription {pk} is live without a consent of its own")
