"""The one way in which lines leave the ledger: their time as proof has passed.

A chain is dealt with whole. Its subject has said nothing for LEDGER_KEEP_DAYS, and nothing rests on
it: no live or pending subscription, no standing consent. Then a tombstone is appended, sealed into
the chain like every line (it carries the hash of the last line before it), and the lines before it
are deleted. The triggers let them go only in a transaction that has named this subject, and
only below a tombstone. `verify` accepts a chain that begins with a tombstone and no other gap.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from signup.consent.chain import Statement, append
from signup.consent.verify import RETENTION_TABLE
from signup.models import ConsentEntry, ConsentSubject, Subscriber, Subscription

SLICE = 500


def past_their_time(*, now: datetime | None = None) -> QuerySet[ConsentSubject]:
    """Return the chains whose lines are no longer needed as proof."""
    if not settings.LEDGER_KEEP_DAYS:
        return ConsentSubject.objects.none()
    before = (now or timezone.now()) - timedelta(days=settings.LEDGER_KEEP_DAYS)
    lines = ConsentEntry.objects.filter(subject=OuterRef("subject"))
    standing = Subscription.objects.filter(subscriber=OuterRef("subscriber")).exclude(
        state=Subscription.State.ENDED
    )
    return ConsentSubject.objects.filter(
        Q(subscriber__isnull=True)
        | Q(
            ~Exists(standing),
            subscriber__health_consent__isnull=True,
            subscriber__measurement_consent__isnull=True,
        ),
        ~Exists(lines.filter(at__gte=before)),
        Exists(lines.exclude(action=ConsentEntry.Action.TOMBSTONE)),
    ).order_by("subject")


def remove(*, now: datetime | None = None) -> int:
    """Remove what is past its time, a chain to a transaction; return how many chains.

    May be stopped and started at any time.
    """
    removed, after = 0, None
    while True:
        page = past_their_time(now=now)
        if after is not None:
            page = page.filter(subject__gt=after)
        subjects = list(page.values_list("subject", flat=True)[:SLICE])
        for subject in subjects:
            removed += _remove(subject, now or timezone.now())
        if len(subjects) < SLICE:
            return removed
        after = subjects[-1]


def _remove(subject: UUID, now: datetime) -> int:
    with transaction.atomic():
        reader = ConsentSubject.objects.filter(subject=subject).values_list("subscriber", flat=True)
        if (pk := reader.first()) is not None:
            # Every verb takes the reader's lock first, the chain's second.
            Subscriber.objects.locked(pk)
        chain = ConsentSubject.objects.select_for_update().get(subject=subject)
        if not past_their_time(now=now).filter(subject=subject).exists():
            return 0
        lines = ConsentEntry.objects.filter(subject=subject).order_by("seq")
        first, last = lines.first(), lines.last()
        if first is None or last is None:
            return 0
        tombstone = append(
            chain,
            [
                Statement(
                    action=ConsentEntry.Action.TOMBSTONE,
                    method=ConsentEntry.Method.TERM,
                    evidence=(
                        f"entries {first.seq} to {last.seq}, of {first.at:%Y-%m-%d} to "
                        f"{last.at:%Y-%m-%d}, removed after {settings.LEDGER_KEEP_DAYS} days"
                    ),
                )
            ],
            now,
        )[0]
        with _named(subject), connection.cursor() as cursor:
            # Plain SQL: Django would first look for everything that points at these lines, and
            # the database refuses by itself where something does.
            cursor.execute(
                "DELETE FROM signup_consententry WHERE subject = %s AND seq < %s",
                [_as_stored(subject), tombstone.seq],
            )
        return 1


@contextmanager
def _named(subject: UUID) -> Iterator[None]:
    """Tell the triggers whose lines this transaction may remove, and take it back at once."""
    if connection.vendor == "postgresql":
        allow, forbid = "SELECT set_config('wellread.retention', %s, true)", None
    else:
        allow = f"INSERT INTO {RETENTION_TABLE} (subject) VALUES (%s)"  # noqa: S608 - our own name
        forbid = f"DELETE FROM {RETENTION_TABLE}"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(allow, [str(subject) if forbid is None else subject.hex])
        yield
        if forbid is None:
            cursor.execute(allow, [""])
        else:
            cursor.execute(forbid)


def _as_stored(subject: UUID) -> UUID | str:
    return subject if connection.features.has_native_uuid_field else subject.hex
