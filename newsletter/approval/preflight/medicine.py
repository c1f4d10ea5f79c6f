"""What makes health content trustworthy: who wrote it, who reviewed it, and until when that holds
(standards I1)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.blocks import StreamValue

from newsletter.approval import freeze
from newsletter.approval.preflight.findings import Finding, error, mended_in, warning
from newsletter.approval.preflight.outline import Part, page_of
from newsletter.approval.scope import plain_look
from newsletter.editions.models import Article, Issue
from newsletter.rendering.blocks.articles import newest

# Words by which a text begins to speak of what a reader may feel. English and Spanish.
_SYMPTOMS = re.compile(
    r"\b(?:symptoms?|warning signs?|red flags?|síntomas?|señal(?:es)? de (?:alarma|alerta))\b", re.I
)


def findings(issue: Issue, parts: Sequence[Part]) -> Iterator[Finding]:
    shown, blocks = referenced_articles(issue), _shown(issue)
    for article in shown:
        block = blocks.get(article.pk, "")
        if not article.live:
            found = error(
                "article_not_live",
                _("“%(title)s” is not published. Have it approved, or take it out.")
                % {"title": article.title},
                "body",
                block=block,
            )
            yield mended_in(article, "", found)
        for found in of_article(article):
            here = replace(found, anchor="body", block=block)
            yield mended_in(article, found.anchor, here)
        yield from _changed_since(article, block)
        if article.language.split("-")[0] != issue.language.split("-")[0]:
            yield warning(
                "article_language",
                _("“%(title)s” is in another language than this issue.") % {"title": article.title},
                "body",
                block=block,
            )
    yield from emergency_box(parts, any(article.concerns_symptoms for article in shown))


def _changed_since(article: Article, block: str) -> Iterator[Finding]:
    """What is live must be what somebody signed, as it was signed."""
    approval = article.approvals.standing().order_by("-pk").first()
    if approval is None or not article.live:
        return
    if article.live_revision_id not in (None, approval.revision_id) or freeze.hash_of(
        freeze.article_forms(article)
    ) != bytes(approval.content_hash):
        found = error(
            "review_older",
            _("“%(title)s” was changed after it was approved. Have it reviewed again.")
            % {"title": article.title},
            "body",
            block=block,
        )
        yield mended_in(article, "", found)


def emergency_box(parts: Sequence[Part], concerns_symptoms: bool) -> Iterator[Finding]:
    """Where symptoms are spoken of, the reader learns which of them cannot wait.

    An article that says so itself needs the box; where only the words point to it, a person
    decides. A box in a part for some readers is none for the others.
    """
    if any(part.kind == "emergency" for part in parts):
        return
    if concerns_symptoms:
        yield error(
            "emergency_box_missing",
            _("It speaks of symptoms. Add the box “Seek emergency care”."),
            "body",
        )
        return
    speaks = next((part for part in parts if _SYMPTOMS.search(part.text)), None)
    if speaks is not None:
        yield warning(
            "emergency_box_wanted",
            _(
                "It seems to speak of symptoms and has no box “Seek emergency care”. Add one that "
                "names the signs which cannot wait."
            ),
            "body",
            block=speaks.block,
        )


def review_behind(article: Article) -> Iterator[Finding]:
    """A review's date that is older than the words it vouches for: they were changed after the
    doctor last signed, and the date was not."""
    if article.pk is None:
        return
    signed = article.approvals.filter(rests_on=None).select_related("revision").last()
    if signed is None or article.reviewed_on is None:
        return
    if timezone.localdate(signed.approved_at) <= article.reviewed_on:
        return
    before: Article = signed.revision.as_object()
    if before.reviewed_on == article.reviewed_on and _words(before) != _words(article):
        yield error(
            "review_older",
            _("“%(title)s” has changed since the review of %(day)s. Say when it was reviewed now.")
            % {"title": article.title, "day": article.reviewed_on.isoformat()},
            "reviewed_on",
        )


def _words(article: Article) -> tuple[object, ...]:
    """What the review vouches for. Not the blocks' ids: Wagtail gives a block that came without
    one a new id each time it is written."""
    body = [
        (block.block_type, _without_ids(block.block.get_prep_value(block.value)))
        for block in article.body
    ]
    return (article.title, article.summary, body, article.sources)


def _without_ids(value: object) -> object:
    if isinstance(value, dict):
        return {name: _without_ids(each) for name, each in value.items() if name != "id"}
    return [_without_ids(each) for each in value] if isinstance(value, list) else value


def of_article(article: Article) -> Iterator[Finding]:
    """What is wrong with one article, anchored to the fields of its own form."""
    today = timezone.localdate()
    title = {"title": article.title}
    if not article.author_name.strip():
        yield error("author_missing", _("“%(title)s” names no author.") % title, "author_name")
    if not article.reviewer_name.strip() or article.reviewed_on is None:
        yield error(
            "review_missing",
            _("“%(title)s” names no medical reviewer or no review date. Fill in both.") % title,
            "reviewer_name",
        )
    elif article.reviewed_on > today:
        yield error(
            "review_in_future",
            _("“%(title)s” says it was reviewed on a day that is still to come.") % title,
            "reviewed_on",
        )
    if article.review_due is None:
        yield warning(
            "review_due_missing",
            _("“%(title)s” does not say when it is to be reviewed again.") % title,
            "review_due",
        )
    elif article.review_due < today:
        yield error(
            "review_overdue",
            _("The medical review of “%(title)s” was due on %(due)s. Have it reviewed again.")
            % {**title, "due": article.review_due.isoformat()},
            "review_due",
        )


def referenced_articles(issue: Issue) -> list[Article]:
    """The articles that the issue's blocks show, in the order of their titles."""
    return list(Article.objects.filter(pk__in=_shown(issue)).order_by("title"))


def _shown(issue: Issue) -> dict[int, str]:
    """The ids of articles in the body, each with the block at the top that it stands in."""
    stream = issue.body.stream_block
    found: dict[int, str] = {}
    page = page_of(issue, plain_look(issue.language))
    for child in issue.body:
        if child.block_type == "newest_articles":
            for article in newest(child.value, page):
                found.setdefault(article.pk, str(child.id or ""))
        alone = StreamValue(stream, [(child.block_type, child.value, child.id)])
        for model, object_id, _model_path, _path in stream.extract_references(alone):
            if model is Article:
                found.setdefault(int(object_id), str(child.id or ""))
    return found
