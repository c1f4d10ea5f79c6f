"""What sending keeps about a reader: deliveries, and how far digests have come."""

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from newsletter.sending.models import Delivery, DigestMark, Mailing
from signup.models import Subscriber
from signup.privacy.registry import Line


class Deliveries:
    name = "sending"
    models: tuple[str, ...] = ("sending.Delivery", "sending.DigestMark")

    def record(self, subscriber: Subscriber) -> Iterable[Line]:
        for delivery in _deliveries(subscriber).select_related("mailing__newsletter"):
            if delivery.outcome_at is not None:
                yield Line(
                    delivery.outcome_at,
                    _("“%(newsletter)s”: %(state)s")
                    % {
                        "newsletter": delivery.mailing.newsletter.name,
                        "state": delivery.get_state_display(),
                    },
                )

    def export(self, subscriber: Subscriber) -> dict[str, Any]:
        return {
            "deliveries": [
                {
                    "newsletter": delivery.mailing.newsletter.name,
                    "mailing": delivery.mailing_id,
                    "planned_for": delivery.mailing.dated.isoformat(),
                    "state": delivery.state,
                    "skip_reason": delivery.skip_reason,
                    "attempts": delivery.attempt,
                    "at": delivery.outcome_at.isoformat() if delivery.outcome_at else None,
                    "reply": delivery.reply,
                    "articles": delivery.article_ids,
                }
                for delivery in _deliveries(subscriber).select_related("mailing__newsletter")
            ],
            "digests": [
                {
                    "subscription": mark.subscription_id,
                    "shown_up_to": mark.mark,
                    "next_due_at": mark.next_due_at.isoformat() if mark.next_due_at else None,
                }
                for mark in DigestMark.objects.filter(subscription__subscriber=subscriber)
            ],
        }

    def erase(self, subscriber: Subscriber) -> None:
        """Empty the rows and keep them: the counts of old mailings must still balance."""
        # A relay's reply often repeats the address, and the articles tell what was followed.
        _deliveries(subscriber).update(article_ids=None, reply="")
        DigestMark.objects.filter(subscription__subscriber=subscriber).delete()


def _deliveries(subscriber: Subscriber) -> "QuerySet[Delivery]":
    # By mailing and reader, because that pair is what is indexed.
    return Delivery.objects.filter(
        mailing__in=list(Mailing.objects.order_by("pk").values_list("pk", flat=True)),
        subscriber=subscriber,
    ).order_by("mailing")
