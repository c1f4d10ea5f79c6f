"""The rest of a mail that arrived: one-click, tracking, the relay, the ids."""

from typing import Any

import pytest

from newsletter.outcomes import received
from newsletter.outcomes.domain_records import Level
from newsletter.outcomes.received.hops import read as read_hop
from newsletter.rendering.copies import IssueCopies
from newsletter.rendering.issue import compile_issue
from tests.outcomes.arriving import (
    ADDRESS,
    DOMAIN,
    HOST,
    LINK,
    RELAY,
    arrived,
    by_postfix,
    by_relay,
    found,
    good_dns,
    issue,
    look,
    record,
    sign,
    told,
)
from tests.rendering import samples

pytestmark = pytest.mark.once

# --- One-click ----------------------------------------------------------------------------------

HEADER = f"List-Unsubscribe: <{LINK}>\r\n".encode()
POST = b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"


@pytest.mark.parametrize(
    ("old", "new", "about", "says"),
    [
        (HEADER, b"", "List-Unsubscribe", "There is none"),
        (HEADER, HEADER + b"List-Unsubscribe: <mailto:a@b.example>\r\n", "List-Unsubscribe", "2"),
        (HEADER, b"List-Unsubscribe: =?utf-8?q?=3Chttps?=\r\n", "List-Unsubscribe", "encoded word"),
        (b"Ab3_-/>", b"Ab3\r\n _-/>", "List-Unsubscribe", "broken over lines"),
        (
            HEADER,
            b"List-Unsubscribe: <mailto:a@b.example>\r\n",
            "List-Unsubscribe",
            "No https address",
        ),
        (b"<https:", b"<http:", "List-Unsubscribe", "No https address"),
        (b"<https:", b"<https://a.example>, <https:", "List-Unsubscribe", "2 https addresses"),
        (HOST.encode() + b"/uns", b"track.provider.example/uns", "List-Unsubscribe", "rewritten"),
        (b"<https:", b"<https://[bad>, <https:", "List-Unsubscribe", "no address"),
        (POST, b"", "List-Unsubscribe-Post", "There is none"),
        (POST, POST + POST, "List-Unsubscribe-Post", "There are 2"),
        (b"=One-Click", b"=\r\n One-Click", "List-Unsubscribe-Post", "any more"),
        (b"=One-Click", b"=one-click", "List-Unsubscribe-Post", "any more"),
    ],
)
def test_one_click_that_did_not_survive_the_way(old, new, about, says) -> None:
    head, _, body = issue().partition(b"\r\n\r\n")
    assert old in head + b"\r\n"
    changed = (head + b"\r\n").replace(old, new, 1) + b"\r\n" + body
    level, message = told(arrived(changed), about)
    assert level == Level.BAD and says in message
    assert not found(arrived(changed), "One-click")


def test_a_mailto_beside_the_link_and_a_fold_in_front_of_it_do_no_harm() -> None:
    raw = issue().replace(HEADER, HEADER[:-2] + b",\r\n <mailto:leave@news.example>\r\n")
    raw = raw.replace(b"List-Unsubscribe: <", b"List-Unsubscribe:\r\n\t<")
    assert told(arrived(raw), "One-click")[0] == Level.GOOD


# --- Tracking -----------------------------------------------------------------------------------


def rewritten(old: bytes, new: bytes) -> bytes:
    """The body as a provider leaves it that tracks, and signs it afterwards."""
    head, _, body = issue().partition(b"\r\n\r\n")
    assert old in body
    return arrived(head + b"\r\n\r\n" + body.replace(old, new))


@pytest.mark.parametrize("before", [b"\n\r\n", b'"=\r\n'], ids=["text", "html"])
@pytest.mark.parametrize("track", [b"https://track.example/", b"https://track.example/?to=3D"])
def test_links_that_a_provider_leads_by_way_of_its_own_host(before: bytes, track: bytes) -> None:
    raw = rewritten(
        before + b"https://" + HOST.encode(), before + track + b"https://" + HOST.encode()
    )
    level, message = told(raw, "Links")
    assert level == Level.BAD and "click tracking" in message
    assert told(raw, "DKIM")[0] == Level.GOOD


