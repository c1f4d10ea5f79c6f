"""Stopping one condition, from the link under its section of a digest."""

from django.db import transaction

from signup.models import Follow, Subscriber, Subscription
from signup.section_links import Section


def stop(section: Section) -> bool:
    """Follow this condition no longer; False when there was nothing to stop. Harmless twice.

    It can only lessen. What else the reader follows, and every consent, stands as before.
    """
    with transaction.atomic():
        reader = (
            Subscription.objects.filter(pk=section.subscription_id)
            .values_list("subscriber_id", flat=True)
            .first()
        )
        if reader is None:
            return False
        Subscriber.objects.locked(reader)
        stopped, _by_model = Follow.objects.filter(
            subscriber=reader, condition=section.condition_id
        ).delete()
        return bool(stopped)
