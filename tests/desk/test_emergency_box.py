"""Where preflight misses the box "Seek emergency care", one press puts it in."""

import pytest
from django.urls import reverse

from newsletter.approval import preflight
from tests.desk import world
from tests.desk.conftest import client_of
from tests.desk.forms_of import form_of

TEXT = ("rich_text", "<p>Begin with ten minutes, twice a day.</p>")
SPONSOR = (
    "sponsor",
    {"name": "Harbour Shoes", "text": "<p>Shoes.</p>", "url": "https://example.org/", "logo": None},
)


@pytest.fixture
def article(desk):
    condition = world.condition("Herniated disk", emergency_signs="Numbness\nLoss of control")
    return world.published_article(desk.author, desk.reviewer, condition, concerns_symptoms=True,
        body=[TEXT, ("emergency", {"title": "Help", "signs": ["Numbness"], "condition": None,
                                   "number": ""})])  # fmt: skip


def issue_of(desk, *blocks):
    return world.issue(desk.newsletter, desk.author, body=list(blocks))


def card(article):
    return ("article_card", {"article": article, "lead": "", "show_artwork": False})


def press(user, issue):
    return client_of(user).post(reverse("desk:add_box_to_issue", args=(issue.pk,)))


def codes(issue):
    return {one.code for one in preflight.check(issue.get_latest_revision_as_object())}


def body_of(issue):
    issue.refresh_from_db()
    return issue.get_latest_revision_as_object().body


def test_one_press_puts_it_at_the_top_with_the_signs_of_the_articles_condition(desk, article):
    issue = issue_of(desk, TEXT, card(article))
    assert "emergency_box_missing" in codes(issue)
    page = client_of(desk.author).get(reverse("desk:issue", args=(issue.pk,))).content.decode()
    assert "Put the box in" in page

    response = press(desk.author, issue)

    box = body_of(issue)[0]
    assert box.block_type == "emergency"
    assert response.url.endswith(f"#block-{box.id}-section")
    assert not codes(issue) & {"emergency_box_missing", "emergency_box_wanted"}
    html = preview(desk.author, issue)
    assert "Numbness" in html and "Loss of control" in html
    assert issue.latest_revision.user == desk.author


def preview(user, issue):
    address = reverse("desk:preview", args=("issue", issue.pk, "html"))
    return client_of(user).get(address).content.decode()


def test_nothing_paid_comes_to_stand_beside_it(desk, article):
    issue = issue_of(desk, SPONSOR, TEXT, card(article))
    press(desk.author, issue)
    kinds = [block.block_type for block in body_of(issue)]
    assert kinds == ["sponsor", "rich_text", "emergency", "article_card"]
    assert "sponsor_beside_emergency" not in codes(issue)


def test_an_article_gets_its_own(desk):
    condition = world.condition("Asthma", emergency_signs="Blue lips")
    article = world.article(desk.author, body=[TEXT], concerns_symptoms=True)
    article.conditions.set([condition])
    article.save()
    article.save_revision(user=desk.author)
    client_of(desk.author).post(reverse("desk:add_box_to_article", args=(article.pk,)))
    article.refresh_from_db()
    box = article.get_latest_revision_as_object().body[0]
    assert box.value["condition"] == condition


def test_without_a_condition_somebody_has_to_write_the_signs(desk):
    issue = issue_of(desk, ("rich_text", "<p>These symptoms are common.</p>"))
    press(desk.author, issue)
    submitted = client_of(desk.author).post(reverse("desk:submit_issue", args=(issue.pk,)))
    assert submitted.status_code == 302
    issue.refresh_from_db()
    assert issue.current_workflow_state is None  # "Name at least one sign."


def test_pressed_twice_it_is_there_once(desk, article):
    issue = issue_of(desk, TEXT, card(article))
    press(desk.author, issue)
    press(desk.author, issue)
    assert [block.block_type for block in body_of(issue)].count("emergency") == 1


def test_nothing_is_put_into_what_lies_with_a_reviewer_or_by_who_does_not_compose(desk, article):
    issue = issue_of(desk, TEXT, card(article))
    press(desk.sender, issue)
    issue.get_workflow().start(issue, desk.author)
    press(desk.author, issue)
    assert [block.block_type for block in body_of(issue)] == ["rich_text", "article_card"]
    assert issue.revisions.count() == 1


def test_the_check_beside_the_form_offers_it_too(desk, article):
    issue = issue_of(desk, TEXT, card(article))
    typed = form_of(issue, **{"body-0-value": "Symptoms that cannot wait"})
    response = client_of(desk.author).post(reverse("desk:check_issue", args=(issue.pk,)), typed)
    assert reverse("desk:add_box_to_issue", args=(issue.pk,)) in response.content.decode()
