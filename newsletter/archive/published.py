"""What the public may see: live articles, open conditions, issues that have begun to go out."""

from typing import Any, cast

from django.core.paginator import Page
from django.db.models import F, OuterRef, QuerySet, Subquery, TextField
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce, NullIf

from newsletter.catalogue.models import Condition, Newsletter
from newsletter.editions.models import Article, Issue
from newsletter.sending.models import Mailing


def conditions() -> QuerySet[Condition]:
    """The conditions that can be followed, without their long texts."""
    return Condition.objects.open().only(
        "name", "slug", "group", "synonyms", "summary", "artwork", "weight"
    )


def articles() -> QuerySet[Article]:
    """Live articles, newest first, without their bodies."""
    return (
        Article.objects.published().defer("body", "sources").order_by("-first_published_at", "-pk")
    )


def articles_about(condition: Condition) -> QuerySet[Article]:
    """Live articles about one condition, newest first."""
    return articles().filter(conditions=condition)


def mailings() -> QuerySet[Mailing]:
    """Mailings that have left: a plan in the making is nobody's business yet."""
    return Mailing.objects.filter(started_at__isnull=False).exclude(state=Mailing.State.PLANNING)


def sent() -> QuerySet[Issue, Any]:
    """Issues that have begun to go out, newest first, and `sent_at`: when the first copies left."""
    first = mailings().filter(issue=OuterRef("pk")).order_by("started_at", "pk")
    found: QuerySet[Issue, Any] = (
        Issue.objects.annotate(sent_at=Subquery(first.values("started_at")[:1]))
        .filter(sent_at__isnull=False)
        .order_by("-sent_at", "-pk")
    )
    return found


def issues() -> QuerySet[Issue, Any]:
    """Issues that have begun to go out, newest first.

    `sent_at` is when the first copies left, `corrected_at` when a later mailing followed.
    `shown_title`, `shown_subject` and `shown_preheader` are what was approved and sent, whatever
    editors have written since. They are read out of a revision each: ask for a page's worth.
    """
    last = mailings().filter(issue=OuterRef("pk")).order_by("-started_at", "-pk")

    def approved(name: str) -> Coalesce:
        value = Subquery(
            last.values(text=KeyTextTransform(name, "approval__revision__content"))[:1]
        )
        return Coalesce(value, F(name), output_field=TextField())

    found: QuerySet[Issue, Any] = (
        sent()
        .annotate(
            corrected_at=NullIf(Subquery(last.values("started_at")[:1]), F("sent_at")),
            shown_title=approved("title"),
            shown_subject=approved("subject"),
            shown_preheader=approved("preheader"),
        )
        .select_related("newsletter")
        .defer("body")
    )
    return found


def page_of_issues(page: "Page[int]") -> "Page[Issue]":
    """Put the issues themselves where a page of `sent` holds their numbers: what the database
    passes over on its way to page sixty it need not read."""
    numbers = list(page.object_list)
    shown = cast("Page[Issue]", page)
    shown.object_list = list(issues().filter(pk__in=numbers))
    return shown


def latest_mailing(issue: Issue) -> Mailing:
    """The last mailing of a sent issue that went out: a correction stands for its original."""
    return (
        mailings()
        .filter(issue=issue)
        .select_related("newsletter", "issue")
        .latest("started_at", "pk")
    )


def newsletters() -> QuerySet[Newsletter]:
    """The newsletters that can be signed up to."""
    return Newsletter.objects.filter(open_for_signup=True)
