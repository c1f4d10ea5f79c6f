"""A publisher, a newsletter with readers, staff in every role, an article and an issue."""

import hashlib
import itertools
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.utils import timezone
from wagtail.models import Revision

from newsletter.approval import sign_off
from newsletter.approval.models import Approval
from newsletter.catalogue.models import Condition, Newsletter, Publisher
from newsletter.desk.models import User
from newsletter.editions.models import Article, Issue
from signup.models import ConsentEntry, ConsentSubject, Subscriber, Subscription

PASSWORD = "a long enough pass phrase"
_numbers = itertools.count(1)

ROLE_OF = {
    "author": "Authors",
    "reviewer": "Medical reviewers",
    "sender": "Senders",
    "admin": "Administrators",
    "protection": "Data protection",
}


def staff(username: str, *groups: str, password: str = "", **extra: Any) -> User:
    """A member of staff in the group of that name, or in `groups`.

    Without a password nobody can sign in as them by form, and no time goes into hashing one.
    """
    user = User(username=username, email=f"{username}@staff.example.org", **extra)
    user.set_password(password or None)
    user.save()
    for name in groups or (ROLE_OF[username],):
        user.groups.add(Group.objects.get(name=name))
    return user


def publisher() -> Publisher:
    publisher = Publisher.load()
    publisher.name = "St Elena Back Clinic"
    publisher.postal_address = "12 Harbour Road\n1050 Exampletown"
    publisher.save()
    return publisher


def newsletter(**changes: Any) -> Newsletter:
    values = {
        "name": "Living well",
        "slug": "living-well",
        "promise": "One mail a week.",
        "from_name": "St Elena Back Clinic",
        "from_email": "hello@news.example.org",
        "list_id_label": "living-well",
    }
    return Newsletter.objects.create(**{**values, **changes})


def condition(name: str = "Herniated disk", **changes: Any) -> Condition:
    values = {
        "slug": name.lower().replace(" ", "-"),
        "group": "Back and joints",
        "synonyms": "slipped disc, prolapsed disk",
        "summary": "A disk that presses on a nerve.",
        "emergency_signs": "Loss of bladder control",
    }
    return Condition.objects.create(name=name, **{**values, **changes})


def reader(newsletter: Newsletter, **changes: Any) -> Subscription:
    """A live subscription with its line in the ledger."""
    number = next(_numbers)
    subscriber = Subscriber.objects.create(
        email=f"desk-reader{number}@example.org", email_key=f"desk-reader{number}@example.org"
    )
    subject = ConsentSubject.objects.create(subscriber=subscriber)
    consent = ConsentEntry.objects.create(
        subject=subject.subject,
        seq=1,
        action="confirmed",
        purpose="mail",
        method="confirmation",
        at=timezone.now(),
        key_version=1,
        previous_hash=b"\0" * 32,
        entry_hash=hashlib.sha256(subject.subject.bytes).digest(),
    )
    values: dict[str, Any] = {"state": "live", "consent": consent, "live_at": timezone.now()}
    return Subscription.objects.create(
        subscriber=subscriber, newsletter=newsletter, **{**values, **changes}
    )


def article(by: User | None = None, **changes: Any) -> Article:
    """A complete article with one revision, not yet reviewed by the workflow."""
    today = timezone.localdate()
    values: dict[str, Any] = {
        "title": "Walking helps more than resting",
        "summary": "Two days in bed are enough. After that, short walks ease most back pain.",
        "body": [("rich_text", "<p>Begin with ten minutes, twice a day.</p>")],
        "author_name": "Dr Ines Okafor",
        "author_credentials": "Physiotherapist",
        "reviewer_name": "Dr Marek Lind",
        "reviewer_credentials": "Consultant in spinal medicine",
        "reviewed_on": today - timedelta(days=30),
        "review_due": today + timedelta(days=700),
        "live": False,
    }
    article = Article(**{**values, **changes})
    article.slug = article.slug or f"article-{next(_numbers)}"
    article.save()
    article.save_revision(user=by)
    return article


def published_article(by: User, reviewer: User, *conditions: Condition, **changes: Any) -> Article:
    """An article that a reviewer approved, live."""
    article = _article(by, **changes)
    if conditions:
        article.conditions.set(conditions)
        article.save()
        article.save_revision(user=by)
    sign_off.approve_article(article=article, revision=article.latest_revision, by=reviewer)
    article.latest_revision.publish()
    article.refresh_from_db()
    return article


def body(shown: Article | None = None) -> list[tuple[str, Any]]:
    blocks: list[tuple[str, Any]] = [
        ("rich_text", "<p>Spring is a good time to move a little more.</p>"),
    ]
    if shown is not None:
        blocks.append(("article_card", {"article": shown, "lead": "", "show_artwork": False}))
    return blocks


def issue(newsletter: Newsletter, by: User | None = None, **changes: Any) -> Issue:
    """A complete issue with one revision."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "title": "Moving in spring",
        "slug": f"moving-in-spring-{number}",
        "subject": "Ten minutes that help your back",
        "preheader": "A short walk twice a day does more than a day in bed.",
        "body": body(),
        "live": False,
    }
    issue = Issue(newsletter=newsletter, **{**values, **changes})
    issue.save()
    issue.save_revision(user=by)
    return issue


def edit(thing: Issue | Article, by: User, **changes: Any) -> Revision:
    """Save a draft with these changes, as the editor does."""
    draft = thing.get_latest_revision_as_object()
    for name, value in changes.items():
        setattr(draft, name, value)
    revision: Revision = draft.save_revision(user=by)
    thing.refresh_from_db()
    return revision


def approve(issue: Issue, reviewer: User) -> Approval:
    issue.refresh_from_db()
    return sign_off.approve_issue(issue=issue, revision=issue.latest_revision, by=reviewer)


_article = article
