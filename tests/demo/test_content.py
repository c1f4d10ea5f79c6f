"""What the demo's files say, and how."""

import json
import re
from collections import Counter

import pytest

from newsletter.editions.models import Article
from newsletter.management.demo import content
from tests.demo.reading import average_length, longest, words

CONDITIONS = content.conditions()
ARTICLES = content.articles()

each_condition = pytest.mark.parametrize("condition", CONDITIONS, ids=lambda one: one.slug)
each_article = pytest.mark.parametrize("article", ARTICLES, ids=lambda one: one.slug)


def prose_of(body: tuple[content.Block, ...]) -> str:
    """Everything an article says, as one piece of rich text."""
    said = []
    for block in body:
        value = block["value"]
        if block["type"] in ("rich_text", "heading"):
            said.append(value if block["type"] == "rich_text" else f"<p>{value}</p>")
        else:
            said += [value.get("text", "")]
            said += [f"<p>{line}</p>" for line in value.get("facts", []) + value.get("signs", [])]
    return "".join(said)


def test_herniated_disk_comes_first_of_ten_conditions() -> None:
    assert len(CONDITIONS) == 10
    assert max(CONDITIONS, key=lambda one: one.fields["weight"]).slug == "herniated-disk"
    assert len({one.fields["weight"] for one in CONDITIONS}) == 10


@each_condition
def test_a_condition_says_everything_that_its_page_shows(condition: content.ConditionFile) -> None:
    fields = condition.fields
    for name in (*content.SECTIONS, "name", "group", "synonyms", "summary", "reviewed_by"):
        assert fields[name].strip(), name
    assert len(words(fields["overview"])) >= 60
    assert len(fields["emergency_signs"].splitlines()) >= 4
    assert all(line == line.strip() and line for line in fields["emergency_signs"].splitlines())
    assert condition.review.days_ago > 0
    assert condition.review.every_days > condition.review.days_ago


@each_condition
def test_a_condition_reads_easily(condition: content.ConditionFile) -> None:
    for name in content.SECTIONS:
        html = condition.fields[name]
        assert average_length(html) <= 13, name
        assert len(words(longest(html))) <= 25, longest(html)


def test_the_slipped_disk_page_names_the_signs_of_cauda_equina() -> None:
    disk = next(one for one in CONDITIONS if one.slug == "herniated-disk")
    signs = disk.fields["emergency_signs"]
    for sign in ("bladder or bowels", "saddle area", "getting worse"):
        assert sign in signs
    assert "without surgery" in disk.fields["summary"]
    assert "lower back" in disk.fields["overview"]
    assert "no symptoms" in disk.fields["overview"]


def test_there_are_two_articles_or_more_for_each_condition_and_five_of_each_kind() -> None:
    assert len(ARTICLES) == 20
    about = Counter(slug for article in ARTICLES for slug in article.conditions)
    assert set(about) == {one.slug for one in CONDITIONS}
    assert min(about.values()) >= 2
    assert Counter(one.fields["kind"] for one in ARTICLES) == dict.fromkeys(Article.Kind.values, 5)


@each_article
def test_an_article_says_who_wrote_and_who_reviewed_it(article: content.ArticleFile) -> None:
    fields = article.fields
    for name in (
        "author_name",
        "author_credentials",
        "reviewer_name",
        "reviewer_credentials",
        "summary",
        "sources",
    ):
        assert fields[name].strip(), name
    assert fields["author_name"] != fields["reviewer_name"]
    assert article.review.days_ago > article.published_days_ago
    assert article.review.every_days > article.review.days_ago
    # A link that leads nowhere would be worse than none.
    assert "http" not in fields["sources"]


@each_article
def test_an_article_has_its_length_and_reads_easily(article: content.ArticleFile) -> None:
    html = prose_of(article.body)
    assert 250 <= len(words(html)) <= 450
    assert average_length(html) <= 13
    assert len(words(longest(html))) <= 25, longest(html)


@each_article
def test_an_article_keeps_to_our_tone(article: content.ArticleFile) -> None:
    said = prose_of(article.body) + article.fields["title"] + article.fields["summary"]
    assert "!" not in said
    assert not re.search(r"\bsimply\b", said, re.IGNORECASE)
    # No doses: what helps one reader harms another.
    assert not re.search(r"\b\d+\s?(mg|milligrams?|µg|mcg|ml|units)\b", said)


def test_articles_about_dangerous_conditions_say_when_to_call_for_help() -> None:
    without = [
        article.slug
        for article in ARTICLES
        if not any(block["type"] == "emergency" for block in article.body)
    ]
    # What to eat, and research on slow changes.
    assert set(without) <= {
        "a-plate-you-can-picture",
        "can-type-2-diabetes-go-away",
        "less-salt-and-still-a-good-dinner",
        "why-moving-helps-a-sore-knee",
    }


def test_every_address_in_the_files_is_reserved_for_examples() -> None:
    for path in content.FOLDER.rglob("*.toml"):
        for domain in re.findall(r"[\w.+-]+@([\w.-]*\w)", path.read_text(encoding="utf-8")):
            assert domain == "example.org" or domain.endswith(".example"), (path.name, domain)


def test_issues_show_only_articles_that_there_are() -> None:
    known = {article.slug for article in ARTICLES}
    for issue in content.issues():
        cards = [
            block["value"]["article"] for block in issue.body if block["type"] == "article_card"
        ]
        assert cards and set(cards) <= known
        # An issue shows what readers can already open on the web.
        assert json.dumps(issue.body)
