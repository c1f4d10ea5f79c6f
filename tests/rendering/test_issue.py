"""An issue's mail, as bytes, as a mail program and as a screen reader get it."""

import re
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import pytest
from wagtail.rich_text import RichText

from newsletter.editions.models import Issue
from newsletter.rendering import merge_tags
from newsletter.rendering.copies import IssueCopies
from newsletter.rendering.issue import compile_issue
from newsletter.wire.message import CompiledMessage
from newsletter.wire.quoted_printable import encode
from newsletter.wire.slots import MARK, Slot, mark
from tests.rendering import samples
from tests.rendering.reading import Outline, assert_fit_for_the_wire, parsed, part

pytestmark = [pytest.mark.once, pytest.mark.django_db]


def copy_of(issue: Issue, reader: Any = samples.ANNA) -> bytes:
    return IssueCopies(compile_issue(issue).message, samples.stamp()).copy(reader)


def simple(text: str = "<p>Hello.</p>", **changes: Any) -> Issue:
    return samples.issue_of(samples.newsletter(), [("rich_text", RichText(text))], **changes)


def test_the_headers_on_the_wire() -> None:
    raw = copy_of(samples.rich_issue())
    head = raw.partition(b"\r\n\r\n")[0].decode("ascii")
    token = re.search(r"/unsubscribe/([\w-]+)/", head)
    assert token is not None
    lines = head.split("\r\n")
    message_id = next(line for line in lines if line.startswith("Message-ID: "))
    assert re.fullmatch(r"Message-ID: <[0-9a-f]{36}@news\.example\.org>", message_id)
    assert lines == [
        "From: St Elena Back Clinic <hello@news.example.org>",
        "To: Anna <anna@example.org>",
        "Subject: Three things that help a sore back",
        "Date: Mon, 23 Nov 2026 07:00:00 +0000",
        message_id,
        "List-Id: <living-well.news.example.org>",
        f"List-Unsubscribe: <https://news.example.org/unsubscribe/{token[1]}/>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        "List-Help: <https://news.example.org/preferences/>",
        "List-Post: NO",
        "Precedence: bulk",
        f"Feedback-ID: i12:n{samples.Newsletter.objects.get().pk}:editorial:newsexampleorg",
        "MIME-Version: 1.0",
        lines[-1],
    ]
    assert lines[-1].startswith('Content-Type: multipart/alternative; boundary="=_')


def test_the_copy_is_fit_for_the_wire_and_reads_back() -> None:
    raw = copy_of(samples.rich_issue())
    assert_fit_for_the_wire(raw)
    message = parsed(raw)
    assert [each.get_content_type() for each in message.iter_parts()] == ["text/plain", "text/html"]
    assert "Hello Anna," in part(raw, "plain")
    assert "Hello Anna," in Outline(part(raw, "html")).text
    assert not MARK.search(part(raw, "html")) and not MARK.search(part(raw, "plain"))


def test_the_same_content_gives_the_same_bytes() -> None:
    issue = samples.rich_issue()
    first, second = compile_issue(issue), compile_issue(issue)
    assert first.content_hash == second.content_hash
    assert first.message.to_bytes() == second.message.to_bytes()
    stored = CompiledMessage.from_bytes(first.message.to_bytes())
    assert stored == first.message


def test_a_changed_letter_changes_the_hash() -> None:
    issue = samples.rich_issue()
    before = compile_issue(issue).content_hash
    issue.preheader += "."
    assert compile_issue(issue).content_hash != before


def test_the_slots_are_those_that_differ_by_reader() -> None:
    assert compile_issue(samples.rich_issue()).message.slots == {
        Slot.TO,
        Slot.DATE,
        Slot.MESSAGE_ID,
        Slot.UNSUBSCRIBE_URL,
        Slot.WITHDRAW_URL,
        Slot.FIRST_NAME,
        Slot.REASON,
    }


def test_it_stays_below_what_mail_programs_cut() -> None:
    assert len(encode(compile_issue(samples.rich_issue()).html)) < 80_000


def test_nothing_is_fetched_from_anybody_else() -> None:
    html = compile_issue(samples.rich_issue()).html
    outline = Outline(html)
    fetched = [tag["src"] for tag in outline.of("img")] + [
        tag.get("href", "") for tag in outline.of("link")
    ]
    assert fetched
    assert {urlsplit(url).hostname for url in fetched} == {"news.example.org"}
    assert "@import" not in html and "url(" not in html and "<script" not in html


