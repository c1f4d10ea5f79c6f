"""A doctor signs what is medical, any second person the rest; warnings are answered in writing."""

import pytest

from newsletter.approval import preflight, scope, sign_off
from newsletter.approval.changes import Kind, Sign, compare, since_approval
from newsletter.approval.models import Approval, Reason
from newsletter.approval.readiness import readiness
from tests.desk import world

BUTTON = ("button", {"text": "Read the guide", "url": "https://example.org/guide/"})
TEXT = ("rich_text", "<p>Begin with ten minutes, twice a day.</p>")


@pytest.fixture
def issue(desk):
    issue = world.issue(desk.newsletter, desk.author, body=[TEXT, BUTTON])
    world.approve(issue, desk.reviewer)
    return issue


def change(issue, by, **changes):
    world.edit(issue, by, **changes)
    issue.refresh_from_db()


def sign(issue, by, **given):
    return sign_off.approve_issue(
        issue=issue, revision=issue.latest_revision, by=by, medically=False, **given
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "A calmer subject for this week"},
        {"preheader": "A short walk twice a day does more than two days in bed."},
        {"body": [TEXT, ("button", {"text": "Open it", "url": "https://example.org/other/"})]},
        {"body": [TEXT, ("divider", None), BUTTON]},
    ],
)
def test_a_change_outside_medical_blocks_needs_any_second_person(desk, issue, changes):
    doctors = issue.approvals.get()
    change(issue, desk.author, **changes)

    approval = sign(issue, desk.sender)

    assert approval.rests_on == doctors
    assert sign_off.valid_approval(issue) == approval


@pytest.mark.parametrize(
    "body",
    [
        [("rich_text", "<p>Begin with an hour, twice a day.</p>"), BUTTON],
        [TEXT, ("callout", {"title": "Good to know", "text": "<p>Take two.</p>"}), BUTTON],
        [BUTTON],
        [("heading", "A cure"), TEXT, BUTTON],
    ],
)
def test_a_change_of_a_medical_block_needs_the_doctor(desk, issue, body):
    change(issue, desk.author, body=body)
    with pytest.raises(sign_off.NotApprovable, match="medical reviewer"):
        sign(issue, desk.sender)
    assert Approval.objects.count() == 1


def test_a_changed_article_needs_the_doctor(desk):
    article = world.published_article(desk.author, desk.reviewer)
    issue = world.issue(desk.newsletter, desk.author, body=world.body(article))
    world.approve(issue, desk.reviewer)
    change(issue, desk.author, subject="A calmer subject for this week")
    content = issue.get_latest_revision_as_object()
    assert sign_off.medical_basis(issue, content)
    article.summary = "Take two tablets instead."
    article.save()
    assert sign_off.medical_basis(issue, issue.get_latest_revision_as_object()) is None


def test_a_second_person_is_another_person(desk, issue):
    change(issue, desk.author, subject="A calmer subject for this week")
    with pytest.raises(sign_off.NotApprovable, match="yourself"):
        sign(issue, desk.author)


def test_without_a_doctors_approval_nobody_is_second(desk):
    issue = world.issue(desk.newsletter, desk.author)
    with pytest.raises(sign_off.NotApprovable, match="medical reviewer"):
        sign(issue, desk.sender)


def test_a_doctors_approval_that_was_taken_back_carries_nothing(desk, issue):
    sign_off.void(approval=issue.approvals.get(), reason="Wrong dosage.")
    change(issue, desk.author, subject="A calmer subject for this week")
    with pytest.raises(sign_off.NotApprovable, match="medical reviewer"):
        sign(issue, desk.sender)


def test_the_chain_leads_back_to_the_doctor_however_often_it_is_changed(desk, issue):
    doctors = issue.approvals.get()
    for number in range(3):
        change(issue, desk.author, subject=f"Week {number} of walking a little more")
        approval = sign(issue, desk.sender)
    assert approval.medical == doctors


def test_colours_and_names_are_not_medical_and_the_number_to_call_is(desk, issue):
    content = issue.get_latest_revision_as_object()
    content.body = [("emergency", {"title": "Now", "signs": ["Numb legs"], "number": ""})]
    before = scope.medical_hash(content)
    content.newsletter.name = "Another name"
    assert scope.medical_hash(content) == before
    publisher = world.publisher()
    publisher.emergency_number = "911"
    publisher.save()
    assert scope.medical_hash(content) != before