def test_links_rewritten_but_for_the_one_to_leave() -> None:
    raw = rewritten(b"<p>Hello", b"<p><a href=3D'https://track.example/2'>Hello</a>")
    level, message = told(raw, "Links")
    assert level == Level.BAD and "track.example" in message
    both = rewritten(b"Hello", b"Hello <https://us.example/> <a href=3D'https://us.example/'>x</a>")
    assert told(both, "Links")[0] == Level.GOOD


def rich_issue() -> bytes:
    return IssueCopies(compile_issue(samples.rich_issue()).message, samples.stamp()).copy(
        samples.ANNA
    )


@pytest.mark.django_db
@pytest.mark.parametrize("copy", [rich_issue, samples.digest_copy])
def test_a_whole_issue_and_a_digest_arrive_as_they_left(copy: Any, settings: Any) -> None:
    settings.BASE_URL = f"https://{HOST}"
    dns = good_dns()
    dns.zone["s1._domainkey.news.example.org"] = [record()]
    mail = received.read(by_postfix(sign(copy(), domain="news.example.org"), results=" x=y"))
    looked = received.look_at(mail, ours=["news.example.org"], host=HOST, resolver=dns)
    silent = {one.about for one in looked.findings if one.level == Level.UNASKED}
    assert silent == {"Receiver on SPF", "Receiver on DKIM", "Receiver on DMARC"}
    assert {one.level for one in looked.findings} == {Level.GOOD, Level.UNASKED}


def test_of_a_link_that_the_header_lost_the_body_says_nothing() -> None:
    assert found(arrived(issue().replace(HEADER, b"", 1)), "Links") == []


def test_a_picture_that_a_provider_put_in_to_see_who_opens() -> None:
    raw = rewritten(b"<p>Hello", b"<img src=3D'https://o.provider.example/1'><p>Hello")
    level, message = told(raw, "Pictures")
    assert level == Level.BAD and "o.provider.example" in message


@pytest.mark.parametrize("source", [f"https://{HOST}/pictures/a.png", "cid:a", "data:,"])
def test_pictures_of_our_own_and_within_the_mail_are_all_right(source: str) -> None:
    raw = rewritten(b"<p>Hello", b"<img src=3D'" + source.encode() + b"'><p>Hello")
    assert told(raw, "Pictures")[0] == Level.GOOD


# --- The relay ----------------------------------------------------------------------------------


def relay(**way: str) -> bytes:
    return by_postfix(sign(by_relay(issue())), **way)


def test_a_mail_that_was_handed_over_in_plain_text() -> None:
    level, message = told(relay(with_="ESMTP"), "TLS")
    assert level == Level.BAD and "STARTTLS" in message


def test_tls_that_was_withdrawn() -> None:
    raw = relay().replace(b"using TLSv1.3", b"using TLSv1")
    assert told(raw, "TLS")[0] == Level.WARNING


@pytest.mark.parametrize("with_", ["ESMTPSA", "UTF8SMTPS", "esmtps", "SMTPS"])
def test_the_protocols_name_alone_tells_of_tls(with_: str) -> None:
    assert told(relay(with_=with_), "TLS")[0] == Level.GOOD


@pytest.mark.parametrize(
    ("pointers", "hosts", "level"),
    [
        ([], [ADDRESS], Level.BAD),
        ([RELAY], [], Level.BAD),
        ([RELAY], ["203.0.113.99"], Level.BAD),
        ([RELAY], ["203.0.113.99", ADDRESS], Level.GOOD),
        (["other.example", RELAY], [ADDRESS], Level.GOOD),
    ],
)
def test_the_relays_address_has_a_name_that_has_the_address(pointers, hosts, level) -> None:
    dns = good_dns()
    dns.pointers, dns.hosts = {ADDRESS: pointers}, {RELAY: hosts}
    assert told(relay(), "Relay's name", dns)[0] == level


@pytest.mark.parametrize("silent", [ADDRESS, RELAY])
def test_a_silent_dns_says_nothing_of_the_relays_name(silent: str) -> None:
    dns = good_dns()
    dns.silent = {silent}
    assert told(relay(), "Relay's name", dns)[0] == Level.UNASKED


