"""Rich text: what is let through, and how it reads without any markup."""

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from newsletter.rendering import prose
from newsletter.rendering.plain import bullet, wrapped
from newsletter.wire.mjml import to_html
from newsletter.wire.slots import MARK, Slot, mark
from tests.rendering.reading import Outline
from tests.running.examples import examples

PIECES = st.sampled_from(
    [
        *("<p>", "</p>", "<b>", "</b>", "<i>", "<ul>", "<li>", "</li>", "</ul>", "<ol>", "<br>"),
        *("<a href='/x/'>", '<a href="jaVascript:x">', "</a>", "<br/>", "<", ">", "&", "&amp;"),
        *("&#0;", "&nbsp;", "<!--", "-->", "<![CDATA[", "]]>", "<script>", "</script>", "<svg>"),
        *("<math>", "<mj-text>", "</mj-text>", "<td>", "</table>", "<style>", '"', "'", "text"),
        *("é", "👩‍⚕️", "\x00", "\x0b", "\ue000", "\ue002", "\\", "{{", "%}", " "),
    ]
)


@hypothesis_settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=examples(100),
    deadline=None,
)
@given(st.lists(PIECES, max_size=30).map("".join) | st.text(max_size=200))
def test_whatever_is_pasted_the_mail_still_compiles(pasted: str) -> None:
    html = prose.safe_html(pasted)
    page = to_html(
        "<mjml><mj-body><mj-section><mj-column><mj-text>"
        f"{html}</mj-text><mj-text>END</mj-text></mj-column></mj-section></mj-body></mjml>"
    )
    outline = Outline(page)
    assert not outline.of("script") and "END" in outline.text
    assert {link.get("href", "/x/")[-3:] for link in outline.of("a")} <= {"/x/"}
    assert not MARK.search(html)
    prose.plain_text(html)


def written(html: str) -> str:
    return prose.plain_text(prose.safe_html(html))


def test_paragraphs_and_lists_read_as_if_written() -> None:
    assert written(
        "<p>One &amp; two.</p><ul><li>first</li><li>second<ul><li>inner</li></ul></li></ul>"
        "<ol><li>a</li><li>b</li></ol><p>End<br/>of it.</p>"
    ) == ("One & two.\n\n- first\n- second\n  - inner\n\n1. a\n2. b\n\nEnd\nof it.\n")


def test_a_link_stands_on_a_line_of_its_own() -> None:
    html = '<p>Read <a href="https://example.org/a/">the guide</a> today.</p>'
    assert written(html) == "Read the guide today.\nthe guide: https://example.org/a/\n"


def test_a_link_that_shows_its_address_is_not_repeated() -> None:
    html = (
        '<p><a href="https://example.org/">https://example.org/</a> or '
        '<a href="mailto:a@example.org">a@example.org</a></p>'
    )
    assert written(html) == "https://example.org/ or a@example.org\n"


def test_a_long_address_is_never_broken() -> None:
    address = "https://example.org/" + "long-" * 30
    assert f"\n{address}\n" in written(f'<p><a href="{address}">here</a></p>')


def test_links_to_our_own_pages_become_whole() -> None:
    assert 'href="https://news.example.org/conditions/"' in prose.safe_html(
        '<a href="/conditions/">x</a>'
    )


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "data:text/html,x", "//evil.example", "ftp://x", "vbscript:x", "page/"],
)
def test_a_link_of_another_kind_loses_its_address(url: str) -> None:
    assert "href" not in prose.safe_html(f'<a href="{url}">x</a>')


def test_headings_rise_when_nothing_stands_above_them() -> None:
    assert prose.safe_html("<h3>A</h3>", top_level=True) == "<h2>A</h2>"
    assert prose.safe_html("<h3>A</h3>") == "<h3>A</h3>"


def test_lines_break_around_a_slot_and_never_inside_it() -> None:
    slot = mark(Slot.FIRST_NAME, "dear reader of many words")
    lines = wrapped("word " * 12 + slot + " word" * 12).split("\n")
    assert sum(slot in line for line in lines) == 1


def test_a_bullet_hangs() -> None:
    assert bullet("word " * 20).split("\n")[1].startswith("  word")
