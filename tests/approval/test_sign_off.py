"""What was approved is what is sent, and nobody approves their own (invariant 16)."""

import pytest
from django.utils import timezone

from newsletter.approval import freeze, schedule, sign_off
from newsletter.approval.models import Approval, Frozen, Schedule
from newsletter.rendering.issue import compile_issue
from newsletter.wire.message import CompiledMessage
from tests.desk import world


@pytest.fixture
def issue(desk):
    return world.issue(desk.newsletter, desk.author)


def test_approving_freezes_the_very_message(desk, issue):
    approval = world.approve(issue, desk.reviewer)

    (frozen,) = approval.frozen.all()
    expected = compile_issue(issue.latest_revision.as_object()).message.to_bytes()
    assert (frozen.form, frozen.language, frozen.variant) == ("message", "en", "")
    assert bytes(frozen.content) == expected
    assert CompiledMessage.from_bytes(bytes(frozen.content)).to_bytes() == expected
    assert bytes(approval.content_hash) == freeze.hash_of([frozen])
    assert sign_off.valid_approval(issue) == approval


def test_saving_again_without_a_change_keeps_the_approval(desk, issue):
    approval = world.approve(issue, desk.reviewer)
    world.edit(issue, desk.author)
    assert sign_off.valid_approval(issue) == approval


@pytest.mark.parametrize("change", [{"subject": "Something else"}, {"body": []}])
def test_an_edited_draft_has_no_valid_approval(desk, issue, change):
    world.approve(issue, desk.reviewer)
    draft = issue.get_latest_revision_as_object()
    for name, value in change.items():
        setattr(draft, name, value)
    draft.save_revision(user=desk.author, clean=False)
    issue.refresh_from_db()

    assert sign_off.valid_approval(issue) is None
    assert "changed since" in sign_off.standing(issue).reason


def test_going_back_to_what_was_approved_makes_it_valid_again(desk, issue):
    approval = world.approve(issue, desk.reviewer)
    before = issue.subject
    world.edit(issue, desk.author, subject="Something else")
    world.edit(issue, desk.author, subject=before)
    assert sign_off.valid_approval(issue) == approval


def test_a_change_of_an_article_that_it_shows_takes_the_approval_away(desk):
    article = world.published_article(desk.author, desk.reviewer)
    issue = world.issue(desk.newsletter, desk.author, body=world.body(article))
    world.approve(issue, desk.reviewer)
    assert sign_off.valid_approval(issue)

    article.summary = "Take two tablets instead."
    article.save()

    assert sign_off.valid_approval(issue) is None


def test_a_change_of_the_postal_address_takes_the_approval_away(desk, issue):
    world.approve(issue, desk.reviewer)
    publisher = world.publisher()
    publisher.postal_address = "1 New Street"
    publisher.save()
    assert sign_off.valid_approval(issue) is None


def test_a_tampered_frozen_row_takes_the_approval_away(desk, issue):
    approval = world.approve(issue, desk.reviewer)
    Frozen.objects.filter(approval=approval).update(content=b"something else")
    assert sign_off.valid_approval(issue) is None


def test_a_frozen_row_that_is_gone_takes_the_approval_away(desk, issue):
    approval = world.approve(issue, desk.reviewer)
    approval.frozen.all().delete()
    assert sign_off.valid_approval(issue) is None


def test_an_author_cannot_approve_their_own_words(desk, issue):
    desk.author.groups.add(*desk.reviewer.groups.all())
    with pytest.raises(sign_off.NotApprovable, match="yourself"):
        world.approve(issue, desk.author)
    assert not Approval.objects.exists()
    assert not Frozen.objects.exists()


def test_who_submitted_it_cannot_approve_it(desk, issue):
    issue.get_workflow().start(issue, desk.sender)
    with pytest.raises(sign_off.NotApprovable, match="yourself"):
        world.approve(issue, desk.sender)
    assert not Approval.objects.exists()


