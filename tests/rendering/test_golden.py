"""What each block and each whole mail looks like, held still."""

from collections.abc import Callable

import pytest

from newsletter.rendering import blocks, digest, fragments, preview
from newsletter.rendering.look import look_of
from tests.rendering import samples

pytestmark = pytest.mark.django_db
Check = Callable[[str, str], None]


def test_every_block_renders_as_it_did(golden: Check) -> None:
    issue = samples.rich_issue()
    look = look_of(issue.newsletter, "en")
    blocks_by_type = {block.block_type: block for block in issue.body}
    assert len(blocks_by_type) == 9
    for block in blocks_by_type.values():
        only = issue.body.stream_block.to_python([block.get_prep_value()])
        rendered = blocks.render(only, look)
        golden(f"blocks/{block.block_type}.mjml", rendered.mjml)
        golden(f"blocks/{block.block_type}.txt", rendered.text)


def test_the_issue_renders_as_it_did(golden: Check) -> None:
    issue = samples.rich_issue()
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
        "while_away": fragments.while_away(3, "en"),
    }
    for name, fragment in pieces.items():
        golden(f"digest/{name}.html", fragment.html)
        golden(f"digest/{name}.txt", fragment.text)
