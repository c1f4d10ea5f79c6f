"""Each finding leads somewhere: to a field or block of the form, or to where else it is mended."""

import ast
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from newsletter.approval import preflight
from newsletter.catalogue.models import Publisher
from newsletter.editions.models import Article, Issue
from tests.desk import world
from tests.desk.conftest import client_of
from tests.desk.forms_of import form_of

# What only a theme's templates could get wrong: nothing at the desk mends it.
OF_THE_TEMPLATES = {"unsubscribe_missing", "postal_address_not_shown"}


def calls():
    """Each error(...) and warning(...) of preflight: its code, its anchor, whether it has a block
    or is said to be mended elsewhere."""
    folder = Path(settings.BASE_DIR) / "newsletter" / "approval" / "preflight"
    for file in sorted(folder.glob("*.py")):
        tree = ast.parse(file.read_text())
        names = {
            inner
            for call in ast.walk(tree)
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "mended_in"
            for inner in ast.walk(call)
        }
        for call in ast.walk(tree):
            if not isinstance(call, ast.Call) or len(call.args) < 2:
                continue
            if getattr(call.func, "id", "") not in {"error", "warning"}:
                continue
            anchor = call.args[2] if len(call.args) > 2 else None
            yield call.args[0].value, anchor, call in names


def test_no_finding_leads_nowhere():
    nowhere = {code for code, anchor, elsewhere in calls() if anchor is None and not elsewhere}
    assert nowhere == OF_THE_TEMPLATES


@pytest.mark.django_db
def test_each_anchor_is_a_field_of_the_editor():
    fields = {
        name
        for model in (Issue, Article)
        for name in model.snippet_viewset.get_form_class(for_update=True).base_fields
    }
    anchors = {
        anchor.value
        for _code, anchor, _elsewhere in calls()
        if isinstance(anchor, ast.Constant) and anchor.value
    }
    assert {"subject", "language", "reviewed_on"} <= anchors
    assert anchors <= fields


@pytest.fixture
def overdue(desk):
    article = world.published_article(desk.author, desk.reviewer)
    Article.objects.filter(pk=article.pk).update(review_due=timezone.localdate().replace(year=2020))
    body = [("article_card", {"article": article, "lead": "", "show_artwork": False})]
    return world.issue(desk.newsletter, desk.author, body=body), article


def test_what_is_wrong_with_an_article_leads_to_the_article(desk, overdue):
    issue, article = overdue
    (found,) = [one for one in preflight.check(issue) if one.code == "review_overdue"]
    assert (found.elsewhere, found.field, found.anchor) == (article, "review_due", "body")

    way = reverse("desk:issue", args=(issue.pk,))
    edit = reverse(Article.snippet_viewset.get_url_name("edit"), args=(article.pk,))
    assert f"{edit}#id_review_due-label" in client_of(desk.author).get(way).content.decode()
    # Who may not change it is led to its page instead.
    seen = client_of(desk.reviewer).get(way).content.decode()
    assert edit not in seen
    assert reverse("desk:article", args=(article.pk,)) in seen


def test_what_the_publisher_owes_leads_those_who_may_to_the_publisher(desk):
    Publisher.objects.update(postal_address="")
    issue = world.issue(desk.newsletter, desk.author)
    way = reverse("desk:issue", args=(issue.pk,))
    place = "/admin/settings/catalogue/publisher/"
    assert "#id_postal_address-label" in client_of(desk.admin).get(way).content.decode()
    assert place not in client_of(desk.author).get(way).content.decode()


def test_what_the_form_cannot_read_is_said_with_its_place(desk):
    issue = world.issue(desk.newsletter, desk.author)
    block = "11111111-1111-4111-8111-111111111111"
    typed = {
        "greeting": "Dear {surname|friend},",
        "body-0-type": "button",
        "body-0-id": block,
        "body-0-value-text": "Read the guide",
        "body-0-value-url": "the guide",
    }
    page = (
        client_of(desk.author)
        .post(reverse("desk:check_issue", args=(issue.pk,)), form_of(issue, **typed))
        .content.decode()
    )
    assert "Greeting: We do not know {surname|friend}." in page
    assert "Button: Write the whole address" in page
    assert f'href="#block-{block}-section"' in page
    assert 'data-desk-field="greeting"' in page


def test_a_part_for_followers_that_cannot_leave_is_named_itself(desk, settings):
    settings.EMAIL_URL = "smtp://relay.example.org"
    about = world.condition("Asthma")
    part = {"conditions": [about], "content": [("rich_text", "<p>For you.</p>")]}
    issue = world.issue(desk.newsletter, desk.author, body=[("only_for", part)])
    found = [one for one in preflight.check(issue) if one.code == "transport_not_allowed"]
    assert [bool(one.block) for one in found] == [True]
    assert "Living well" not in found[0].message