def test_words_in_an_earlier_draft_count_as_ones_own(desk, issue):
    world.edit(issue, desk.reviewer, subject="The reviewer's own subject")
    world.edit(issue, desk.author, preheader="And the author goes on from there, at length.")
    with pytest.raises(sign_off.NotApprovable, match="yourself"):
        world.approve(issue, desk.reviewer)


def test_a_superuser_cannot_approve_their_own_words_either(desk):
    root = world.staff("root", "Administrators", is_superuser=True)
    issue = world.issue(desk.newsletter, root)
    with pytest.raises(sign_off.NotApprovable, match="yourself"):
        world.approve(issue, root)


def test_an_old_revision_is_not_approved(desk, issue):
    old = issue.latest_revision
    world.edit(issue, desk.author, subject="A newer subject")
    with pytest.raises(sign_off.NotApprovable, match="changed after"):
        sign_off.approve_issue(issue=issue, revision=old, by=desk.reviewer)
    assert not Approval.objects.exists()


def test_another_issues_revision_is_not_approved(desk, issue):
    other = world.issue(desk.newsletter, desk.author)
    with pytest.raises(sign_off.NotApprovable, match="something else"):
        sign_off.approve_issue(issue=issue, revision=other.latest_revision, by=desk.reviewer)
    assert not Approval.objects.exists()


def test_an_error_of_preflight_blocks_the_approval(desk):
    issue = world.issue(desk.newsletter, desk.author, subject="BUY THIS TODAY")
    with pytest.raises(sign_off.NotApprovable, match="shouts"):
        world.approve(issue, desk.reviewer)
    assert not Approval.objects.exists()


def test_a_new_approval_voids_the_earlier_one_and_its_schedule(desk, issue):
    first = world.approve(issue, desk.reviewer)
    soon = timezone.now() + timezone.timedelta(hours=1)
    planned = schedule.schedule(issue=issue, send_at=soon, by=desk.sender)
    world.edit(issue, desk.author, subject="A better subject")

    second = world.approve(issue, desk.reviewer)

    first.refresh_from_db()
    planned.refresh_from_db()
    assert first.voided_at and "newer" in first.void_reason
    assert planned.cancelled_at and planned.refusal
    assert sign_off.valid_approval(issue) == second
    assert not Schedule.objects.open().exists()


def test_voiding_twice_keeps_the_first_reason(desk, issue):
    approval = world.approve(issue, desk.reviewer)
    assert sign_off.void(approval=approval, reason="Wrong dosage.")
    assert not sign_off.void(approval=approval, reason="Another.")
    approval.refresh_from_db()
    assert approval.void_reason == "Wrong dosage."
    assert sign_off.valid_approval(issue) is None


def test_an_articles_place_in_digests_is_frozen_in_both_forms(desk):
    article = world.published_article(desk.author, desk.reviewer)
    approval = article.approvals.get()
    assert {row.form for row in approval.frozen.all()} == {"html_fragment", "text_fragment"}
    assert sign_off.valid_article_approval(article) == approval


def test_a_draft_of_an_article_leaves_the_approval_of_the_live_one(desk):
    article = world.published_article(desk.author, desk.reviewer)
    world.edit(article, desk.author, summary="Not yet for readers.")
    assert sign_off.valid_article_approval(article) is not None


def test_publishing_past_the_reviewer_takes_an_articles_approval_away(desk):
    article = world.published_article(desk.author, desk.reviewer)
    world.edit(article, desk.author, body=[("rich_text", "<p>Unread by anyone.</p>")]).publish()
    assert sign_off.valid_article_approval(article) is None


def test_an_article_without_a_review_is_not_approved(desk):
    article = world.article(desk.author, reviewer_name="", reviewed_on=None)
    with pytest.raises(sign_off.NotApprovable, match="no medical reviewer"):
        sign_off.approve_article(
            article=article, revision=article.latest_revision, by=desk.reviewer
        )
    assert not Approval.objects.exists()