# --- Reasons -------------------------------------------------------------------------------------


@pytest.fixture
def warned(desk):
    return world.issue(desk.newsletter, desk.author, preheader="Too short")


def warning_of(issue):
    (finding,) = preflight.check(issue.get_latest_revision_as_object())
    return finding


def test_a_warning_without_a_reason_blocks(desk, warned):
    with pytest.raises(sign_off.NotApprovable, match="Say why"):
        world.approve(warned, desk.reviewer)
    assert not Approval.objects.exists()


@pytest.mark.parametrize("reason", ["", "   ", "ok"])
def test_a_reason_is_more_than_a_nod(desk, warned, reason):
    with pytest.raises(sign_off.NotApprovable, match="Say why"):
        sign_off.approve_issue(
            issue=warned,
            revision=warned.latest_revision,
            by=desk.reviewer,
            given={warning_of(warned).key: reason},
        )


def test_the_reason_is_kept_with_the_approval(desk, warned):
    finding = warning_of(warned)
    approval = sign_off.approve_issue(
        issue=warned,
        revision=warned.latest_revision,
        by=desk.reviewer,
        given={finding.key: "Two words say it all."},
    )
    row = Reason.objects.get()
    assert (row.approval, row.given_by, row.message) == (approval, desk.reviewer, finding.message)
    assert row.reason == "Two words say it all."
    assert readiness(warned).open_warnings == ()


def test_a_warning_that_came_up_since_is_open(desk, issue, monkeypatch):
    assert readiness(issue).open_warnings == ()
    monkeypatch.setattr("newsletter.approval.preflight.reach.joined_suddenly", lambda _: 700)
    ready = readiness(issue)
    assert ready.approval is not None
    assert [finding.code for finding in ready.open_warnings] == ["audience_large"]


# --- Changes -------------------------------------------------------------------------------------


def test_changes_are_told_block_by_block_and_in_words(desk, issue):
    approval = issue.approvals.get()
    draft = issue.get_latest_revision_as_object()
    raw = list(draft.body.get_prep_value())
    raw[0] = {**raw[0], "value": "<p>Begin with five minutes, twice a day.</p>"}
    draft.body = raw
    draft.subject = "Five minutes that help your back"
    found = since_approval(draft, approval)
    assert [(change.label, change.kind) for change in found.changes] == [
        ("Subject", Kind.CHANGED),
        ("Text", Kind.CHANGED),
    ]
    assert (Sign.REMOVED, "ten") in found.changes[1].words
    assert (Sign.ADDED, "five") in found.changes[1].words
    assert found.changes[1].block == raw[0]["id"]


def test_what_came_went_and_moved_is_told(desk, issue):
    approval = issue.approvals.get()
    draft = issue.get_latest_revision_as_object()
    text, button = draft.body.get_prep_value()
    draft.body = [button, text]
    assert [c.kind for c in since_approval(draft, approval).changes] == [Kind.MOVED]
    draft.body = [text]
    (gone,) = since_approval(draft, approval).changes
    assert gone.kind == Kind.REMOVED and "Read the guide" in gone.words[0][1]
    draft.body = [text, button, {"type": "heading", "value": "More", "id": "a"}]
    (came,) = since_approval(draft, approval).changes
    assert came.kind == Kind.ADDED and "More" in came.words[0][1]


def test_an_article_signed_anew_since_is_told_with_its_words(desk):
    article = world.published_article(desk.author, desk.reviewer)
    issue = world.issue(desk.newsletter, desk.author, body=world.body(article))
    approval = world.approve(issue, desk.reviewer)
    from django.utils import timezone

    revision = world.edit(
        article, desk.author, summary="Rest a day.", reviewed_on=timezone.localdate()
    )
    sign_off.approve_article(article=article, revision=revision, by=desk.reviewer)
    revision.publish()
    found = since_approval(issue.get_latest_revision_as_object(), approval)
    ((changed, changes),) = found.articles
    assert changed == article
    assert "Summary" in [change.label for change in changes]


def test_long_unchanged_stretches_are_left_out():
    before = " ".join(f"w{n}" for n in range(100))
    runs = list(compare(before, before.replace("w50", "x50")))
    assert (Sign.GAP, "…") in runs
    assert sum(len(words.split()) for _sign, words in runs) < 30
