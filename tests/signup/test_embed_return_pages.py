"""Which addresses may stand in a form's list, and that a program and a browser read them alike."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signup.embed import return_pages
from signup.embed.return_pages import BadPage, answered, origin_of, parse

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("typed", "pages", "origin"),
    [
        ("https://clinic.example", ["https://clinic.example/"], "https://clinic.example"),
        ("HTTPS://Clinic.Example/A", ["https://clinic.example/A"], "https://clinic.example"),
        ("https://a.example:8443/x?y=1", ["https://a.example:8443/x?y=1"], "https://a.example:8443"),
        ("https://a.example:443/", ["https://a.example:443/"], "https://a.example"),
        ("https://a.example?x", ["https://a.example/?x"], "https://a.example"),
        ("https://xn--bcher-kva.example/%C3%A4", ["https://xn--bcher-kva.example/%C3%A4"],
         "https://xn--bcher-kva.example"),
    ],
)  # fmt: skip
def test_an_exact_https_address_is_taken(typed: str, pages: list[str], origin: str) -> None:
    assert parse(typed) == pages
    assert origin_of(pages[0]) == origin


@pytest.mark.parametrize(
    "typed",
    [
        "clinic.example",
        "//clinic.example/",
        "http://clinic.example/",
        "javascript:alert(1)",
        "https://",
        "https:///x",
        "https://*.clinic.example/",
        "https://user@clinic.example/",
        "https://clinic.example@evil.example/",
        "https://clinic.example\\@evil.example/",
        "https://clinic.example\\.evil.example/",
        "https://clinic.example/#x",
        "https://clinic.example/a b",
        "https://clinic.example/a\tb",
        "https://clinic.example/ä",
        "https://bücher.example/",
        "https://[::1]/",
        "https://-a.example/",
        "https://a..example/",
        "https://clinic.example:0/",
        "https://clinic.example:65536/",
        "https://clinic.example:/",
        "https://clinic.example; script-src *",
        'https://clinic.example/"onload="x',
        "https://clinic.example/<script>",
        "https://" + "a" * 254 + "/",
        "https://clinic.example/" + "a" * 500,
    ],
)
def test_anything_else_is_refused_with_words_for_staff(typed: str) -> None:
    with pytest.raises(BadPage, match="is not an exact address"):
        parse(typed)


def test_blank_lines_and_doubles_count_once_and_there_is_an_end() -> None:
    assert parse("\n https://a.example/ \r\n\nhttps://A.example/\n") == ["https://a.example/"]
    with pytest.raises(BadPage, match="At most 20"):
        parse("\n".join(f"https://a{n}.example/" for n in range(21)))


def test_the_answer_is_added_to_what_the_page_asks_already() -> None:
    assert answered("https://a.example/") == "https://a.example/?wellread=check-inbox"
    assert answered("https://a.example/?x=1") == "https://a.example/?x=1&wellread=check-inbox"


_NEAR = st.text(
    alphabet=st.sampled_from("htps:/\\.@#?&*%;,'\"<> \tabAB019-[]é\x00\u2028"), max_size=40
)


@given(st.one_of(st.text(max_size=80), _NEAR, _NEAR.map(lambda rest: "https://" + rest)))
def test_whatever_is_typed_is_refused_or_read_in_one_way_only(typed: str) -> None:
    try:
        pages = parse(typed)
    except BadPage:
        return
    for page in pages:
        parts = urlsplit(page)
        assert parts.scheme == "https"
        assert parts.hostname
        assert parts.username is None and not parts.fragment
        assert page.isascii() and page.isprintable() and " " not in page and "\\" not in page
        assert page.startswith(origin_of(page))
        assert origin_of(page).removeprefix("https://").partition(":")[0] == parts.hostname
        assert not set(origin_of(page)) & set(" ;,'\"*@")
        assert parse(page) == [page], "what is kept is what is compared"
        assert parse(return_pages.answered(page)[: return_pages.LONGEST])
