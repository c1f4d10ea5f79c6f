"""What the receiver says of a mail (RFC 8601), and whose domain counts as ours (RFC 9989)."""

import pytest

from newsletter.outcomes.domain_records import DnsUnreachable, Level
from newsletter.outcomes.received.organisation import Author, organisation
from newsletter.outcomes.received.receiver import without_comments
from tests.outcomes.arriving import (
    DOMAIN,
    RELAY,
    FakeDns,
    by_postfix,
    good_dns,
    issue,
    sign,
    told,
)

pytestmark = pytest.mark.once

# --- What the receiver says ---------------------------------------------------------------------

GOOD = f"dkim=pass header.d={DOMAIN}; spf=pass smtp.mailfrom={DOMAIN}; dmarc=pass"


def results(text: str) -> bytes:
    return by_postfix(sign(issue()), results=text)


@pytest.mark.parametrize(
    ("old", "new", "method", "level"),
    [
        ("spf=pass", "spf=softfail", "SPF", Level.BAD),
        ("spf=pass", "spf=none", "SPF", Level.BAD),
        ("spf=pass", "spf=temperror", "SPF", Level.WARNING),
        ("spf=pass smtp", "none=none smtp", "SPF", Level.UNASKED),
        (f"mailfrom={DOMAIN}", "mailfrom=a@bounces.provider.example", "SPF", Level.WARNING),
        (f"mailfrom={DOMAIN}", f'mailfrom="a@b.{DOMAIN}"', "SPF", Level.GOOD),
        (f"smtp.mailfrom={DOMAIN}", f"smtp.helo={RELAY}", "SPF", Level.GOOD),
        (f"smtp.mailfrom={DOMAIN}", "", "SPF", Level.UNASKED),
        ("dkim=pass", "dkim=fail (body hash; did not verify)", "DKIM", Level.BAD),
        (f"header.d={DOMAIN}", "header.d=provider.example", "DKIM", Level.BAD),
        (f"header.d={DOMAIN}", f"header.i=@{DOMAIN}", "DKIM", Level.GOOD),
        ("dkim=pass", "dkim=fail header.d=x.example; dkim=pass", "DKIM", Level.GOOD),
        ("dmarc=pass", "dmarc=fail action=none", "DMARC", Level.BAD),
        ("dmarc=pass", "dmarc=bestguesspass", "DMARC", Level.BAD),
        ("dmarc=pass", "dmarc/1 = PASS", "DMARC", Level.GOOD),
        ("dmarc=pass", "(dmarc=pass) x=y", "DMARC", Level.UNASKED),
    ],
)
def test_each_result_of_the_receiver_is_told(old, new, method, level) -> None:
    assert old in GOOD
    assert told(results(GOOD.replace(old, new)), f"Receiver on {method}")[0] == level


def test_only_the_topmost_results_count_because_the_others_came_with_the_mail() -> None:
    forged = b"Authentication-Results: mx.mailbox.example; " + GOOD.encode() + b"\r\n"
    raw = by_postfix(sign(forged + issue()), results="dmarc=fail")
    assert told(raw, "Receiver on DMARC")[0] == Level.BAD
    assert told(raw, "Receiver on SPF")[0] == Level.UNASKED


@pytest.mark.parametrize(
    "below",
    [
        f"Authentication-Results: other.example; {GOOD}\r\n",
        f"Authentication-Results: {GOOD}\r\n",
        f"X-Other: x\r\nAuthentication-Results: mx.mailbox.example; {GOOD}\r\n",
    ],
)
def test_what_came_with_the_mail_right_below_the_topmost_is_another_hands(below: str) -> None:
    top = b"Authentication-Results: mx.mailbox.example; dmarc=fail\r\n"
    raw = top + below.encode() + sign(issue())
    assert told(raw, "Receiver on DMARC")[0] == Level.BAD
    assert told(raw, "Receiver on SPF")[0] == Level.UNASKED


def test_a_receiver_that_says_nothing_is_no_fault() -> None:
    assert told(sign(issue()), "Receiver")[0] == Level.UNASKED


def test_whether_spf_is_aligned_hangs_on_the_dns() -> None:
    dns = good_dns()
    dns.silent = {"_dmarc.provider.example"}
    raw = results(GOOD.replace(f"from={DOMAIN}", "from=provider.example"))
    assert told(raw, "Receiver on SPF", dns)[0] == Level.UNASKED


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("a (b (c) d) e", "a   e"),
        ('"(a)" b', '"(a)" b'),
        (r"a (\) ;) b", "a   b"),
        ("a (b", "a "),
        ("a) b", "a) b"),
    ],
)
def test_comments_are_left_out(text: str, plain: str) -> None:
    assert without_comments(text).split() == plain.split()


# --- Whose domain it is -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("domain", "zone", "expected"),
    [
        ("a.b.example", {}, "a.b.example"),
        ("a.b.example", {"b.example": "p=none"}, "b.example"),
        ("a.b.example", {"a.b.example": "p=none", "b.example": "p=none"}, "b.example"),
        ("a.b.example", {"a.b.example": "p=none; psd=n", "b.example": "p=none"}, "a.b.example"),
        ("a.b.example", {"example": "p=none; psd=y"}, "b.example"),
        ("a.b.example", {"b.example": "p=none", "example": "p=none; psd=y"}, "b.example"),
        ("a.1.2.3.4.5.6.7.b.example", {"b.example": "p=none"}, "b.example"),
        ("a.1.2.3.4.5.6.7.b.example", {"3.4.5.6.7.b.example": "p=none"}, "3.4.5.6.7.b.example"),
        ("a.1.2.3.4.5.6.7.b.example", {"2.3.4.5.6.7.b.example": "p=none"}, None),
    ],
)
def test_an_organisation_is_found_by_walking_up_the_tree(domain, zone, expected) -> None:
    """RFC 9989 section 4.10."""
    dns = FakeDns({f"_dmarc.{name}": [f"v=DMARC1; {tags}"] for name, tags in zone.items()})
    assert organisation(domain, dns)[0] == (expected or domain)


def test_the_same_domain_needs_no_dns() -> None:
    dns = FakeDns(silent={f"_dmarc.{DOMAIN}", f"_dmarc.x.{DOMAIN}"})
    assert Author(DOMAIN, dns).aligned(DOMAIN, strictness="aspf")
    with pytest.raises(DnsUnreachable):
        Author(DOMAIN, dns).aligned(f"x.{DOMAIN}", strictness="aspf")
