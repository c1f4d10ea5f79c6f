"""A compiled message and its copies, looked at as bytes and as stdlib email parses them."""

from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.wire.headers import UnsafeValue, format_address, list_url
from newsletter.wire.message import (
    FORMAT_VERSION,
    CompiledMessage,
    FormatError,
    boundary_for,
    compile_message,
)
from newsletter.wire.quoted_printable import encode
from newsletter.wire.slots import Slot, mark, strip_marks
from newsletter.wire.values import ENCODERS, Hole, MissingValue, Place

URL = "https://news.example.org/unsubscribe/" + "Ab3_-" * 14 + "/"
VALUES = {
    Slot.TO: "anna@example.org",
    Slot.MESSAGE_ID: "<abc.1@news.example.org>",
    Slot.UNSUBSCRIBE_URL: URL,
    Slot.FIRST_NAME: "Anna",
}
HEADERS = [
    ("From", format_address("Living well", "hello@news.example.org")),
    ("To", mark(Slot.TO)),
    ("Subject", "Rücken: was hilft?"),
    ("Message-ID", mark(Slot.MESSAGE_ID)),
    ("List-Unsubscribe", f"<{mark(Slot.UNSUBSCRIBE_URL)}>"),
    ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    ("List-Help", list_url("https://news.example.org/preferences/?" + "x" * 120)),
]
TEXT = (
    f"Hello {mark(Slot.FIRST_NAME, 'there')},\n\n.a dot begins this line\n\n"
    f"{mark(Slot.UNSUBSCRIBE_URL)}\n"
)
HTML = (
    f"<p>Hello {mark(Slot.FIRST_NAME, 'there')}, welcome.</p>"
    f'<a href="{mark(Slot.UNSUBSCRIBE_URL)}">Unsubscribe</a>'
)


def compiled(text: str = TEXT, html: str = HTML) -> CompiledMessage:
    return compile_message(HEADERS, text, html, boundary=boundary_for(text, html))


def read(raw: bytes) -> EmailMessage:
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    content: str = part.get_content()
    return content.replace("\r\n", "\n")


def assert_fit_for_the_wire(raw: bytes) -> None:
    assert raw.isascii() and b"\x00" not in raw
    stripped = raw.replace(b"\r\n", b"")
    assert b"\r" not in stripped and b"\n" not in stripped
    head, _, rest = raw.partition(b"\r\n\r\n")
    assert all(len(line) <= 998 for line in head.split(b"\r\n"))
    assert all(len(line) <= 76 for line in rest.split(b"\r\n"))
    # Nothing that dot-stuffing (RFC 5321 section 4.5.2) could change, nor an early end of DATA.
    assert not any(line.startswith(b".") for line in raw.split(b"\r\n"))
    assert raw.endswith(b"\r\n")


def test_a_copy_is_multipart_alternative_with_the_text_first() -> None:
    message = read(compiled().fill(VALUES))
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert body(message, "plain") == f"Hello Anna,\n\n.a dot begins this line\n\n{URL}\n"
    assert body(message, "html") == (f'<p>Hello Anna, welcome.</p><a href="{URL}">Unsubscribe</a>')


def test_the_unsubscribe_header_is_one_literal_line() -> None:
    raw = compiled().fill(VALUES)
    assert b"\r\nList-Unsubscribe: <" + URL.encode() + b">\r\n" in raw
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in raw
    assert b"\r\nList-Help: <https://news.example.org/preferences/?" + b"x" * 120 + b">\r\n" in raw


def test_a_subject_outside_ascii_is_encoded_and_read_back() -> None:
    raw = compiled().fill(VALUES)
    assert b"\r\nSubject: =?utf-8?" in raw
    assert read(raw)["Subject"] == "Rücken: was hilft?"


def test_a_copy_is_the_same_bytes_each_time() -> None:
    assert compiled().fill(VALUES) == compiled().fill(dict(VALUES))


def test_stored_and_read_back_it_makes_the_same_copy() -> None:
    message = compiled()
    again = CompiledMessage.from_bytes(message.to_bytes())
    assert again == message and again.to_bytes() == message.to_bytes()
    assert again.fill(VALUES) == message.fill(VALUES)


