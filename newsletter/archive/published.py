"""What the public may see: live articles, open conditions, issues that have begun to go out.

What was recalled is in no list: its page says that it was, and why (`recall_of`).
"""

from typing import Any, cast

from django.core.paginator import Page
from django.db.models import F, OuterRef, QuerySet, Subquery, TextField
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce

from newsletter.catalogue.models import Condition, Newsletter
from newsletter.editions.models import Article, Issue
from newsletter.rendering.cleaning import clean_line
from newsletter.sending.models import Mailing, Recall


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
    """Issues that have begun to go out and were not recalled, newest first, and `sent_at`: when
    the first copies left."""
    return _begun().filter(recall__isnull=True)


def issues() -> QuerySet[Issue, Any]:
    """Issues that have begun to go out and were not recalled, newest first.

    `sent_at` is when the first copies left, `corrected_at` when its correction followed, which is
    an issue of its own. `shown_title`, `shown_subject` and `shown_preheader` are what was approved
    and sent, whatever editors have written since. They are read out of a revision each: ask for a
    page's worth.
    """
    return _shown(sent())


def recalled_issues() -> QuerySet[Issue, Any]:
    """Issues that went out and were recalled, the last first, with their `recall`."""
    found = _shown(_begun().filter(recall__isnull=False)).select_related("recall")
    return found.order_by("-recall__at", "-pk")


def recalled_articles() -> QuerySet[Article]:
    """Articles that were taken off the site, and not published anew since."""
    return (
        Article.objects.filter(live=False, recalls__isnull=False)
        .distinct()
        .defer("body", "sources")
        .order_by("-pk")
    )


def recall_of(article: Article) -> Recall | None:
    """Return the last recall of an article, which may have been published anew since."""
    return Recall.objects.filter(article=article).order_by("-pk").first()


def correction_of(issue: Issue) -> Issue | None:
    """Return the newest correction of an issue that has gone out and was not recalled."""
    found, following = None, issue
    while (after := issues().filter(corrects=following).first()) is not None:
        found = following = after
    return found


def what_was_wrong(correction: Issue) -> str:
    """Return how a sent correction says what was wrong, as it was approved; "" if it does not."""
    approval = latest_mailing(correction).approval
    body = approval.revision.as_object().body.raw_data if approval else []
    notice = next((block for block in body if block["type"] == "correction"), None)
    return clean_line(notice["value"].get("was_wrong") or "") if notice else ""


def _begun() -> QuerySet[Issue, Any]:
    first = mailings().filter(issue=OuterRef("pk")).order_by("started_at", "pk")
    found: QuerySet[Issue, Any] = (
        Issue.objects.annotate(sent_at=Subquery(first.values("started_at")[:1]))
        .filter(sent_at__isnull=False)
        .order_by("-sent_at", "-pk")
    )
    return found


def _shown(begun: QuerySet[Issue, Any]) -> QuerySet[Issue, Any]:
    last = mailings().filter(issue=OuterRef("pk")).order_by("-started_at", "-pk")
    corrections = mailings().filter(issue__corrects=OuterRef("pk"), issue__recall__isnull=True)

    def approved(name: str) -> Coalesce:
        value = Subquery(
            last.values(text=KeyTextTransform(name, "approval__revision__content"))[:1]
        )
        return Coalesce(value, F(name), output_field=TextField())

    found: QuerySet[Issue, Any] = (
        begun.annotate(
            corrected_at=Subquery(
                corrections.order_by("started_at", "pk").values("started_at")[:1]
            ),
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
    """The mailing by which an issue went out."""
    return (
        mailings()
        .filter(issue=issue)
        .select_related("newsletter", "issue")
        .latest("started_at", "pk")
    )


def newsletters() -> QuerySet[Newsletter]:
    """The newsletters that can be signed up to."""
    return Newsletter.objects.filter(open_for_signup=True)