def test_a_screen_reader_finds_its_way() -> None:
    outline = Outline(compile_issue(samples.rich_issue()).html)
    (root,) = outline.of("html")
    assert (root["lang"], root["dir"]) == ("en", "ltr")
    assert "Your back in winter" in outline.text
    assert outline.levels[0] == 1 and outline.levels.count(1) == 1
    assert all(
        after <= before + 1
        for before, after in zip(outline.levels, outline.levels[1:], strict=False)
    )
    assert all(table.get("role") == "presentation" for table in outline.of("table"))
    assert all("alt" in image for image in outline.of("img"))


@pytest.mark.parametrize(
    "order",
    [["rich_text", "heading"], ["key_facts", "rich_text"], ["heading", "emergency", "rich_text"]],
)
def test_headings_stay_in_order_whatever_the_blocks_order(order: list[str]) -> None:
    made = {
        "rich_text": RichText("<h3>Sub</h3><p>Text</p>"),
        "heading": "Part",
        "key_facts": {"title": "Facts", "facts": ["One"]},
        "emergency": {"title": "Now", "signs": ["A sign"], "number": "999"},
    }
    issue = samples.issue_of(samples.newsletter(), [(name, made[name]) for name in order])
    levels = Outline(compile_issue(issue).html).levels
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_the_way_out_stands_near_the_top_and_at_the_end() -> None:
    raw = copy_of(samples.rich_issue())
    html, text = part(raw, "html"), part(raw, "plain")
    for document in (html, text):
        assert document.count("https://news.example.org/unsubscribe/") == 2
        assert "https://news.example.org/preferences/" in document
        assert "https://news.example.org/issues/your-back-in-winter/" in document
        assert "12 Harbour Road" in document and "1050 Exampletown" in document
        assert "In an emergency call 112." in document
        assert "You get this mail because you asked for “Living well”." in document
    assert html.index("/unsubscribe/") < html.index("<h1")
    assert text.index("/unsubscribe/") < text.index("Your back in winter")


def test_the_emergency_block_is_in_both_parts_with_the_publishers_number() -> None:
    publisher = samples.publisher()
    publisher.emergency_number = "999"
    publisher.save()
    sign = "numbness between your legs"
    issue = samples.issue_of(
        samples.newsletter(),
        [("emergency", {"title": "Get help if you have", "signs": [sign], "number": ""})],
    )
    compiled = compile_issue(issue)
    for document in (compiled.html, compiled.text):
        assert sign in document and "Call 999 now" in document
    assert 'href="tel:999"' in compiled.html


def test_every_line_of_the_text_part_is_short_and_links_stand_alone() -> None:
    text = compile_issue(samples.rich_issue()).text
    assert all(len(line) <= 72 or "://" in line for line in text.split("\n"))
    assert "<" not in text and "&amp;" not in text
    assert "\nhttps://news.example.org/articles/walking-helps/\n" in text


def test_a_reader_without_a_name_is_greeted_all_the_same() -> None:
    raw = copy_of(samples.rich_issue(), samples.ANNA._replace(first_name=""))
    assert "Hello there," in part(raw, "plain")
    assert "What you can do, dear reader" in Outline(part(raw, "html")).text
    assert b"\r\nTo: anna@example.org\r\n" in raw


def test_a_reader_who_chose_plain_text_gets_only_that() -> None:
    raw = copy_of(samples.rich_issue(), samples.ANNA._replace(text_only=True))
    assert_fit_for_the_wire(raw)
    message = parsed(raw)
    assert message.get_content_type() == "text/plain"
    assert b"<html" not in raw
    assert b"List-Unsubscribe: <https://" in raw


def test_awkward_letters_survive() -> None:
    issue = simple(
        "<p>Ärzte &amp; Pflege 👩‍⚕️ – „so“ &lt;5 mg</p>",
        subject="صحتك 💚 & «ظهرك»",
        preheader="A & B <c> 'd' \"e\"",
        title="Rücken & Co. <3",
        greeting="Grüß dich, {first_name|liebe Leserin & lieber Leser},",
    )
    raw = copy_of(issue, samples.ANNA._replace(first_name=""))
    assert_fit_for_the_wire(raw)
    outline = Outline(part(raw, "html"))
    assert "Ärzte & Pflege 👩‍⚕️ – „so“ <5 mg" in outline.text
    assert "Rücken & Co. <3" in outline.text
    assert "Grüß dich, liebe Leserin & lieber Leser," in outline.text
    assert "Grüß dich, liebe Leserin & lieber Leser," in part(raw, "plain")
    assert parsed(raw)["Subject"] == "صحتك 💚 & «ظهرك»"


