"""The form in which issues are written: what stands in it, and what it makes of what is typed."""

import re

import pytest
from django.urls import reverse

from newsletter.editions.models import Issue
from tests.desk import world
from tests.desk.conftest import client_of
from tests.desk.forms_of import form_of, issue_form

ISSUE = "wagtailsnippets_editions_issue"


def edit_url(issue):
    return reverse(f"{ISSUE}:edit", args=(issue.pk,))


def test_an_issue_is_in_its_newsletters_language_unless_another_is_chosen(desk):
    desk.newsletter.language = "es"
    desk.newsletter.save()
    author = client_of(desk.author)
    author.post(reverse(f"{ISSUE}:add"), issue_form(desk.newsletter, language=""))
    author.post(
        reverse(f"{ISSUE}:add"), issue_form(desk.newsletter, language="en", slug="in-english")
    )
    assert list(Issue.objects.order_by("pk").values_list("language", flat=True)) == ["es", "en"]


def test_a_language_that_is_not_offered_stays_when_the_form_is_saved(desk):
    issue = world.issue(desk.newsletter, desk.author, language="de")
    author = client_of(desk.author)
    assert re.search(
        r'<option value="de" selected>\s*German', author.get(edit_url(issue)).content.decode()
    )
    author.post(edit_url(issue), form_of(issue, language="de"))
    issue.refresh_from_db()
    assert issue.latest_revision.content["language"] == "de"


@pytest.mark.parametrize("name", ["compose.css", "merge-tags.js", "check-panel.js", "saving.js"])
def test_the_editor_comes_with_its_own_style_and_scripts(desk, name):
    page = client_of(desk.author).get(reverse(f"{ISSUE}:add")).content.decode()
    assert re.search(rf'(?:href|src)="[^"]*desk/{re.escape(name)}', page)


def test_autosave_finds_the_title_that_it_writes_into(desk):
    """Without it the issue's title would appear over a chooser that is open meanwhile."""
    issue = world.issue(desk.newsletter, desk.author)
    page = client_of(desk.author).get(edit_url(issue)).content.decode()
    assert re.search(r'id="header-title"><span>', page)


def test_a_second_issue_of_one_title_gets_an_address_of_its_own(desk):
    author = client_of(desk.author)
    for _ in range(3):
        author.post(
            reverse(f"{ISSUE}:add"),
            issue_form(desk.newsletter, title="Spring letter", slug="spring-letter"),
        )
    made = Issue.objects.order_by("pk")
    assert [one.slug for one in made] == ["spring-letter", "spring-letter-2", "spring-letter-3"]

    author.post(edit_url(made[2]), form_of(made[2], subject="Changed"))
    assert made[2].latest_revision.content["slug"] == "spring-letter-3"


def test_an_address_that_was_thought_up_and_is_taken_is_refused(desk):
    taken = world.issue(desk.newsletter, desk.author)
    page = client_of(desk.author).post(
        reverse(f"{ISSUE}:add"), issue_form(desk.newsletter, title="Anew", slug=taken.slug)
    )
    assert "already exists" in page.content.decode()
    assert Issue.objects.count() == 1
