"""The editor: Wagtail's, with nothing in it that leads past the reviewer or out of the house."""

import re

import pytest
from django.urls import reverse

from newsletter.approval.sign_off import valid_approval
from newsletter.editions.models import Article, Issue
from tests.desk import world
from tests.desk.conftest import client_of
from tests.desk.forms_of import form_of, issue_form

ISSUE = "wagtailsnippets_editions_issue"
AS_JSON = {"HTTP_ACCEPT": "application/json", "HTTP_X_REQUESTED_WITH": "XMLHttpRequest"}


def edit_url(issue):
    return reverse(f"{ISSUE}:edit", args=(issue.pk,))


@pytest.fixture
def issue(desk):
    return world.issue(desk.newsletter, desk.author)


def test_a_draft_may_have_gaps(desk):
    client_of(desk.author).post(
        reverse(f"{ISSUE}:add"), issue_form(desk.newsletter, subject="", preheader="")
    )
    assert Issue.objects.get().subject == ""


@pytest.mark.parametrize(
    "change",
    [
        {"title": ""},
        {"newsletter": "999"},
        {"newsletter": ""},
        {"subject": "x" * 121},
        {"slug": "not a slug"},
        {"greeting": "Dear {surname|you},"},
        {"body-0-type": "no such block"},
    ],
)
def test_wrong_input_is_kept_on_the_page_and_nothing_is_saved(desk, change):
    answer = client_of(desk.author).post(
        reverse(f"{ISSUE}:add"), issue_form(desk.newsletter, **change)
    )
    if change == {"body-0-type": "no such block"}:
        # What no browser sends is dropped, not stored.
        assert all(not len(issue.body) for issue in Issue.objects.all())
        return
    assert answer.status_code == 200
    assert not Issue.objects.exists()


def test_the_only_newsletter_is_chosen_already(desk):
    page = client_of(desk.author).get(reverse(f"{ISSUE}:add")).content.decode()
    assert f'<option value="{desk.newsletter.pk}" selected>' in page


def test_autosave_does_not_write_over_what_was_signed(desk, issue):
    approval = world.approve(issue, desk.reviewer)
    signed = approval.revision
    before = signed.content
    client_of(desk.author).post(
        edit_url(issue),
        form_of(
            issue,
            subject="Typed in a tab left open",
            overwrite_revision_id=signed.pk,
            loaded_revision_id=signed.pk,
        ),
    )
    signed.refresh_from_db()
    issue.refresh_from_db()
    assert signed.content == before
    assert issue.latest_revision != signed
    assert valid_approval(issue) is None


def test_autosave_writes_over_its_own_draft(desk, issue):
    first = issue.latest_revision
    client_of(desk.author).post(
        edit_url(issue), form_of(issue, subject="Still typing", overwrite_revision_id=first.pk)
    )
    issue.refresh_from_db()
    assert issue.latest_revision == first
    first.refresh_from_db()
    assert first.content["subject"] == "Still typing"


def test_two_editors_at_once_see_each_other(desk, issue):
    other = world.staff("second", "Authors", first_name="Bea", last_name="Second")
    client_of(other).get(edit_url(issue))
    page = client_of(desk.author).get(edit_url(issue)).content.decode()
    assert 'data-controller="w-session"' in page or "w-session" in page
    ping = re.search(r"/admin/editing-sessions/ping/editions/issue/\d+/\d+/", page)
    assert ping
    answer = client_of(desk.author).post(ping[0], {"is_editing": "1"})
    assert "Bea Second" in answer.content.decode()


def test_what_somebody_else_saved_meanwhile_is_not_written_over_by_autosave(desk, issue):
    loaded = issue.latest_revision
    other = world.staff("second", "Authors")
    world.edit(issue, other, subject="The other one's subject")
    client_of(desk.author).post(
        edit_url(issue),
        form_of(
            issue,
            subject="Mine",
            loaded_revision_id=loaded.pk,
            loaded_revision_created_at=loaded.created_at.isoformat(),
        ),
        **AS_JSON,
    )
    issue.refresh_from_db()
    assert issue.latest_revision.content["subject"] == "The other one's subject"


def test_a_lock_keeps_others_out(desk, issue):
    issue.locked, issue.locked_by = True, desk.admin
    issue.save()
    revisions = issue.revisions.count()
    client_of(desk.author).post(edit_url(issue), form_of(issue, subject="Past the lock"))
    assert issue.revisions.count() == revisions


@pytest.mark.parametrize(("mode", "has"), [("", "<html"), ("text", "A walk before breakfast")])
def test_the_preview_shows_what_stands_in_the_form(desk, issue, mode, has):
    client = client_of(desk.author)
    url = reverse(f"{ISSUE}:preview_on_edit", args=(issue.pk,))
    answer = client.post(url, form_of(issue, subject="Not saved yet"))
    assert answer.json() == {"is_valid": True, "is_available": True}

    page = client.get(url, {"mode": mode})
    text = page.content.decode()
    assert has in text
    assert "A walk before breakfast" in text
    assert "script" not in page["Content-Security-Policy"].replace("default-src", "")
    issue.refresh_from_db()
    assert "Not saved yet" not in str(issue.latest_revision.content)


def test_the_preview_is_there_before_the_first_save(desk):
    client = client_of(desk.author)
    url = reverse(f"{ISSUE}:preview_on_add")
    assert client.post(url, issue_form(desk.newsletter)).json()["is_available"]
    assert "A walk before breakfast" in client.get(url).content.decode()
    assert not Issue.objects.exists()


def test_the_menu_leads_by_task_and_not_to_pages(desk, issue):
    root = world.staff("root", "Administrators", is_superuser=True)
    page = client_of(root).get(reverse("wagtailadmin_home")).content.decode()
    for label in ("Compose", "Catalogue", "Mailings"):
        assert f'"label": "{label}"' in page
    for name in ('"name": "explorer"', '"name": "documents"', '"name": "help"', '"name": "sites"'):
        assert name not in page


def test_no_page_of_the_desk_asks_another_host_for_anything(desk, issue):
    world.approve(issue, desk.reviewer)
    root = world.staff("root", "Administrators", is_superuser=True)
    client = client_of(root)
    urls = [
        reverse("wagtailadmin_home"),
        edit_url(issue),
        reverse("desk:issue", args=(issue.pk,)),
        reverse("desk:mailings"),
    ]
    for url in urls:
        page = client.get(url).content.decode()
        loaded = re.findall(r'<(?:img|script|link|iframe)\b[^>]*(?:src|href)="([^"]+)"', page)
        assert loaded
        assert [found for found in loaded if found.startswith(("http", "//"))] == []


@pytest.mark.parametrize("model", [Issue, Article])
def test_the_list_leads_those_who_do_not_write_to_the_way(desk, issue, model):
    world.article(desk.author)
    viewset = model.snippet_viewset
    page = client_of(desk.reviewer).get(reverse(viewset.get_url_name("list"))).content.decode()
    assert reverse(f"desk:{model._meta.model_name}", args=(1,)).rsplit("/", 2)[0] in page


def test_the_list_shows_where_each_issue_stands(desk, issue):
    world.approve(world.issue(desk.newsletter, desk.author), desk.reviewer)
    submitted = world.issue(desk.newsletter, desk.author)
    submitted.get_workflow().start(submitted, desk.author)
    page = client_of(desk.author).get(reverse(f"{ISSUE}:list")).content.decode()
    for label in ("Draft", "Approved", "In review"):
        assert label in page
