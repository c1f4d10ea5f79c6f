"""Whatever editors write and readers are called, a copy reads back as exactly that.

Three readers look at each copy: the standard library's parser, one of another make (in Rust), and
these tests at its bytes. A fourth message, which `email` builds the slow way, must mean the same.
"""

import html
import re
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from typing import NamedTuple

import fast_mail_parser
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsletter.wire.headers import (
    UnsafeValue,
    encode_address,
    encode_recipient,
    encode_text,
    format_address,
    format_recipient,
)
from newsletter.wire.message import CompiledMessage, boundary_for, compile_message
from newsletter.wire.slots import Slot, mark

BEFORE, AFTER = "https://news.example.org/unsubscribe/", "/?from=mail&x=.y"
SENDER = format_address("Rückenklinik", "hello@bücher.example")

MARKS = "\ue000\ue001\ue002"
TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r" + MARKS), max_size=400
)
# What quoted-printable, dot-stuffing, MIME and HTML could each stumble over.
AWKWARD = st.lists(
    st.sampled_from(
        [".", "..", "\n.\n", "=", "=\n", "=2E", "From ", "\nFrom ", " \n", "\t\n", "é", "😀", "--",
         "\n--=_", "&", "<", ">", '"', "'", "x" * 80, "\u2028", "\x0b", "\x1c", "\x85", "a b "]
    ), max_size=40,
).map("".join)  # fmt: skip
CONTENT = TEXT | AWKWARD
ONE_LINE = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters=MARKS), max_size=300
)
NAME = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters="\ufeff" + MARKS),
    max_size=80,
)
TOKEN = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", min_size=36,
                max_size=36)  # fmt: skip
_ATOM = st.text("abcxyzABC0189!#$%&'*+/=?^_`{|}~-", min_size=1, max_size=12)
LOCAL = st.lists(_ATOM, min_size=1, max_size=4).map(".".join).filter(lambda it: "=?" not in it)
DOMAIN = st.sampled_from(
    ["example.org", "bücher.example", "xn--bcher-kva.example", "例え.example", "a-b.c.example"]
)


class Reader(NamedTuple):
    name: str
    address: str
    first_name: str
    token: str


READER = st.builds(
    Reader,
    name=NAME,
    address=st.tuples(LOCAL, DOMAIN).map("@".join),
    first_name=ONE_LINE,
    token=TOKEN,
)


