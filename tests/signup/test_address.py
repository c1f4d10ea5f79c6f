"""Addresses: every spelling of one mailbox is one reader, and a refusal says what to do."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.transports.values import Envelope
from newsletter.wire.headers import encode_address
from signup.address import BadAddress, hash_address, hashes_of, normalise


@pytest.mark.parametrize(
    ("typed", "email", "key"),
    [
        ("ada@example.org", "ada@example.org", "ada@example.org"),
        ("  Ada.Lovelace@Example.ORG ", "Ada.Lovelace@example.org", "ada.lovelace@example.org"),
        ("Ada Lovelace <ada@example.org>", "ada@example.org", "ada@example.org"),
        ("mailto:ada@example.org", "ada@example.org", "ada@example.org"),
        ("ada@b\u00fccher.example.org", "ada@xn--bcher-kva.example.org", None),
        ("ada\u200b@example.org", "ada@example.org", "ada@example.org"),
        ("ada+news@example.org", "ada+news@example.org", "ada+news@example.org"),
        ("ada@example.org\uff0e", None, None),
    ],
)
def test_an_address_is_brought_to_one_form(typed: str, email: str | None, key: str | None) -> None:
    if email is None:
        with pytest.raises(BadAddress):
            normalise(typed)
        return
    address = normalise(typed)
    assert address.email == email
    assert address.key == (key or email)


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "Enter your e-mail address"),
        ("ada", "with an @"),
        ("ada@", "after the @"),
        ("@example.org", "before the @"),
        ("ada@example", "with its ending"),
        ("ada lovelace@example.org", "without spaces"),
        ("ada@@example.org", "one @ only"),
        ("ada@exam..ple.org", "two dots"),
        ("ada@example.org, bob@example.org", "one e-mail address only"),
        ("\u00e4da@example.org", "special letters"),
        ("ada@[127.0.0.1]", "a name after the @"),
        ("ada\x00@example.org", "cannot be seen"),
        ("ada\r\nBcc: bob@example.org", "cannot be seen"),
        ("a" * 300 + "@example.org", "does not look complete"),
        ("a" * 10_000, "shorter"),
        ("\ud800@example.org", "cannot be seen"),
        ("\U0001f600@example.org", "special letters"),
        ("=?utf-8?q?a=40evil.example?=@example.org", "does not look complete"),
    ],
)
def test_a_refusal_says_what_to_do(typed: str, says: str) -> None:
    with pytest.raises(BadAddress, match=says):
        normalise(typed)


@given(st.text(max_size=80) | st.emails())
def test_what_is_taken_can_be_mailed_and_is_taken_again(typed: str) -> None:
    try:
        address = normalise(typed)
    except BadAddress:
        return
    assert normalise(address.email) == address
    assert encode_address(address.email) == address.email
    Envelope(sender="", recipient=address.email, content=b"\r\n")


def test_the_hash_depends_on_the_key_and_names_its_version(settings: Any) -> None:
    settings.SUPPRESSION_KEYS = ((1, b"a" * 32),)
    old = hash_address("ada@example.org")
    settings.SUPPRESSION_KEYS = ((2, b"b" * 32), (1, b"a" * 32))
    new = hash_address("ada@example.org")
    assert (old[0], new[0], len(new)) == (1, 2, 33)
    assert hashes_of("ada@example.org") == [new, old]
    assert b"ada" not in new
