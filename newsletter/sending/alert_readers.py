"""Whom a safety alert goes to, and whom it has reached."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from newsletter.audience.recipients import recipients
from newsletter.editions.models import Article, Release
from newsletter.sending.models import Delivery, Mailing, SafetyAlert
from signup.models import Follow, Subscription

# The relay took it, or may have taken it.
REACHED = (Delivery.State.ACCEPTED, Delivery.State.UNKNOWN)
# How long digests remember who had an alert: longer than a month's digest that comes late. What
# is older is owed to nobody by then.
REMEMBERED = timedelta(days=62)


def alert_readers(mailing: Mailing) -> QuerySet[Subscription]:
    """Return the subscriptions that an alert's mailing goes to, unordered.

    Who follows one of its article's conditions; of a correction, who had what it corrects. The
    paused only if they chose so, for a paused condition as for a paused newsletter. Nobody who
    gets the same alert with another newsletter.
    """
    alert = _alert_of(mailing)
    others = alert.mailings.exclude(pk=mailing.pk).values("pk")
    found = recipients(mailing.newsletter, through_pauses=True).filter(
        ~Exists(Delivery.objects.filter(mailing__in=others, subscriber=OuterRef("subscriber_id")))
    )
    if alert.is_correction:
        return found.filter(Exists(_had(alert).filter(subscriber=OuterRef("subscriber_id"))))
    return found.filter(Exists(_concerned(alert).filter(subscriber=OuterRef("subscriber_id"))))


def still_concerned(mailing: Mailing, subscribers: Collection[int]) -> set[int]:
    """Return those of these readers to whom the alert still may go: nobody took its article back,
    and they still follow what it is about. Asked for each chunk, just before it goes out."""
    alert = _alert_of(mailing)
    standing = Release.objects.standing().filter(article=alert.article_id, article__live=True)
    if not standing.exists():
        return set()
    if alert.is_correction:
        return set(subscribers)
    return set(
        _concerned(alert).filter(subscriber__in=subscribers).values_list("subscriber_id", flat=True)
    )


class AlertsReached:
    """Which articles reached readers as alerts lately, so that digests leave them out.

    An article that was announced again after its alert has news, and is not left out.
    """

    def __init__(self, articles: Mapping[int, int]) -> None:
        # Mailing → article.
        self._articles = articles

    @classmethod
    def load(cls, now: datetime, articles: Collection[int] | None = None) -> "AlertsReached":
        """Load the alerts of the time before `now`, of all articles or of these."""
        mailings = Mailing.objects.filter(
            kind=Mailing.Kind.ALERT, alert__sent_at__gt=now - REMEMBERED
        )
        if articles is not None:
            mailings = mailings.filter(alert__article__in=articles)
        announced_again = Release.objects.standing().filter(
            article=OuterRef("alert__article"), released_at__gt=OuterRef("alert__sent_at")
        )
        return cls(
            dict(mailings.filter(~Exists(announced_again)).values_list("pk", "alert__article_id"))
        )

    def among(self, subscribers: Sequence[int]) -> Mapping[int, Collection[int]]:
        """Return reader → the articles that this reader has; nothing for all others."""
        found: defaultdict[int, set[int]] = defaultdict(set)
        if self._articles:
            for subscriber, mailing in Delivery.objects.filter(
                mailing__in=self._articles, subscriber__in=subscribers, state__in=REACHED
            ).values_list("subscriber_id", "mailing_id"):
                found[subscriber].add(self._articles[mailing])
        return found


def _alert_of(mailing: Mailing) -> SafetyAlert:
    alert = mailing.alert
    assert alert is not None  # every mailing of this kind is made with one
    return alert


def _concerned(alert: SafetyAlert) -> QuerySet[Follow]:
    conditions = Article.conditions.through.objects.filter(article=alert.article_id)
    return Follow.objects.filter(
        Q(paused_at__isnull=True) | Q(subscriber__alerts_while_paused=True),
        condition__in=conditions.values("condition_id"),
    )


def _had(alert: SafetyAlert) -> QuerySet[Delivery]:
    """Who had the alert that this one corrects, or what corrected that one before."""
    chain: list[int] = []
    earlier = alert.corrects
    while earlier is not None:
        chain.append(earlier.pk)
        earlier = earlier.corrects
    mailings = list(Mailing.objects.filter(alert__in=chain).values_list("pk", flat=True))
    return Delivery.objects.filter(mailing__in=mailings, state__in=REACHED)