def test_a_language_that_runs_from_right_to_left() -> None:
    html = compile_issue(simple("<p>مرحبا</p>", language="ar")).html
    (root,) = Outline(html).of("html")
    assert (root["lang"], root["dir"]) == ("ar", "rtl")
    assert "text-align:right" in html.replace(" ", "")
    assert "direction:ltr" not in html.replace(" ", "")


@pytest.mark.parametrize(
    "nasty",
    [
        "<p>open <b>bold <i>both",
        "</p></div></td></table>",
        "<mj-section><mj-column>",
        "<p><a href='javascript:alert(1)'>x</a></p>",
        "<p onclick='x()'>x</p><script>alert(1)</script><style>p{}</style>",
        "<img src=x onerror=alert(1)>",
        "<!-- <p> --><![CDATA[x]]><?php ?>",
        "&bogus; & < > \x00\x07\x1b",
        "<p>" + "<b>" * 500 + "deep",
        "{% load x %}{{ settings.SECRET_KEY }}",
        "<br><br/><hr><input>",
    ],
)
def test_rich_text_can_break_neither_the_mail_nor_out_of_it(nasty: str) -> None:
    compiled = compile_issue(simple(f"<p>before</p>{nasty}<p>after</p>"))
    html = compiled.html
    assert "before" in html and "Unsubscribe from Living well" in html
    for sign in ("<script", "javascript:", "onerror", "onclick", "alert(1)</", "only-for-tests"):
        assert sign not in html
    assert "<mj-" not in html


def test_an_editor_cannot_type_a_slot() -> None:
    typed = f"<p>Leave at {mark(Slot.UNSUBSCRIBE_URL)} or {mark(Slot.TO)}</p>"
    issue = simple(typed, title=f"A {mark(Slot.TO)} title", subject=f"S {mark(Slot.TO)}")
    message = compile_issue(issue).message
    raw = copy_of(issue)
    assert Slot.TO in message.slots
    assert "anna@example.org" not in part(raw, "html") + part(raw, "plain")
    assert parsed(raw)["Subject"] == "S to"


def test_a_body_of_ten_thousand_words_goes_through() -> None:
    raw = copy_of(simple("<p>" + "</p><p>".join(["word " * 100] * 100) + "</p>"))
    assert_fit_for_the_wire(raw)
    assert part(raw, "plain").count("word") == 10_000


def test_an_unfinished_issue_compiles_so_that_it_can_be_previewed() -> None:
    issue = samples.issue_of(
        samples.newsletter(), [], title="", slug="", subject="", preheader="", greeting=""
    )
    assert parsed(copy_of(issue))["Subject"] == "(no subject yet)"


def test_a_tag_we_do_not_know_stays_as_it_is_for_preflight_to_find() -> None:
    issue = simple("<p>Dear {first_name}, {{ name }} and *|FNAME|*.</p>")
    found = merge_tags.unknown(compile_issue(issue).text)
    assert found == ["{first_name}", "{{ name }}", "*|FNAME|*"]


def test_tags_in_text_become_the_readers_name_and_the_newsletters() -> None:
    issue = simple(
        "<p>Dear {first_name|friend &amp; reader}, <b>{newsletter|we}</b> thanks you. Call "
        "{emergency_number|999}.</p>"
    )
    html = part(copy_of(issue), "html")
    assert "Dear Anna," in part(copy_of(issue), "plain").replace("\n", " ")
    assert "<b>Living well</b>" in html and "Call 112." in html
    nameless = part(copy_of(issue, samples.ANNA._replace(first_name="")), "html")
    assert "friend &amp; reader" in nameless.replace("\n", "")


def test_no_readers_name_stands_in_an_address() -> None:
    issue = simple('<p><a href="https://example.org/?n={first_name|x}">Go</a></p>')
    (address,) = re.findall(r'href="(https://example.org/[^"]*)"', part(copy_of(issue), "html"))
    assert "Anna" not in address


def test_a_tag_that_works_is_no_finding() -> None:
    assert merge_tags.unknown(compile_issue(samples.rich_issue()).text) == []


def test_a_brand_replaces_the_green_unless_nobody_could_read_it() -> None:
    blue = samples.newsletter(brand_colour="#1B3A8C")
    assert "#1B3A8C" in compile_issue(samples.issue_of(blue, [])).html
    blue.brand_colour = "#FFFF66"
    html = compile_issue(samples.issue_of(blue, [])).html
    assert "#FFFF66" not in html and "#0F5C5C" in html
