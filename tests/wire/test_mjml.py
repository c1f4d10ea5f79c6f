import pytest

from newsletter.wire.mjml import MjmlError, to_html
from newsletter.wire.slots import Slot, mark


def page(body: str, head: str = "") -> str:
    return (
        f'<mjml lang="ar" dir="rtl"><mj-head><mj-title>T</mj-title>{head}</mj-head>'
        f"<mj-body>{body}</mj-body></mjml>"
    )


def section(text: str) -> str:
    return f"<mj-section><mj-column><mj-text>{text}</mj-text></mj-column></mj-section>"


def test_styles_stand_inline_and_media_queries_stay() -> None:
    style = (
        "<mj-style>.a {color:#123456}"
        " @media (prefers-color-scheme: dark) {.a {color:#fedcba !important}}</mj-style>"
    )
    html = to_html(page(section('<p class="a">x</p>'), style))
    assert '<p class="a" style="' in html and "color: #123456" in html
    assert "prefers-color-scheme" in html and "#fedcba" in html
    assert 'lang="ar" dir="rtl"' in html


def test_no_font_is_fetched_from_anybody() -> None:
    html = to_html(page(section("x")))
    assert "fonts.googleapis" not in html and "@import" not in html and "<link" not in html


def test_marks_survive_in_text_and_in_links() -> None:
    url, body = mark(Slot.UNSUBSCRIBE_URL), mark(Slot.BODY_HTML)
    link = section(f'<a href="{url}">x</a>')
    html = to_html(page(f"<mj-raw>{body}</mj-raw>{link}"))
    assert body in html
    assert f'href="{url}"' in html


def test_a_tag_that_mrml_would_silently_drop_is_refused() -> None:
    with pytest.raises(MjmlError, match="mj-hero-image"):
        to_html(page("<mj-hero-image/>"))


@pytest.mark.parametrize(
    "mjml",
    ["", "<mjml>", "<mjml><mj-body><mj-section>", page("<mj-section>"), page(section("<b>x"))],
)
def test_what_does_not_parse_is_refused_with_a_clear_message(mjml: str) -> None:
    with pytest.raises(MjmlError, match="parse"):
        to_html(mjml)


@pytest.mark.parametrize(
    "text", ["👩‍⚕️ and ", "a\\b", "عربي \u200f", "soft\u00adhyphen", "\u00a0", "q&amp;a"]
)
def test_letters_of_every_kind_survive_in_text_and_attributes(text: str) -> None:
    image = f'<mj-section><mj-column><mj-image alt="{text}" src="x.png"/></mj-column></mj-section>'
    html = to_html(
        page(
            section(f'<a href="x" title="{text}">{text}</a>') + image,
            f"<mj-preview>{text}</mj-preview>",
        )
    )
    html = html.replace("&nbsp;", "\u00a0")
    assert f'title="{text}">{text}</a>' in html
    assert f'alt="{text}"' in html
    assert html.count(text) == 4