def test_another_format_version_is_refused_with_what_to_do() -> None:
    stored = compiled().to_bytes().replace(b'"format":%d' % FORMAT_VERSION, b'"format":99')
    with pytest.raises(FormatError, match="format 99"):
        CompiledMessage.from_bytes(stored)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("Ada <ada@example.org>", b"Ada <ada@example.org>"),
        ("~!", b"~!"),
        # Not for the short way: the long one writes them otherwise or refuses them.
        (" ", None),
        ("", None),
        ("ada@example.org\n", None),
        ("ada\x7f@example.org", None),
        ("ada\t@example.org", None),
    ],
)
def test_a_header_takes_printable_ascii_as_it_is(value: str, written: bytes | None) -> None:
    hole = Hole(Slot.MESSAGE_ID, Place.HEADER)
    if written is None:
        with pytest.raises(UnsafeValue):
            ENCODERS[Place.HEADER](value, hole)
    else:
        assert ENCODERS[Place.HEADER](value, hole) == written


def test_a_subject_that_looks_like_an_encoded_word_goes_the_long_way() -> None:
    hole = Hole(Slot.SUBJECT, Place.HEADER)
    assert b"=?utf-8?" in ENCODERS[Place.HEADER]("=?x?= and more", hole).lower()


@pytest.mark.parametrize("stored", [b"", b"null", b"{}", b'{"format":1}', b"\xff\x00"])
def test_damaged_bytes_are_refused(stored: bytes) -> None:
    with pytest.raises(FormatError):
        CompiledMessage.from_bytes(stored)


def test_an_empty_name_gives_way_to_its_fallback() -> None:
    message = read(compiled().fill({**VALUES, Slot.FIRST_NAME: ""}))
    assert body(message, "plain").startswith("Hello there,")
    assert "<p>Hello there, welcome.</p>" in body(message, "html")


def test_a_value_is_escaped_in_html_and_only_there() -> None:
    message = read(compiled().fill({**VALUES, Slot.FIRST_NAME: "<b>&'\""}))
    assert body(message, "plain").startswith("Hello <b>&'\",")
    assert "Hello &lt;b&gt;&amp;&#x27;&quot;, welcome" in body(message, "html")


def test_a_copy_without_a_needed_value_is_not_made() -> None:
    with pytest.raises(MissingValue, match="unsubscribe_url"):
        compiled().fill({Slot.TO: "a@example.org", Slot.MESSAGE_ID: "<a@b>"})


@pytest.mark.parametrize("slot", list(VALUES))
@pytest.mark.parametrize("bad", ["x\r\nBcc: all@example.org", "x\ny", "x\ry", "x\x00y"])
def test_a_line_break_or_nul_in_any_value_is_refused(slot: Slot, bad: str) -> None:
    with pytest.raises(UnsafeValue):
        compiled().fill({**VALUES, slot: bad})


def test_text_only_leaves_the_html_and_the_multipart_out() -> None:
    raw = compiled().text_only().fill(VALUES)
    message = read(raw)
    assert message.get_content_type() == "text/plain"
    assert message.get_content().replace("\r\n", "\n").startswith("Hello Anna,\n")
    assert b"<p>" not in raw
    assert_fit_for_the_wire(raw)


def test_binding_shared_values_first_gives_the_same_copy() -> None:
    shared = {Slot.UNSUBSCRIBE_URL: URL, Slot.FIRST_NAME: "Anna"}
    bound = compiled().bind(shared)
    assert bound.slots == {Slot.TO, Slot.MESSAGE_ID}
    assert bound.fill(VALUES) == compiled().fill(VALUES)


