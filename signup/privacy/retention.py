"""What has lost its purpose goes by itself (GDPR Art. 5(1)(e))."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from newsletter.catalogue.models import Newsletter
from signup.models import (
    AddressChange,
    Asked,
    Follow,
    Parting,
    SignUp,
    Subscriber,
    Subscription,
    SystemMail,
)
from signup.privacy import traces
from signup.subscribe import CONFIRMATION_EVERY

KEEP = timedelta(days=30)
KEEP_PARTINGS = timedelta(days=90)
# Long after leaving can no longer be undone.
KEEP_FOLLOWS = timedelta(days=30)
SLICE = 500


def purge() -> int:
    """Delete sign-ups, system mails and never-confirmed readers older than 30 days.

    And what was followed, 30 days after the last digest ended; why readers left, after 90 days;
    and who was asked to confirm, after the day that it counts.

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
