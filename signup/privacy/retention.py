"""What has lost its purpose goes by itself (GDPR Art. 5(1)(e))."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from newsletter.catalogue.models import Newsletter
from signup.models import (
    AddressChange,
    Asked,
    ConsentEntry,
    Follow,
    Parting,
    SignUp,
    Subscriber,
    Subscription,
    SystemMail,
)
from signup.privacy import traces
from signup.privacy.erase import empty
from signup.subscribe import CONFIRMATION_EVERY
from signup.suppress import is_suppressed

KEEP = timedelta(days=30)
KEEP_PARTINGS = timedelta(days=90)
# Long after leaving can no longer be undone.
KEEP_FOLLOWS = timedelta(days=30)
SLICE = 500
# What one night forgets of those who left; the first night of an old installation has years to do.
FORGOTTEN_A_NIGHT = 5_000


def purge() -> int:
    """Delete sign-ups, system mails and never-confirmed readers older than 30 days.

    And what was followed, 30 days after the last digest ended; why readers left, after 90 days;
    and who was asked to confirm, after the day that it counts. Who has left everything is
    forgotten after LEFT_READERS_KEEP_DAYS.

    The ledger's lines about a reader who never confirmed stay, tied to nobody. Works in slices
    of its own transactions, so it may be stopped and started at any time. Returns the number of
    readers deleted.
    """
    now = timezone.now()
    before = now - KEEP
    Asked.objects.filter(at__lt=now - CONFIRMATION_EVERY).delete()
    Parting.objects.filter(at__lt=now - KEEP_PARTINGS).delete()
    SystemMail.objects.filter(created_at__lt=before).delete()
    AddressChange.objects.filter(created_at__lt=before).delete()
    SignUp.objects.filter(created_at__lt=before).delete()
    _not_followed_any_more(now - KEEP_FOLLOWS).delete()
    recent = SignUp.objects.filter(subscriber=OuterRef("subscriber"))
    Subscription.objects.filter(
        ~Exists(recent), state=Subscription.State.PENDING, created_at__lt=before
    ).delete()
    deleted = 0
    while ids := list(_never_confirmed().values_list("pk", flat=True)[:SLICE]):
        for pk in ids:
            deleted += _forget(pk)
    _forget_who_left()
    transaction.on_commit(traces.wipe)
    return deleted


def _not_followed_any_more(before: datetime) -> QuerySet[Follow]:
    """What readers followed who have no digest, wait for none, and left none lately."""
    digests = Subscription.objects.filter(
        subscriber=OuterRef("subscriber"), newsletter__kind=Newsletter.Kind.DIGEST
    )
    needed = digests.exclude(state=Subscription.State.ENDED) | digests.filter(ended_at__gte=before)
    return Follow.objects.filter(~Exists(needed), followed_at__lt=before)


def _never_confirmed() -> QuerySet[Subscriber]:
    before = timezone.now() - KEEP
    return Subscriber.objects.filter(
        ~Exists(SignUp.objects.filter(subscriber=OuterRef("pk"))),
        ~Exists(Subscription.objects.filter(subscriber=OuterRef("pk"), live_at__isnull=False)),
        erased_at__isnull=True,
        created_at__lt=before,
    ).order_by("pk")


def _forget(pk: int) -> int:
    with transaction.atomic():
        # A sign-up may have come in since the list was made; whoever signs up takes this lock.
        Subscriber.objects.select_for_update(no_key=True).filter(pk=pk).first()
        row = _never_confirmed().filter(pk=pk).first()
        if row is None:
            return 0
        row.delete()
        return 1


def _forget_who_left() -> None:
    """Empty the rows of readers who left everything long ago, one to a transaction.

    Until then it can be shown to them that they were let go. Afterwards a keyed hash stays, so that
    no import brings them back (invariant 9); they may come back themselves, by confirming anew.
    """
    if not settings.LEFT_READERS_KEEP_DAYS:
        return
    before = timezone.now() - timedelta(days=settings.LEFT_READERS_KEEP_DAYS)
    forgotten, after = 0, 0
    while forgotten < FORGOTTEN_A_NIGHT:
        most = min(SLICE, FORGOTTEN_A_NIGHT - forgotten)
        ids = list(_left(before).filter(pk__gt=after).values_list("pk", flat=True)[:most])
        if not ids:
            return
        for pk in ids:
            forgotten += _forget_one(pk, before)
        after = ids[-1]


def _left(before: datetime) -> QuerySet[Subscriber]:
    """Readers whose last subscription ended `before`, and who have not been in touch since."""
    subscriptions = Subscription.objects.filter(subscriber=OuterRef("pk"))
    # Whatever they asked for within 30 days has left one of these.
    mails = SystemMail.objects.filter(subscriber=OuterRef("pk"))
    sign_ups = SignUp.objects.filter(subscriber=OuterRef("pk"))
    return Subscriber.objects.filter(
        Exists(subscriptions.filter(ended_at__lt=before)),
        ~Exists(subscriptions.exclude(state=Subscription.State.ENDED)),
        ~Exists(subscriptions.filter(ended_at__gte=before)),
        ~Exists(mails),
        ~Exists(sign_ups),
        erased_at__isnull=True,
    ).order_by("pk")


def _forget_one(pk: int, before: datetime) -> int:
    with transaction.atomic():
        # They may have come back since the list was made; whoever does takes this lock.
        reader = Subscriber.objects.locked(pk)
        if not _left(before).filter(pk=pk).exists():
            return 0
        empty(
            subscriber=reader,
            method=ConsentEntry.Method.TERM,
            source="left long ago",
            # A stronger reason that stands already stays as it is.
            never_again=not is_suppressed(reader.email_key or ""),
        )
        return 1