def compiled(text: str, document: str, subject: str) -> CompiledMessage:
    link, name = mark(Slot.UNSUBSCRIBE_URL), mark(Slot.FIRST_NAME, "you & yours")
    plain = f"{name}{text}{name}\n{link}{name}{text}"
    rich = f"{html.escape(document)}{name}<a href='{link}'>{name}</a>{html.escape(document)}"
    headers = [
        ("From", SENDER),
        ("To", mark(Slot.TO)),
        ("Subject", subject),
        ("Message-ID", mark(Slot.MESSAGE_ID)),
        ("List-Unsubscribe", f"<{link}>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    ]
    return compile_message(headers, plain, rich, boundary=boundary_for(plain, rich))


def filled(message: CompiledMessage, reader: Reader) -> bytes:
    """As rendering.copies does it: the link bound, its token filled."""
    bound = message.bind_token(Slot.UNSUBSCRIBE_URL, BEFORE, AFTER, length=len(reader.token))
    copy = bound.fill({**values(reader), Slot.UNSUBSCRIBE_URL: reader.token.encode()})
    assert copy == message.fill(values(reader)), "binding the link changes nothing"
    return copy


def values(reader: Reader) -> dict[str, str | bytes]:
    return {
        Slot.TO: format_recipient(reader.name, reader.address),
        Slot.MESSAGE_ID: f"<{reader.token[:20]}@news.example.org>",
        Slot.UNSUBSCRIBE_URL: f"{BEFORE}{reader.token}{AFTER}",
        Slot.FIRST_NAME: reader.first_name,
    }


def assert_fit_for_the_wire(copy: bytes) -> None:
    bare = copy.replace(b"\r\n", b"")
    assert b"\r" not in bare and b"\n" not in bare and b"\x00" not in bare
    assert copy.endswith(b"\r\n")
    head, _, body = copy.partition(b"\r\n\r\n")
    assert all(len(line) <= 998 for line in head.split(b"\r\n"))
    assert all(len(line) <= 76 for line in body.split(b"\r\n"))
    assert body.isascii()
    # Stuffed once, or twice, or never: the same octets (RFC 5321 section 4.5.2).
    assert re.sub(rb"(?m)^\.", b"..", copy) == copy
    assert b"\r\nFrom " not in copy
    unfolded = head.replace(b"\r\n ", b" ")
    for line in unfolded.split(b"\r\n"):
        name, _, value = line.partition(b": ")
        if name.startswith(b"List-") or name == b"Message-ID":
            assert b"=?" not in value
        if name in {b"From", b"To"}:
            assert b"=?" not in value.rpartition(b"<")[2]


def lines(text: str) -> str:
    return text.replace("\r\n", "\n")


def decoded(words: str) -> str:
    return str(make_header(decode_header(words.replace("\r\n", ""))))


@settings(deadline=None)
@example(
    text="\n.\r",
    document=".",
    subject="=?utf-8?q?evil?=",
    reader=Reader("", "a@b.example", "", "x" * 36),
)
@given(
    text=CONTENT.map(lambda t: t.replace("\r", "")), document=CONTENT, subject=NAME, reader=READER
)
def test_a_copy_reads_back_as_what_was_put_in(
    text: str, document: str, subject: str, reader: Reader
) -> None:
    text = text.replace("\r", "")
    copy = filled(compiled(text, document, subject.strip() or "s"), reader)
    assert_fit_for_the_wire(copy)
    shown = reader.first_name or "you & yours"
    link = f"{BEFORE}{reader.token}{AFTER}"
    plain = f"{shown}{text}{shown}\n{link}{shown}{text}"
    page, name = html.escape(document), html.escape(shown)
    rich = f"{page}{name}<a href='{html.escape(link)}'>{name}</a>{page}"

    message = message_from_bytes(copy, policy=policy.default)
    assert isinstance(message, EmailMessage) and not message.defects
    parts = [message.get_body((kind,)) for kind in ("plain", "html")]
    assert [lines(part.get_content()) for part in parts if part] == [plain, rich]
    classic = message_from_bytes(copy)
    assert classic["List-Unsubscribe"] == f"<{link}>"
    assert classic["Message-ID"] == f"<{reader.token[:20]}@news.example.org>"
    assert decoded(classic["Subject"]) == " ".join((subject.strip() or "s").split())
    display, address = parseaddr(classic["To"].replace("\r\n", ""))
    assert address == encode_address(reader.address)
    assert [each.addr_spec for each in message["To"].addresses] == [address]
    assert decoded(display) == " ".join(reader.name.split())

    other = fast_mail_parser.parse_email(copy)
    # It sees line ends before a boundary in its own way; the parser above has counted them.
    read = [lines(each).rstrip("\n") for each in (*other.text_plain, *other.text_html)]
    assert read == [plain.rstrip("\n"), rich.rstrip("\n")]
    assert other.headers["List-Unsubscribe"] == [f"<{link}>"]
    assert other.headers["Message-ID"] == [f"<{reader.token[:20]}@news.example.org>"]
    assert other.attachments == []


@settings(deadline=None)
@given(text=CONTENT, subject=NAME, reader=READER)
def test_a_copy_means_what_the_standard_library_would_have_built(
    text: str, subject: str, reader: Reader
) -> None:
    text = text.replace("\r", "")
    subject = " ".join(subject.split()) or "s"
    copy = message_from_bytes(filled(compiled(text, text, subject), reader), policy=policy.default)
    shown = reader.first_name or "you & yours"
    link = f"{BEFORE}{reader.token}{AFTER}"
    slow = EmailMessage(policy=policy.SMTP.clone(refold_source="none"))
    slow.set_content(f"{shown}{text}{shown}\n{link}{shown}{text}", cte="base64")
    page, name = html.escape(text), html.escape(shown)
    slow.add_alternative(
        f"{page}{name}<a href='{html.escape(link)}'>{name}</a>{page}", "html", cte="base64"
    )
    built = message_from_bytes(slow.as_bytes(), policy=policy.default)

    assert isinstance(copy, EmailMessage) and isinstance(built, EmailMessage)
    assert [part.get_content_type() for part in copy.walk()] == [
        part.get_content_type() for part in built.walk()
    ]
    for kind in ("plain", "html"):
        ours, theirs = copy.get_body((kind,)), built.get_body((kind,))
        assert ours and theirs
        # `email` ends each part with a line end of its own.
        assert lines(ours.get_content()).rstrip("\n") == lines(theirs.get_content()).rstrip("\n")


INJECTION = st.sampled_from(
    ["\r\nBcc: all@example.org", "\nX: y", "\r", "\x00", "\r\n.\r\nMAIL FROM:<x@y>", "\n.\n"]
)


@settings(deadline=None)
@given(before=ONE_LINE, after=ONE_LINE, injected=INJECTION, reader=READER)
def test_a_line_break_or_nul_in_any_value_makes_no_copy(
    before: str, after: str, injected: str, reader: Reader
) -> None:
    bad = f"{before}{injected}{after}"
    message = compiled("text", "html", "s")
    for slot in values(reader):
        with pytest.raises(UnsafeValue):
            message.fill({**values(reader), slot: bad})
    bound = message.bind_token(Slot.UNSUBSCRIBE_URL, BEFORE, AFTER, length=36)
    with pytest.raises(UnsafeValue):
        bound.fill({**values(reader), Slot.UNSUBSCRIBE_URL: bad})
    for write in (encode_text, encode_address, encode_recipient):
        with pytest.raises(UnsafeValue):
            write(bad)
    for name, address in ((bad, "a@example.org"), ("Anna", f"{bad}@example.org"), ("", f"a@{bad}")):
        with pytest.raises(UnsafeValue):
            format_recipient(name, address)


@pytest.mark.parametrize(
    ("typed", "wire"),
    [
        ("info@bücher.example", "info@xn--bcher-kva.example"),
        ("info@BÜCHER.example", "info@xn--bcher-kva.example"),
        ("jürgen@example.org", "jürgen@example.org"),
        ("jürgen@bücher.example", "jürgen@xn--bcher-kva.example"),
        ("用户@例え.example", "用户@xn--r8jz45g.example"),
    ],
)
def test_an_address_outside_ascii_goes_as_it_is_and_its_domain_as_a_labels(
    typed: str, wire: str
) -> None:
    """RFC 6531 section 3: whether it can go is the relay's to say; nothing is rewritten."""
    reader = Reader("Jürgen", typed, "Jürgen", "t" * 36)
    copy = filled(compiled("text", "html", "s"), reader)

    assert f"<{wire}>\r\n".encode() in copy
    assert b"\r\nTo: =?utf-8?b?SsO8cmdlbg==?= <" in copy
    head = copy.partition(b"\r\n\r\n")[0]
    others = [line for line in head.split(b"\r\n") if not line.startswith(b"To: ")]
    assert all(line.isascii() for line in others)
    to = fast_mail_parser.parse_email(copy).to
    assert [each.address for each in to] == [wire]


@pytest.mark.parametrize(
    "address",
    ["jür gen@example.org", "jür\u2028gen@example.org", "jür\x85@example.org", "jür..gen@x.example",
     "jür@gen@example.org", "jür<@example.org", ".jür@example.org", "ü" * 130 + "@example.org",
     "=?utf-8?q?j=C3=BCr?=ü@example.org"],
)  # fmt: skip
def test_an_address_outside_ascii_is_one_plain_address_all_the_same(address: str) -> None:
    with pytest.raises(UnsafeValue):
        encode_recipient(address)


@pytest.mark.parametrize("local", ["=?utf-8?q?a=40evil.example?=", "a.=?utf-8?b?YUBi?=", "a=?b"])
def test_an_address_that_looks_like_an_encoded_word_is_refused(local: str) -> None:
    """RFC 2047 section 5. Python's own parser makes `a@evil.example` of the first one."""
    for write in (encode_address, encode_recipient):
        with pytest.raises(UnsafeValue, match="encoded word"):
            write(f"{local}@example.org")
    with pytest.raises(UnsafeValue, match="encoded word"):
        format_recipient("Anna", f"{local}@example.org")


def test_a_sender_outside_ascii_is_refused_before_anything_is_compiled() -> None:
    """Staff can choose another one; a reader cannot be asked to."""
    with pytest.raises(UnsafeValue, match="RFC 6531"):
        format_address("Clinic", "jürgen@example.org")


@pytest.mark.parametrize("prefix", range(0, 80, 3))
def test_a_bound_link_is_broken_where_the_whole_one_would_be(prefix: int) -> None:
    before = "https://e.example/" + "p" * prefix + "/"
    message = compiled("text", "html", "s")
    token = "Tok-en_" * 5 + "x"

    bound = message.bind_token(Slot.UNSUBSCRIBE_URL, before, "/", length=36)

    rest = {Slot.TO: "a@b.example", Slot.MESSAGE_ID: "<a@b>", Slot.FIRST_NAME: "Bo"}
    whole = message.fill({**rest, Slot.UNSUBSCRIBE_URL: f"{before}{token}/"})
    assert bound.fill({**rest, Slot.UNSUBSCRIBE_URL: token}) == whole


@settings(deadline=None)
@example(subject="=?utf-8?q?evil?=")
@example(subject="x" * 300)
@given(subject=NAME)
def test_a_subject_of_ones_own_reads_back_as_what_was_put_in(subject: str) -> None:
    message = compiled("text", "html", mark(Slot.SUBJECT, "A neutral one"))
    reader = Reader("Anna", "a@b.example", "Bo", "x" * 36)
    copy = message.fill({**values(reader), Slot.SUBJECT: subject.strip()})
    assert_fit_for_the_wire(copy)
    written = copy[copy.index(b"Subject: ") : copy.index(b"\r\nMessage-ID: ")]
    said = decoded(message_from_bytes(copy)["Subject"])
    assert " ".join(said.split()) == (" ".join(subject.split()) or "A neutral one")
    assert written.isascii() and all(len(line) <= 76 for line in written.split(b"\r\n"))


@pytest.mark.parametrize("bad", ["one\r\nBcc: x@y.example", "one\ntwo", "one\rtwo", "one\x00two"])
def test_a_subject_of_ones_own_holds_no_line_break(bad: str) -> None:
    message = compiled("text", "html", mark(Slot.SUBJECT, "A neutral one"))
    with pytest.raises(UnsafeValue):
        message.fill({**values(Reader("", "a@b.example", "", "x" * 36)), Slot.SUBJECT: bad})


def test_a_token_that_no_line_can_hold_is_refused() -> None:
    with pytest.raises(UnsafeValue, match="too long"):
        compiled("text", "html", "s").bind_token(Slot.UNSUBSCRIBE_URL, BEFORE, "/", length=200)
