"""A condition is retired: nobody can begin to follow it, and its followers are told, once.

Who follows it keeps what is on its way, and may stop it as before. What they are told is a notice
that the service owes them, and no newsletter: it goes to live digest readers whatever their
cadence, and names nothing in its subject (invariant 11).
"""

from collections.abc import Iterator
from datetime import timedelta

from django.contrib.auth.models import AbstractUser
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from newsletter.catalogue.models import Condition, Newsletter
from signup.models import Follow, Retirement, Subscription, SystemMail

SLICE = 2000
# What is not sent by then, because no mail could leave, has lost its point.
LASTS = timedelta(days=14)


class NotRetirable(ValueError):
    """Said to staff as it stands: why this condition cannot be retired so."""


def retire(*, condition: Condition, offers: Condition | None, by: AbstractUser) -> int:
    """Retire `condition`, and owe its followers a notice that offers `offers`.

    Returns how many are told. Raises NotRetirable when it is retired already, or the other
    condition is itself or retired.
    """
    now = timezone.now()
    with transaction.atomic():
        # A sign-up that is confirmed at this moment either has its follow in here, or finds the
        # condition closed.
        condition = Condition.objects.select_for_update().get(pk=condition.pk)
        if condition.retired_at is not None:
            raise NotRetirable(_("It is retired already, and its followers have been told."))
        if offers is not None and (offers.pk == condition.pk or offers.retired_at is not None):
            raise NotRetirable(_("Offer another condition that can be followed."))
        condition.retired_at = now
        condition.save(update_fields=["retired_at"])
        retirement = Retirement.objects.create(
            condition=condition, offers=offers, retired_by_id=by.pk
        )
        told = 0
        for slice_ in _followers(condition):
            SystemMail.objects.bulk_create(
                SystemMail(
                    kind=SystemMail.Kind.RETIRED,
                    subscriber_id=subscriber,
                    retirement=retirement,
                    expires_at=now + LASTS,
                )
                for subscriber in slice_
            )
            told += len(slice_)
    return told


def still_tells(mail: SystemMail) -> bool:
    """Does the reader still follow it, under a consent that stands? Asked as the notice goes."""
    return mail.subscriber.health_consent_id is not None and (
        Follow.objects.filter(
            subscriber=mail.subscriber_id, condition__retirement=mail.retirement_id
        ).exists()
        and Subscription.objects.live()
        .filter(subscriber=mail.subscriber_id, newsletter__kind=Newsletter.Kind.DIGEST)
        .exists()
    )


def _followers(condition: Condition) -> Iterator[list[int]]:
    """Yield live digest readers who follow it, paused or not: the choice is theirs to change."""
    live = Subscription.objects.live().filter(newsletter__kind=Newsletter.Kind.DIGEST)
    last = 0
    while True:
        found = list(
            Follow.objects.filter(
                condition=condition,
                subscriber__gt=last,
                subscriber__health_consent__isnull=False,
                subscriber__in=live.values("subscriber"),
            )
            .order_by("subscriber")
            .values_list("subscriber_id", flat=True)[:SLICE]
        )
        if not found:
            return
        last = found[-1]
        yield found
