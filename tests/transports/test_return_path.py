"""VERP: a bounce finds back to its copy, and nobody else can make one that does."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.transports.return_path import BadReturnPath, read_return_path, return_path_maker
from newsletter.transports.values import is_one_address

OLD, NEW = (1, b"o" * 32), (12, b"n" * 32)
DOMAIN = "bounces.wellread.example"

make = return_path_maker(*NEW, DOMAIN)


@given(st.integers(0, 2**63 - 1))
def test_a_bounce_finds_back_to_its_copy(delivery: int):
    address = make(delivery)

    assert read_return_path(address, [NEW, OLD], DOMAIN) == delivery
    assert is_one_address(address)
    assert len(address.partition("@")[0]) <= 64


def test_the_same_copy_always_has_the_same_return_path():
    assert make(7) == return_path_maker(*NEW, DOMAIN)(7)
    assert make(7) != return_path_maker(*OLD, DOMAIN)(7)


def test_the_signature_is_plain_hmac():
    expected = hmac.new(NEW[1], b"return-path:12:7", hashlib.sha256).hexdigest()[:20]

    assert make(7) == f"bounce+12-7-{expected}@{DOMAIN}"


@pytest.mark.parametrize("way", [str.upper, str.title, lambda a: f"<{a}>", lambda a: f" {a}\n"])
def test_relays_on_the_way_may_fold_its_case_or_put_it_in_brackets(way):
    assert read_return_path(way(make(7)), [NEW], DOMAIN) == 7


def test_an_older_key_still_verifies_and_one_that_is_gone_does_not():
    address = return_path_maker(*OLD, DOMAIN)(7)

    assert read_return_path(address, [NEW, OLD], DOMAIN) == 7
    with pytest.raises(BadReturnPath):
        read_return_path(address, [NEW], DOMAIN)


def test_another_key_of_the_same_version_does_not_verify():
    with pytest.raises(BadReturnPath):
        read_return_path(make(7), [(12, b"x" * 32)], DOMAIN)


@pytest.mark.parametrize(
    ("old", "new"),
    [("-7-", "-8-"), ("-7-", "-07-"), ("-7-", "-+7-"), ("-7-", "-٧-"), ("12-7", "12-7-7"),
     ("bounce+", "bounce-"), ("bounce+12", "bounce+012"), (DOMAIN, "elsewhere.example"),
     ("bounce+12", "bounce+1")],
)  # fmt: skip
def test_whatever_is_changed_in_it_is_noticed(old: str, new: str):
    forged = make(7).replace(old, new)
    assert forged != make(7)

    with pytest.raises(BadReturnPath):
        read_return_path(forged, [NEW, OLD], DOMAIN)


def test_every_digit_of_the_signature_counts():
    address = make(7)
    signature = address.partition("@")[0].rpartition("-")[2]
    for place in range(len(signature)):
        other = "0" if signature[place] != "0" else "1"
        forged = signature[:place] + other + signature[place + 1 :]
        with pytest.raises(BadReturnPath):
            read_return_path(address.replace(signature, forged), [NEW], DOMAIN)


@given(st.text())
def test_any_string_may_be_asked_about(text: str):
    for address in (text, f"bounce+{text}@{DOMAIN}", f"bounce+12-7-{text}@{DOMAIN}"):
        with pytest.raises(BadReturnPath):
            read_return_path(address, [NEW], DOMAIN)


def test_no_delivery_has_an_id_below_zero():
    with pytest.raises(ValueError, match="such an id"):
        make(-1)
