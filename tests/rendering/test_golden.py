"""What each block and each whole mail looks like, held still."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.safestring import mark_safe

from newsletter.editions.blocks import IssueBody
from newsletter.editions.models import Issue
from newsletter.rendering import alert, blocks, digest, fragments, preview
from newsletter.rendering.look import Look, look_of
from newsletter.wire.mjml import to_html
from tests.rendering import samples

pytestmark = [pytest.mark.once, pytest.mark.django_db]
Check = Callable[[str, str], None]


# What a publisher or a language changes in every block.
THEMES: dict[str, dict[str, str]] = {
    "house": {},
    "plum_and_serif": {"brand_colour": "#6B2C5B", "font_stack": "serif", "country": "GB"},
}


@pytest.mark.parametrize("theme", THEMES)
def test_every_block_renders_as_it_did(golden: Check, theme: str) -> None:
    issue = samples.full_issue()
    for name, value in THEMES[theme].items():
        setattr(issue.newsletter, name, value)
    rendered = each_block(issue, look_of(issue.newsletter, "en"))
    # All but the picture, whose file is made by the test that looks at pictures.
    assert set(rendered) == set(IssueBody().child_blocks) - {"image"}
    for kind, one in rendered.items():
        golden(f"blocks/{theme}/{kind}.html", without_marks(body_of(one.mjml, issue)))
        golden(f"blocks/{theme}/{kind}.txt", without_marks(one.text))


def test_every_block_renders_from_right_to_left_as_it_did(golden: Check) -> None:
    issue = samples.full_issue()
    look = replace(look_of(issue.newsletter, "en"), language="ar", rtl=True)
    for kind, one in each_block(issue, look).items():
        golden(f"blocks/right_to_left/{kind}.mjml", without_marks(one.mjml))


def each_block(issue: Issue, look: Look) -> dict[str, blocks.Rendered]:
    found = {}
    for block in issue.body:
        only = issue.body.stream_block.to_python([block.get_prep_value()])
        page = blocks.Page(look, feedback_url="https://news.example.org/feedback/your-back/")
        with translation.override("en"):
            found[block.block_type] = blocks.render(only, look, page)
    return found


def without_marks(content: str) -> str:
    """A stretch's marks hold row numbers, which are others in each database."""
    return re.sub("\ue000only\ue001[0-9,]+\ue002|\ue000end_only\ue002", "", content)


def body_of(mjml: str, issue: Issue) -> str:
    """One block as mail programs get it: compiled in the whole page, then cut out."""
    look = look_of(issue.newsletter, "en")
    cut = mark_safe("<mj-raw><!--cut--></mj-raw>")
    page = {**look.context(), "title": "", "blocks": mark_safe(f"{cut}{mjml}{cut}")}
    html = to_html(render_to_string("emails/issue.mjml", page))
    return html.split("<!--cut-->")[1].strip() + "\n"


def test_the_issue_renders_as_it_did(golden: Check) -> None:
    issue = samples.full_issue()
    golden("issue.html", preview.issue_html(issue))
    golden("issue.txt", preview.issue_text(issue))


def test_the_article_renders_as_it_did(golden: Check) -> None:
    article = samples.rich_article()
    golden("article.html", preview.article_html(article))
    golden("article.txt", preview.article_text(article))


def test_a_digests_pieces_render_as_they_did(golden: Check) -> None:
    samples.publisher()
    html, text, subject = digest.compose(samples.digest_newsletter(), "en")
    golden("digest/shell.html", preview.shown(html, html=True))
    golden("digest/shell.txt", f"{subject}\n\n{preview.shown(text)}")
    disk = samples.condition()
    pieces = {
        "article": fragments.compile_article(samples.article()),
        "condition_heading": fragments.condition_heading(disk, "en"),
        "section_end": fragments.section_end(disk, "en", "https://stop.example/"),
        "more_new": fragments.more_new(4, "en"),
        "while_away": fragments.while_away(3, "en"),
    }
    for name, fragment in pieces.items():
        golden(f"digest/{name}.html", fragment.html)
        golden(f"digest/{name}.txt", fragment.text)


@pytest.mark.parametrize("correction", [False, True], ids=["alert", "correction"])
def test_a_safety_alert_renders_as_it_did(golden: Check, correction: bool) -> None:
    samples.publisher()
    html, text = alert.compose(
        samples.digest_newsletter(),
        samples.rich_article(),
        language="en",
        advice="Stop taking these tablets, and take the box to your pharmacist.",
        correction=correction,
    )
    name = "correction" if correction else "alert"
    golden(f"alert/{name}.html", preview.shown(html, html=True))
    golden(f"alert/{name}.txt", preview.shown(text))