def test_a_ready_made_fragment_is_joined_in() -> None:
    text, html = f"One\n{mark(Slot.BODY_TEXT)}\nend\n", f"<i>{mark(Slot.BODY_HTML)}</i>"
    fragment = encode("Zwei\n. drei")
    values = {**VALUES, Slot.BODY_TEXT: fragment, Slot.BODY_HTML: encode("<p>a=b</p>" * 20)}
    raw = compiled(text, html).fill(values)
    assert_fit_for_the_wire(raw)
    assert body(read(raw), "plain") == "One\nZwei\n. drei\nend\n"
    assert body(read(raw), "html") == f"<i>{'<p>a=b</p>' * 20}</i>"


@pytest.mark.parametrize(
    "headers",
    [
        [("Bcc me", "x")],
        [("Subject", "a\r\nBcc: x@example.org")],
        [("Subject", "a"), ("subject", "b")],
        [("Content-Type", "text/html")],
        [("X-Name", "Ünicode")],
        [("X-Empty", " ")],
        [("List-Help", "<https://example.org/" + "x" * 1000 + ">")],
        [("To", "\ue000torn")],
        [("To", "\ue000no_such_slot\ue002")],
    ],
)
def test_headers_that_may_not_go_out_are_refused(headers: list[tuple[str, str]]) -> None:
    with pytest.raises(UnsafeValue):
        compile_message(headers, "text", "", boundary="b")


@pytest.mark.parametrize("boundary", ["", "has space", "x" * 71, "Hello"])
def test_a_boundary_that_cannot_work_is_refused(boundary: str) -> None:
    with pytest.raises(UnsafeValue):
        compile_message([("To", "a@b.example")], "text\n--Hello\n", "<p>", boundary=boundary)


def test_a_message_without_text_is_refused() -> None:
    with pytest.raises(UnsafeValue, match="text part"):
        compile_message([("To", "a@b.example")], " \n", "<p>hi</p>", boundary="b")


def test_nobody_can_type_a_mark() -> None:
    typed = f"Buy at {mark(Slot.UNSUBSCRIBE_URL)}"
    assert strip_marks(typed) == "Buy at unsubscribe_url"


def test_a_mark_outside_the_vocabulary_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="password"):
        mark("password")


LINE = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r\n\ue000\ue001\ue002"),
    max_size=200,
)
AWKWARD = st.text(st.sampled_from("..=From &<é😀\u202eab "), max_size=160)
CONTENT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r\ue000\ue001\ue002"),
    max_size=300,
)


@given(before=CONTENT, after=CONTENT, value=LINE | AWKWARD, fallback=LINE)
def test_every_filled_copy_reads_back_as_what_was_put_in(
    before: str, after: str, value: str, fallback: str
) -> None:
    hole = mark(Slot.REASON, fallback)
    text = f"x{before}{hole}{hole}{after}"
    message = compile_message(
        [("To", mark(Slot.TO)), ("Subject", "s")], text, text, boundary=boundary_for(text)
    )
    raw = message.fill({Slot.TO: "anna@example.org", Slot.REASON: value})
    assert_fit_for_the_wire(raw)
    parsed = read(raw)
    shown = value or fallback
    assert body(parsed, "plain") == f"x{before}{shown}{shown}{after}"
    for plain, escaped in (
        ("&", "&amp;"),
        ("<", "&lt;"),
        (">", "&gt;"),
        ('"', "&quot;"),
        ("'", "&#x27;"),
    ):
        shown = shown.replace(plain, escaped)
    assert body(parsed, "html") == f"x{before}{shown}{shown}{after}"


@given(
    name=st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=60),
    local=st.text(st.sampled_from("abc.xyz-_+19"), min_size=1, max_size=60).filter(
        lambda part: not part.startswith(".") and not part.endswith(".") and ".." not in part
    ),
)
def test_every_recipient_reads_back_as_written(name: str, local: str) -> None:
    address = f"{local}@example.org"
    raw = compiled().fill({**VALUES, Slot.TO: format_address(name, address)})
    assert_fit_for_the_wire(raw)
    # Not the newer parser: Python 3.11's keeps the space between two encoded words of a name.
    display_name, recipient = parseaddr(message_from_bytes(raw)["To"].replace("\r\n", ""))
    assert str(make_header(decode_header(display_name))) == " ".join(name.split())
    assert recipient == address
