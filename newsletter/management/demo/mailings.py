"""The issues, the one that counts as sent, and the readers' first digests."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files import File
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from wagtail.images import get_image_model

from newsletter.approval import sign_off
from newsletter.catalogue.models import Condition, Newsletter
from newsletter.editions.models import Article, Issue
from newsletter.management.demo import content, staff
from newsletter.management.demo.population import people
from newsletter.management.demo.readers import NOT_SENT, SOURCE
from newsletter.sending import digest_run, plan
from newsletter.sending.models import Batch, Delivery, Mailing
from newsletter.sending.settle import end_if_balanced
from signup.address import normalise

DRAWINGS = Path(settings.BASE_DIR) / "static" / "art"


def make_issues() -> int:
    """Make the issues that are missing: one signed off and sent, one that waits for review."""
    there = set(Issue.objects.values_list("slug", flat=True))
    missing = [each for each in content.issues() if each.slug not in there]
    for file in missing:
        # Whole or not there. Nobody sees the sent issue's plan before its outcomes stand, so
        # no worker takes it up.
        with transaction.atomic():
            _make(file)
    return len(missing)


def plan_first_digests() -> int:
    """Give the demo's readers the first digest that each new reader gets, as if it had gone out.

    Only while no digest was ever planned here. Returns how many readers got one.
    """
    digests = Newsletter.objects.filter(slug="my-conditions")
    runs = Mailing.objects.filter(kind=Mailing.Kind.DIGEST, newsletter__in=digests)
    if runs.exists():
        return 0
    with transaction.atomic():
        digest_run.run_due(timezone.now())
        mailings = list(runs.filter(state=Mailing.State.SENDING))
        return sum(record_as_demo(mailing) for mailing in mailings)


def record_as_demo(mailing: Mailing) -> int:
    """Write the outcomes of a mailing that nobody is to get: all accepted, and each row says
    that nothing was sent. Returns how many.

    A mailing that also holds a reader who is not of the demo is left as it is, to be sent.
    """
    ours = [normalise(person.email).key for person in people()]
    deliveries = Delivery.objects.filter(mailing=mailing)
    if deliveries.exclude(subscriber__email_key__in=ours).exists():
        return 0
    batches = Batch.objects.filter(mailing=mailing)
    batches.filter(state=Batch.State.READY).update(
        state=Batch.State.CLAIMED,
        epoch=F("epoch") + 1,
        worker=SOURCE,
        handed_upto=F("planned"),
    )
    number = deliveries.filter(state=Delivery.State.QUEUED).update(
        state=Delivery.State.ACCEPTED, attempt=1, outcome_at=timezone.now(), reply=NOT_SENT
    )
    batches.filter(state=Batch.State.CLAIMED).update(
        state=Batch.State.DONE, accepted=F("planned"), lease_until=None
    )
    if not end_if_balanced(mailing.pk):
        raise RuntimeError(f"The demo's mailing {mailing.pk} does not balance.")
    return number


def _make(file: content.IssueFile) -> None:
    author = staff.person(staff.AUTHOR)
    issue = Issue(
        **file.fields,
        slug=file.slug,
        newsletter=Newsletter.objects.get(slug=file.newsletter),
        body=json.dumps([_resolved(block) for block in file.body]),
        live=False,
    )
    issue.full_clean()
    issue.save()
    revision = issue.save_revision(user=author, log_action=True)
    if not file.sent:
        return
    reviewer, sender = staff.person(staff.REVIEWER), staff.person(staff.SENDER)
    approval = sign_off.approve_issue(issue=issue, revision=revision, by=reviewer)
    revision.publish(user=reviewer)
    issue.refresh_from_db()
    mailing = plan.resume(plan.plan_issue(issue=issue, approval=approval, by=sender))
    record_as_demo(mailing)


def _resolved(block: content.Block) -> content.Block:
    """Put rows in the place of the names that the files use."""
    value: Any = block["value"]
    if block["type"] == "article_card":
        article = Article.objects.get(slug=value["article"])
        value = {"lead": "", "show_artwork": True, **value, "article": article.pk}
    elif block["type"] == "image":
        image = _picture(value["drawing"], value["title"])
        value = {"image": image, "alt_text": value["alt_text"], "decorative": False}
    elif block["type"] == "newest_articles":
        value = {**value, "conditions": _conditions(value["conditions"])}
    elif block["type"] == "only_for":
        value = {
            "conditions": _conditions(value["conditions"]),
            "content": [_resolved(each) for each in value["content"]],
        }
    elif block["type"] == "publication":
        value = {**value, "cover": _drawn(value["cover"])}
    elif block["type"] == "sponsor":
        value = {**value, "logo": None}
    elif block["type"] == "emergency" and "condition" in value:
        value = {**value, "condition": _conditions([value["condition"]])[0]}
    return {**block, "value": value}


def _conditions(slugs: list[str]) -> list[int]:
    return [Condition.objects.get(slug=slug).pk for slug in slugs]


def _drawn(value: dict[str, str]) -> dict[str, Any]:
    image = _picture(value["drawing"], value["title"])
    return {"image": image, "alt_text": value["alt_text"], "decorative": False}


def _picture(drawing: str, title: str) -> int:
    """Return the id of a drawing in the library of images, put there once."""
    library = get_image_model()._default_manager
    found = library.filter(title=title).order_by("pk").first()
    if found is None:
        with (DRAWINGS / f"{drawing}.png").open("rb") as file:
            found = library.create(title=title, file=File(file, name=f"{drawing}.png"))
    return int(found.pk)
