"""Before anything goes out, everything is looked at once more."""

from datetime import timedelta

import pytest
from django.utils import timezone

from newsletter.approval.readiness import readiness
from newsletter.catalogue.models import Publisher
from tests.desk import world


@pytest.fixture
def article(desk):
    return world.published_article(desk.author, desk.reviewer)


@pytest.fixture
def issue(desk, article):
    return world.issue(desk.newsletter, desk.author, body=world.body(article))


def test_an_approved_issue_with_readers_is_ready(desk, issue):
    approval = world.approve(issue, desk.reviewer)
    assert readiness(issue).approval == approval
    assert readiness(issue).refusals == ()


def test_without_approval_it_is_not_ready(desk, issue):
    ready = readiness(issue)
    assert ready.approval is None
    assert ready.refusals == ("It has not been approved yet.",)


def test_a_review_that_fell_due_since_makes_it_unready(desk, issue, article):
    world.approve(issue, desk.reviewer)
    article.review_due = timezone.localdate() - timedelta(days=1)
    article.save()
    ready = readiness(issue)
    assert ready.approval is None
    assert any("reviewed again" in refusal for refusal in ready.refusals)


def test_without_readers_it_is_not_ready(desk, issue):
    world.approve(issue, desk.reviewer)
    desk.newsletter.subscriptions.all().delete()
    assert readiness(issue).approval is None


def test_every_reason_is_said_at_once(desk, issue):
    Publisher.objects.update(postal_address="")
    desk.newsletter.subscriptions.all().delete()
    assert len(readiness(issue).refusals) == 3
