"""Rows that the public site shows, made the way the stations make them."""

import itertools
from datetime import UTC, date, datetime
from typing import Any

from django.db import transaction

from newsletter.approval import freeze
from newsletter.approval.models import Approval
from newsletter.catalogue.models import Condition, Newsletter, ReleaseCounter
from newsletter.desk.models import User
from newsletter.editions.models import Article, Issue, Release
from newsletter.sending.models import Edition, Mailing

_numbers = itertools.count(1)
LAST_WEEK = datetime(2026, 11, 16, 8, 0, tzinfo=UTC)


def condition(name: str = "Herniated disk", **values: Any) -> Condition:
    text = "<p>Text of <b>ours</b>.</p>"
    sections = {
        section: text
        for section in (
            "overview",
            "symptoms",
            "causes",
            "risk_factors",
            "prevention",
            "when_to_see_a_doctor",
        )
    }
    given = {
        "slug": name.lower().replace(" ", "-"),
        "group": "Back and joints",
        "synonyms": "slipped disc, prolapsed disk",
        "summary": "A cushion of the spine bulges out.",
        "emergency_signs": "Numb between the legs\nLegs get weaker",
        "reviewed_by": "Dr Amina Okafor",
        "reviewed_on": date(2026, 9, 1),
        "review_due": date(2027, 9, 1),
        **sections,
        **values,
    }
    return Condition.objects.create(name=name, **given)


def article(title: str = "Walking helps", *about: Condition, **values: Any) -> Article:
    number = next(_numbers)
    given = {
        "slug": f"article-{number}",
        "kind": Article.Kind.RESEARCH,
        "summary": "Rest less, walk more.",
        "body": [("rich_text", "<p>A large study followed people who walked.</p>")],
        "author_name": "Ruth Meyer",
        "author_credentials": "physiotherapist",
        "reviewer_name": "Dr Amina Okafor",
        "reviewer_credentials": "neurologist",
        "reviewed_on": date(2026, 9, 1),
        "review_due": date(2027, 9, 1),
        "sources": "Smith J. Walking. 2025.\nNational guideline, 2024",
        "first_published_at": LAST_WEEK,
        "last_published_at": LAST_WEEK,
        **values,
    }
    made = Article(title=title, **given)
    made.conditions = list(about)
    made.save()
    return made


def newsletter(name: str = "Living well", **values: Any) -> Newsletter:
    slug = name.lower().replace(" ", "-")
    given = {
        "slug": slug,
        "promise": "One topic a week.",
        "from_name": "Lakeside Clinic",
        "from_email": "hello@lakeside.example",
        "postal_address": "12 Shore Road, Harbour Town",
        "list_id_label": slug,
        **values,
    }
    return Newsletter.objects.create(name=name, **given)


def user() -> User:
    return User.objects.create(username=f"staff{next(_numbers)}")


def draft_issue(title: str = "Sleep and the back", **values: Any) -> Issue:
    number = next(_numbers)
    given = {
        "slug": f"issue-{number}",
        "subject": f"Subject of {title}",
        "preheader": "What a good mattress cannot do.",
        "body": [("rich_text", "<p>Good night.</p>")],
        **values,
    }
    given.setdefault(
        "newsletter", Newsletter.objects.filter(kind="editorial").first() or newsletter()
    )
    return Issue.objects.create(title=title, **given)


def approved(issue: Issue) -> Approval:
    revision = issue.save_revision()
    forms = freeze.issue_forms(issue)
    approval = Approval.objects.create(
        issue=issue,
        revision=revision,
        content_hash=freeze.hash_of(forms),
        approved_by=user(),
    )
    freeze.store(approval, forms)
    return approval


def mailing_of(issue: Issue, **values: Any) -> Mailing:
    approval = approved(issue)
    given = {"state": Mailing.State.ENDED, "started_at": LAST_WEEK, "dated": LAST_WEEK, **values}
    mailing = Mailing.objects.create(
        kind=Mailing.Kind.CORRECTION if issue.is_correction else Mailing.Kind.ISSUE,
        newsletter=issue.newsletter,
        issue=issue,
        approval=approval,
        **given,
    )
    Edition.objects.create(mailing=mailing, language=issue.language, frozen=approval.frozen.get())
    return mailing


def sent_issue(title: str = "Sleep and the back", **values: Any) -> Issue:
    issue = draft_issue(title, **values)
    mailing_of(issue)
    return issue


@transaction.atomic
def release(article: Article) -> Release:
    revision = article.save_revision()
    forms = freeze.article_forms(article)
    approval = Approval.objects.create(
        article=article,
        revision=revision,
        content_hash=freeze.hash_of(forms),
        approved_by=user(),
    )
    freeze.store(approval, forms)
    return Release.objects.create(
        article=article, seq=ReleaseCounter.take_next(), released_by=user()
    )
