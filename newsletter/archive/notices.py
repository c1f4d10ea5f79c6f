"""What stands before an issue or article that was corrected, or in the place of one recalled."""

import re
from dataclasses import dataclass
from datetime import datetime

from django.template.loader import render_to_string

from newsletter.archive import published
from newsletter.catalogue.models import Publisher
from newsletter.editions.models import Article, Issue
from newsletter.rendering import links
from newsletter.sending.models import Recall

_BODY = re.compile(r"<body\b[^>]*>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Notice:
    """`who` is the publisher: the name of the member of staff stands at the desk."""

    recalled: bool
    at: datetime
    why: str
    who: str
    language: str
    # What is right now: the correction that went out, if there is one.
    title: str = ""
    url: str = ""


def of_issue(issue: Issue) -> Notice | None:
    """The notice of its correction; None while there is none. `issue` is of `published.issues`."""
    correction = published.correction_of(issue)
    if correction is None:
        return None
    return Notice(
        recalled=False,
        at=correction.sent_at,
        why=published.what_was_wrong(correction),
        who=issue.newsletter.from_name,
        language=correction.language,
        title=correction.shown_title,
        url=links.issue(correction.slug),
    )


def of_recalled(issue: Issue) -> Notice:
    """The notice in the place of an issue, of `published.recalled_issues`."""
    correction = published.correction_of(issue)
    recall: Recall = issue.recall
    return Notice(
        recalled=True,
        at=recall.at,
        why=recall.reason,
        who=issue.newsletter.from_name,
        language=issue.language,
        title=correction.shown_title if correction else "",
        url=links.issue(correction.slug) if correction else "",
    )


def of_article(article: Article) -> Notice | None:
    """The notice of an article's recall, also when it was mended and published anew."""
    recall = published.recall_of(article)
    if recall is None:
        return None
    return Notice(
        recalled=True,
        at=recall.at,
        why=recall.reason,
        who=Publisher.current().name,
        language=article.language,
    )


def before(html: str, notice: Notice) -> str:
    """Return a mail's document with the notice before everything that it shows.

    The mail itself stays as it was approved: the notice is the website's.
    """
    said = render_to_string("archive/_notice_in_mail.html", {"notice": notice})
    return _BODY.sub(lambda body: body[0] + said, html, count=1)


def as_document(notice: Notice) -> str:
    """Return a whole document that says nothing but the notice."""
    return render_to_string("archive/recalled_mail.html", {"notice": notice})
