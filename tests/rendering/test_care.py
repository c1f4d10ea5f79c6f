"""Blocks that look after readers, and those that ask something of them."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from wagtail.blocks import StreamBlockValidationError
from wagtail.rich_text import RichText

from newsletter.catalogue.models import HelpLine, Publisher
from newsletter.editions.blocks import IssueBody
from newsletter.rendering.issue import compile_issue, shown_articles
from tests.rendering import samples

pytestmark = [pytest.mark.once, pytest.mark.django_db]

EMERGENCY = ("emergency", {"title": "Now", "signs": ["A sign"], "number": "", "condition": None})
WORDS = ("rich_text", RichText("<p>Words.</p>"))
SPONSOR = (
    "sponsor",
    {
        "name": "Example Shoes",
        "logo": None,
        "text": "Soft soles.",
        "link_text": "Look",
        "url": "https://shoes.example/",
    },
)


def mail_of(*body: Any, **newsletter: Any) -> Any:
    samples.publisher()
    return compile_issue(samples.issue_of(samples.newsletter(**newsletter), list(body)))


@pytest.mark.parametrize(("country", "number"), [("GB", "999"), ("US", "911"), ("", "112")])
def test_the_number_to_call_is_that_of_the_readers_country(country: str, number: str) -> None:
    compiled = mail_of(EMERGENCY, country=country)
    assert f'href="tel:{number}"' in compiled.html
    assert f"Call {number} now." in compiled.text
    assert f"In an emergency call {number}." in compiled.text


def test_a_condition_brings_its_signs_and_the_help_lines_of_country_and_language() -> None:
    disk = samples.condition()
    disk.emergency_signs = "Numbness\nWeakness"
    disk.save()
    for name, country, language in (
        ("Back line", "GB", "en"),
        ("Everywhere", "", ""),
        ("Línea", "GB", "es"),
        ("Elsewhere", "US", "en"),
    ):
        HelpLine.objects.create(
            condition=disk, name=name, number="0800 1111", country=country, language=language
        )
    value = {"title": "Now", "signs": [], "number": "", "condition": disk}
    text = mail_of(("emergency", value), country="GB").text
    assert "- Numbness" in text and "- Weakness" in text
    assert "Back line: 0800 1111" in text and "Everywhere: 0800 1111" in text
    assert "Línea" not in text and "Elsewhere" not in text


def test_without_a_box_there_is_one_calm_line() -> None:
    text = mail_of(WORDS).text
    assert text.count("When to get help straight away") == 1 and "***" not in text


def test_who_pays_is_named_beside_it_in_both_parts() -> None:
    Publisher.objects.update_or_create(
        defaults={"endorsement_policy_url": "https://clinic.example/rules/"}
    )
    publisher = Publisher.current()
    issue = samples.issue_of(samples.newsletter(), [SPONSOR])
    compiled = compile_issue(issue)
    assert publisher.endorsement_policy_url
    for part in (compiled.html, compiled.text):
        assert "Advertisement. Paid for by Example Shoes." in part
        assert "https://clinic.example/rules/" in part


DIVIDER = ("divider", None)


@pytest.mark.parametrize(
    "body",
    [
        [SPONSOR, EMERGENCY],
        [EMERGENCY, SPONSOR],
        [EMERGENCY, DIVIDER, SPONSOR],
        [WORDS, EMERGENCY, DIVIDER, DIVIDER, SPONSOR, WORDS],
    ],
)
def test_nothing_that_asks_for_money_stands_beside_the_emergency_box(body: Any) -> None:
    block = IssueBody()
    with pytest.raises(StreamBlockValidationError) as refused:
        block.clean(block.to_python(block.get_prep_value(samples.issue_of(None, body).body)))
    assert "emergency box" in str(next(iter(refused.value.block_errors.values())))


def test_nor_when_only_a_part_for_some_readers_stands_between() -> None:
    part = {"conditions": [samples.condition()], "content": [WORDS]}
    body = samples.issue_of(None, [SPONSOR, ("only_for", part), EMERGENCY]).body
    with pytest.raises(ValidationError):
        IssueBody().clean(body)


def test_with_words_between_them_both_may_stand() -> None:
    assert IssueBody().clean(samples.issue_of(None, [SPONSOR, WORDS, EMERGENCY]).body)


# --- Newest articles ------------------------------------------------------------------------


@pytest.fixture
def newest() -> Any:
    """Three articles on one condition, one a day; the issue was saved after the second."""
    samples.publisher()
    disk = samples.condition()
    found = []
    for day in range(3):
        one = samples.article(
            title=f"Article {day}",
            slug=f"article-{day}",
            first_published_at=samples.DATED + timedelta(days=day),
        )
        one.conditions.set([disk])
        one.save()
        found.append(one)
    value = {"title": "New", "conditions": [disk], "count": 3}
    until = samples.DATED + timedelta(days=1)
    issue = samples.issue_of(samples.newsletter(), [("newest_articles", value)], newest_until=until)
    return issue, found


def test_the_newest_articles_are_those_of_when_the_issue_was_saved(newest: Any) -> None:
    issue, articles = newest
    text = compile_issue(issue).text
    assert text.index("Article 1") < text.index("Article 0") and "Article 2" not in text
    assert shown_articles(issue) == articles[:2]


def test_an_article_that_comes_later_changes_no_hash(newest: Any) -> None:
    issue, articles = newest
    before = compile_issue(issue).content_hash
    articles[2].first_published_at = samples.DATED + timedelta(days=2)
    articles[2].save()
    assert compile_issue(issue).content_hash == before


def test_an_article_that_is_taken_off_the_site_changes_it(newest: Any) -> None:
    issue, articles = newest
    before = compile_issue(issue).content_hash
    articles[0].live = False
    articles[0].save()
    assert compile_issue(issue).content_hash != before


def test_an_article_that_has_its_card_is_not_shown_again(newest: Any) -> None:
    issue, articles = newest
    card = ("article_card", {"article": articles[1], "lead": "", "show_artwork": False})
    issue.body.append(card)
    assert compile_issue(issue).text.count("Article 1\n") == 1


def test_nothing_new_leaves_no_empty_heading() -> None:
    value = {"title": "New on our website", "conditions": [samples.condition()], "count": 3}
    assert "NEW ON OUR" not in mail_of(WORDS, ("newest_articles", value)).text


# --- What comes in from other programs --------------------------------------------------------

FROM_WORD = """
<!--[if gte mso 9]><xml><w:WordDocument></w:WordDocument></xml><![endif]-->
<p class="MsoNormal" style="mso-margin-top-alt:auto;color:#1F497D"><span lang="EN-GB"
style="font-family:Calibri">Walk <b style="mso-bidi-font-weight:normal">daily</b>.<o:p></o:p></span>
</p><p class="MsoNormal"><o:p>&nbsp;</o:p></p>
<p class="MsoListParagraph"><font color="red">Rest at night.</font></p>
<table><tr><td>In a table.</td></tr></table><script>x()</script>
"""


def test_what_word_brings_along_is_left_behind() -> None:
    compiled = mail_of(("rich_text", RichText(FROM_WORD)))
    for sign in ("Mso", "mso-margin", "o:p", "Calibri", "<font", "1F497D", "x()", "w:Word"):
        assert sign not in compiled.html.split("<body")[1]
    assert "Walk daily." in compiled.text and "Rest at night." in compiled.text
    assert "In a table." in compiled.text and "\n\n\n" not in compiled.text
    assert not re.search(r"<p[^>]*>(&nbsp;|\u00a0)+</p>", compiled.html)
