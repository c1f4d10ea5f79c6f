"""Two editors at once: nobody's words are lost, whoever saves last."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from newsletter.desk.viewsets.reviewed import ReviewedEditView
from tests.desk import world
from tests.desk.conftest import client_of
from tests.desk.forms_of import form_of

ISSUE = "wagtailsnippets_editions_issue"
AS_JSON = {"HTTP_ACCEPT": "application/json", "HTTP_X_REQUESTED_WITH": "XMLHttpRequest"}


@pytest.fixture
def issue(desk):
    return world.issue(desk.newsletter, desk.author)


@pytest.fixture
def other(desk):
    return world.staff("second", "Authors", first_name="Bea", last_name="Second")


def edit_url(issue):
    return reverse(f"{ISSUE}:edit", args=(issue.pk,))


def stale_form(issue, loaded, **changes):
    return form_of(
        issue,
        loaded_revision_id=loaded.pk,
        loaded_revision_created_at=loaded.created_at.isoformat(),
        **changes,
    )


def test_a_stale_save_is_refused_with_what_was_typed_kept(desk, issue, other):
    loaded = issue.latest_revision
    world.edit(issue, other, subject="The other one's subject")
    revisions = issue.revisions.count()

    answer = client_of(desk.author).post(
        edit_url(issue), stale_form(issue, loaded, subject="Mine, typed for an hour")
    )

    issue.refresh_from_db()
    assert issue.revisions.count() == revisions
    assert issue.latest_revision.content["subject"] == "The other one's subject"
    page = answer.content.decode()
    assert "Mine, typed for an hour" in page
    assert "Bea Second has saved a newer version meanwhile" in page


def test_submitting_a_stale_form_is_refused_too(desk, issue, other):
    loaded = issue.latest_revision
    world.edit(issue, other, subject="The other one's subject")
    client_of(desk.author).post(
        edit_url(issue), stale_form(issue, loaded, subject="Mine", **{"action-submit": "1"})
    )
    issue.refresh_from_db()
    assert not issue.workflow_in_progress


def test_saving_once_more_is_meant_and_both_versions_are_in_the_history(desk, issue, other):
    loaded = issue.latest_revision
    world.edit(issue, other, subject="The other one's subject")
    page = (
        client_of(desk.author)
        .post(edit_url(issue), stale_form(issue, loaded, subject="Mine"))
        .content.decode()
    )
    again = {
        name: re.search(rf'name="{name}"[^>]*value="([^"]*)"', page)[1]
        for name in ("loaded_revision_id", "loaded_revision_created_at")
    }
    client_of(desk.author).post(edit_url(issue), form_of(issue, subject="Mine", **again))
    subjects = [revision.content["subject"] for revision in issue.revisions.order_by("pk")]
    assert subjects[-2:] == ["The other one's subject", "Mine"]


def test_ones_own_save_in_good_time_goes_through(desk, issue):
    client_of(desk.author).post(
        edit_url(issue), stale_form(issue, issue.latest_revision, subject="In good time")
    )
    issue.refresh_from_db()
    assert issue.latest_revision.content["subject"] == "In good time"


def test_ones_own_autosave_on_its_way_does_not_refuse_the_save_after_it(desk, issue):
    """The answer to the autosave was not there yet when "Save draft" was pressed."""
    loaded = issue.latest_revision
    world.edit(issue, desk.author, subject="As the autosave sent it")
    answer = client_of(desk.author).post(
        edit_url(issue), stale_form(issue, loaded, subject="And one word more")
    )
    assert answer.status_code == 302
    issue.refresh_from_db()
    assert issue.latest_revision.content["subject"] == "And one word more"


def test_ones_own_later_save_hides_nothing_that_somebody_else_wrote(desk, issue, other):
    loaded = issue.latest_revision
    world.edit(issue, other, subject="The other one's subject")
    world.edit(issue, desk.author, subject="From another window")
    answer = client_of(desk.author).post(edit_url(issue), stale_form(issue, loaded, subject="Mine"))
    issue.refresh_from_db()
    assert issue.latest_revision.content["subject"] == "From another window"
    assert "Bea Second has saved a newer version meanwhile" in answer.content.decode()


def test_what_one_wrote_in_another_window_long_ago_is_not_written_over(desk, issue):
    loaded = issue.latest_revision
    world.edit(issue, desk.author, subject="From another window")
    issue.revisions.filter(pk__gt=loaded.pk).update(
        created_at=timezone.now() - timedelta(minutes=10)
    )
    answer = client_of(desk.author).post(edit_url(issue), stale_form(issue, loaded, subject="Mine"))
    issue.refresh_from_db()
    assert issue.latest_revision.content["subject"] == "From another window"
    assert "You have saved a newer version in another window" in answer.content.decode()


@pytest.fixture
def at_the_last_moment(monkeypatch):
    """Do something when a form has been found good and is about to be written."""
    pending = []
    good = ReviewedEditView.is_valid

    def is_valid(view, form):
        found = good(view, form)
        while pending:
            pending.pop()()
        return found

    monkeypatch.setattr(ReviewedEditView, "is_valid", is_valid)
    return pending.append


@pytest.mark.parametrize("writes_over", [True, False], ids=["its own", "the loaded one"])
def test_a_slow_autosave_does_not_put_older_words_over_a_save_that_overtook_it(
    desk, issue, at_the_last_moment, writes_over
):
    """Both are on their way at once, and the one that was sent first comes second."""
    loaded = issue.latest_revision
    form = stale_form(issue, loaded, subject="Half a sent")
    if writes_over:
        form["overwrite_revision_id"] = loaded.pk
    typed = stale_form(issue, loaded, subject="Half a sentence and its end")
    at_the_last_moment(lambda: client_of(desk.author).post(edit_url(issue), typed))

    answer = client_of(desk.author).post(edit_url(issue), form, **AS_JSON)

    assert answer.json()["error_code"] == "invalid_revision"
    issue.refresh_from_db()
    assert issue.latest_revision.content["subject"] == "Half a sentence and its end"


def test_two_who_save_at_the_same_moment_are_told(desk, issue, other, at_the_last_moment):
    loaded = issue.latest_revision
    at_the_last_moment(lambda: world.edit(issue, other, subject="The other one's subject"))

    answer = client_of(desk.author).post(edit_url(issue), stale_form(issue, loaded, subject="Mine"))

    issue.refresh_from_db()
    assert issue.latest_revision.content["subject"] == "The other one's subject"
    page = answer.content.decode()
    assert "Bea Second has saved a newer version meanwhile" in page
    assert 'value="Mine"' in page
