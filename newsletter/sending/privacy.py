"""What sending keeps about a reader: deliveries, and how far digests have come."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from newsletter.editions.models import Article
from newsletter.sending.models import Delivery, DigestMark, Mailing
from signup.models import Follow, Subscriber, Subscription
from signup.privacy.registry import Kind, Line


class Deliveries:
    name = "sending"
    models: tuple[str, ...] = ("sending.Delivery", "sending.DigestMark")

    def record(self, subscriber: Subscriber) -> Iterable[Line]:
        """Every copy that was handed over or kept back, with what it rested on."""
        rows = [
            row
            for row in _deliveries(subscriber).select_related(
                "mailing__newsletter", "mailing__issue"
            )
            if row.outcome_at is not None
        ]
        titles, topics = _articles(rows)
        begun = dict(
            Subscription.objects.filter(subscriber=subscriber).values_list(
                "newsletter_id", "live_at"
            )
        )
        followed = set(
            Follow.objects.filter(subscriber=subscriber).values_list("condition_id", flat=True)
        )
        for row in rows:
            if row.outcome_at is not None:
                yield Line(
                    row.outcome_at,
                    _what(row, titles),
                    why=_why(row, begun.get(row.mailing.newsletter_id), topics, followed),
                    kind=Kind.MAIL,
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
        _deliveries(subscriber).update(article_ids=None, away=None, more=None, reply="")
        DigestMark.objects.filter(subscription__subscriber=subscriber).delete()


def _deliveries(subscriber: Subscriber) -> "QuerySet[Delivery]":
    # By mailing and reader, because that pair is what is indexed.
    return Delivery.objects.filter(
        mailing__in=list(Mailing.objects.order_by("pk").values_list("pk", flat=True)),
        subscriber=subscriber,
    ).order_by("mailing")


def _articles(rows: list[Delivery]) -> tuple[dict[int, str], dict[int, dict[int, str]]]:
    """Article id → its title, and article id → its conditions' ids and names."""
    ids = {article for row in rows for article in row.article_ids or []}
    articles = Article.objects.filter(pk__in=ids).prefetch_related("conditions")
    titles = {article.pk: article.title for article in articles}
    topics = {
        article.pk: {condition.pk: condition.name for condition in article.conditions.all()}
        for article in articles
    }
    return titles, topics


def _what(row: Delivery, titles: dict[int, str]) -> str:
    newsletter = row.mailing.newsletter.name
    shown = [titles[pk] for pk in row.article_ids or [] if pk in titles]
    if row.mailing.issue is not None:
        shown = [row.mailing.issue.title]
    words = _("“%(newsletter)s”: %(state)s") % {
        "newsletter": newsletter,
        "state": row.get_state_display(),
    }
    if row.state == Delivery.State.SKIPPED:
        words = f"{words} ({row.get_skip_reason_display()})"
    return f"{words} – {'; '.join(shown)}" if shown else words


def _why(
    row: Delivery,
    begun: datetime | None,
    topics: dict[int, dict[int, str]],
    followed: set[int],
) -> str:
    """The subscription it rests on, and for a digest which followed conditions chose it."""
    newsletter = row.mailing.newsletter.name
    if begun is None:
        why = _("Because you were subscribed to “%(newsletter)s”.") % {"newsletter": newsletter}
    else:
        why = _("Because you subscribed to “%(newsletter)s” on %(date)s.") % {
            "newsletter": newsletter,
            "date": formats.date_format(timezone.localtime(begun), _("j F Y")),
        }
    chosen = {
        name
        for article in row.article_ids or []
        for condition, name in topics.get(article, {}).items()
        if condition in followed
    }
    if not chosen:
        return why
    follows = _("You follow: %(conditions)s.") % {"conditions": ", ".join(sorted(chosen))}
    return f"{why} {follows}"
