import quopri

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.wire.headers import UnsafeValue
from newsletter.wire.quoted_printable import SOFT_BREAK, encode

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r"))
DOTTED = st.text(st.sampled_from(".F rom =\né\u20ac\t😀a"), max_size=400)


@given(ANY_TEXT | DOTTED)
def test_decoding_gives_the_text_back(text: str) -> None:
    decoded = quopri.decodestring(encode(text)).decode()
    assert decoded.replace("\r\n", "\n") == text


@given(ANY_TEXT | DOTTED)
def test_every_line_is_fit_for_the_wire(text: str) -> None:
    encoded = encode(text)
    assert encoded.isascii()
    assert b"\r" not in encoded.replace(b"\r\n", b"")
    assert b"\n" not in encoded.replace(b"\r\n", b"")
    lines = encoded.split(b"\r\n")
    for line in lines:
        assert len(line) <= 76
        assert not line.startswith((b".", b"From "))
    assert not any(line.endswith((b" ", b"\t")) for line in lines[:-1])


@given(DOTTED.filter(lambda text: not text.endswith("\n")), DOTTED)
def test_two_pieces_join_over_a_soft_break(first: str, second: str) -> None:
    joined = encode(first) + SOFT_BREAK + encode(second)
    assert all(len(line) <= 76 for line in joined.split(b"\r\n"))
    assert quopri.decodestring(joined).decode().replace("\r\n", "\n") == first + second


def test_a_leading_dot_is_written_as_a_code() -> None:
    assert encode(".\n..a") == b"=2E\r\n=2E.a"


def test_a_dot_that_a_soft_break_moves_to_the_front_is_written_as_a_code() -> None:
    assert encode("a" * 75 + ".b") == b"a" * 75 + b"=\r\n=2Eb"


def test_a_line_of_equals_signs_is_never_cut_inside_a_code() -> None:
    lines = encode("=" * 100).split(b"\r\n")
    assert [line.removesuffix(b"=") for line in lines] == [b"=3D" * 25] * 4


@pytest.mark.parametrize("text", ["a\x00b", "half \ud83d"])
def test_what_cannot_be_sent_is_refused(text: str) -> None:
    with pytest.raises(UnsafeValue):
        encode(text)