def test_a_relay_with_an_ipv6_address() -> None:
    dns = good_dns()
    dns.pointers, dns.hosts = {"2001:db8::5": [RELAY]}, {RELAY: [ADDRESS, "2001:db8:0::5"]}
    raw = relay(giver=f"{RELAY} ({RELAY} [IPv6:2001:db8::5])")
    assert told(raw, "Relay's name", dns)[0] == Level.GOOD


@pytest.mark.parametrize(
    "giver",
    ["relay.mailbox.example (relay.mailbox.example [203.0.113.9])", "x.example ([10.0.0.9])"],
)
def test_where_only_the_receivers_own_house_is_named_nothing_is_known(giver: str) -> None:
    raw = by_postfix(sign(issue()), giver=giver)
    assert told(raw, "Relay")[0] == Level.UNASKED


def test_two_houses_below_the_same_short_suffix_are_two() -> None:
    raw = relay(giver=f"relay.news.co.uk ([{ADDRESS}])")
    raw = raw.replace(b"mx.mailbox.example", b"mx.mailbox.co.uk")
    assert told(raw, "Relay's name")[0] == Level.GOOD


A, B = "192.0.2.1", "b.example"


@pytest.mark.parametrize(
    ("line", "address", "by", "encrypted"),
    [
        (f"from a.example (a.example [{A}]) by {B} with SMTP", A, B, False),
        (f"from [{A}] (helo=a.example) by {B} with esmtpsa", A, B, True),
        (f"from {A} (EHLO a.example) by 10.0.0.1 with SMTPs (x)", A, "10.0.0.1", True),
        (f"from a.example by {B} with ESMTPS", "None", B, True),
        (f"from bad.example ([999.0.2.1]) by {B} with ESMTP", "None", B, False),
        ("from a.example", "None", "", False),
    ],
)
def test_received_lines_of_many_makes_are_read(line, address, by, encrypted) -> None:
    hop = read_hop(line)
    assert hop is not None
    assert (str(hop.address), hop.by, hop.is_encrypted) == (address, by, encrypted)


def test_a_received_line_that_names_no_giver_is_passed_over() -> None:
    assert read_hop("by 2002:a05:1::8 with SMTP id x; Mon, 23 Nov 2026 08:00:05 +0000") is None


# --- Form and ids -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "about", "level"),
    [
        (b"\r\nTo: ", b"\r\nFrom: x@other.example\r\nTo: ", "From", Level.BAD),
        (b"\r\nDate: ", b"\r\nDate: x\r\nDate: ", "Date", Level.BAD),
        (b"\r\nDate: ", b"\r\nX-Date: ", "Date", Level.BAD),
        (b"\r\nSubject: ", b"\r\nX-Long: " + b"x" * 999 + b"\r\nSubject: ", "Lines", Level.BAD),
        (b"\r\n\r\n", b"\r\n\r\n" + b"x" * 999 + b"\r\n", "Lines", Level.BAD),
        (f"0a@{DOMAIN}>".encode(), b"0a@ses.example>", "Message-ID", Level.WARNING),
        (b"\r\nMessage-ID: <", b"\r\nMessage-ID: <<", "Message-ID", Level.WARNING),
        (b"\r\nFeedback-ID:", b"\r\nX-Id:", "Feedback-ID", Level.WARNING),
        (b"\r\nFeedback-ID: ", b"\r\nFeedback-ID: a:", "Feedback-ID", Level.WARNING),
        (b"\r\nFeedback-ID:", b"\r\nFeedback-ID: x\r\nFeedback-ID:", "Feedback-ID", Level.WARNING),
        (b"Precedence: bulk", b"Precedence: list", "Precedence", Level.WARNING),
    ],
)  # fmt: skip
def test_what_was_added_lost_or_renamed_on_the_way(old, new, about, level) -> None:
    assert old in issue()
    raw = arrived(issue().replace(old, new, 1))
    assert told(raw, about)[0] == level
    assert not found(raw, "Form")


def test_no_address_and_no_subject_is_ever_told() -> None:
    raw = arrived().replace(b"Subject: ", b"Subject: x") + b"more\r\n"
    raw = raw.replace(b"dkim=pass", b"dkim=fail").replace(b"spf=pass", b"spf=fail")
    said = " ".join(one.message for one in look(raw).findings)
    assert "@" not in said and "Three things" not in said and "0a0a" not in said
