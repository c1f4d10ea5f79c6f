"""What makes health content trustworthy: who wrote it, who reviewed it, and until when that holds
(standards I1)."""

from collections.abc import Iterator

from django.utils import timezone
from django.utils.translation import gettext as _

from newsletter.approval.preflight.findings import Finding, error, warning
from newsletter.editions.models import Article, Issue


def findings(issue: Issue) -> Iterator[Finding]:
    for article in referenced_articles(issue):
        if not article.live:
            yield error(
                "article_not_live",
                _("“%(title)s” is not published. Have it approved, or take it out.")
                % {"title": article.title},
                "body",
            )
        yield from of_article(article)


def of_article(article: Article, *, anchored: bool = False) -> Iterator[Finding]:
    """Findings about one article; anchored to its own form, or to the issue's body."""

    def anchor(field: str) -> str:
        return field if anchored else "body"

    today = timezone.localdate()
    title = {"title": article.title}
    if not article.author_name.strip():
        yield error(
            "author_missing", _("“%(title)s” names no author.") % title, anchor("author_name")
        )
    if not article.reviewer_name.strip() or article.reviewed_on is None:
        yield error(
            "review_missing",
            _("“%(title)s” names no medical reviewer or no review date. Fill in both.") % title,
            anchor("reviewer_name"),
        )
    elif article.reviewed_on > today:
        yield error(
            "review_in_future",
            _("“%(title)s” says it was reviewed on a day that is still to come.") % title,
            anchor("reviewed_on"),
        )
    if article.review_due is None:
        yield warning(
            "review_due_missing",
            _("“%(title)s” does not say when it is to be reviewed again.") % title,
            anchor("review_due"),
        )
    elif article.review_due < today:
        yield error(
            "review_overdue",
            _("The medical review of “%(title)s” was due on %(due)s. Have it reviewed again.")
            % {**title, "due": article.review_due.isoformat()},
            anchor("review_due"),
        )


def referenced_articles(issue: Issue) -> list[Article]:
    """The articles that the issue's blocks show, in the order of their titles."""
    ids = {
        int(object_id)
        for model, object_id, _model_path, _path in issue.body.stream_block.extract_references(
            issue.body
        )
        if model is Article
    }
    return list(Article.objects.filter(pk__in=ids).order_by("title"))
