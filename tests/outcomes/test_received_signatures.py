"""What the relay signed, looked at in the mail that arrived (RFC 6376, 8058 section 4, 8301)."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.outcomes import received
from newsletter.outcomes.domain_records import Level
from newsletter.outcomes.received.key import look_up
from newsletter.outcomes.received.signature import fits_body, parse, signed_octets
from tests.outcomes.arriving import (
    ARRIVED,
    DOMAIN,
    RECEIVERS,
    SHORT_KEY,
    SIGNED,
    FakeDns,
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

pytestmark = pytest.mark.once

STORED = Path(__file__).parent / "signed"
KEY = f"s1._domainkey.{DOMAIN}"
SIGNATURE = f"DKIM {DOMAIN} (s1)"


def holds(mail: received.Mail, number: int, dns: FakeDns) -> bool:
    signature = parse(mail.all("DKIM-Signature")[number])
    key = look_up(signature, dns)
    octets = signed_octets(signature, mail)
    return fits_body(signature, mail) and key.signed(signature.value, octets)


def seconds(moment: datetime) -> int:
    return int(moment.timestamp())


@pytest.mark.parametrize(
    "name", ["relaxed-relaxed", "relaxed-simple", "simple-relaxed", "simple-simple"]
)
def test_what_another_program_signed_is_valid(name: str) -> None:
    """dkimpy 1.1.8 signed these, blanks and empty lines of every kind in them; the key is gone."""
    dns = FakeDns({KEY: [(STORED / "key.txt").read_text().strip()]})
    raw = (STORED / f"{name}.eml").read_bytes()
    assert holds(received.read(raw), 0, dns)
    assert holds(received.read(raw.replace(b"\r\n", b"\n")), 0, dns)
    assert not holds(received.read(raw.replace(b"dots", b"dot")), 0, dns)
    assert not holds(received.read(raw.replace(b"Three", b"Four")), 0, dns)


def test_of_two_fields_of_a_name_the_lower_is_signed_first() -> None:
    """Section 5.4.2: so whatever a later server writes on top breaks nothing. By dkimpy, too."""
    dns = FakeDns({KEY: [(STORED / "key.txt").read_text().strip()]})
    raw = (STORED / "one-of-two.eml").read_bytes()
    assert holds(received.read(raw), 0, dns)
    assert holds(received.read(raw.replace(b"upper", b"other")), 0, dns)
    assert not holds(received.read(raw.replace(b"lower", b"other")), 0, dns)


def test_the_example_of_rfc_8463_is_valid_with_both_its_signatures() -> None:
    rsa = (
        "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQi"
        "Y/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZy"
        "VYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB"
    )
    dns = FakeDns(
        {
            "brisbane._domainkey.football.example.com": [
                "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
            ],
            "test._domainkey.football.example.com": [f"v=DKIM1; k=rsa; p={rsa}"],
        }
    )
    mail = received.read((STORED / "rfc8463.eml").read_bytes())
    assert holds(mail, 0, dns) and holds(mail, 1, dns)


@pytest.mark.parametrize("receiver", RECEIVERS, ids=lambda one: one.__name__)
@pytest.mark.parametrize("canonical", ["relaxed/relaxed", "relaxed/simple", "simple"])
def test_of_a_good_mail_nothing_bad_is_said_whoever_took_it(receiver, canonical) -> None:
    looked = look(receiver(sign(by_relay(issue()), canonical=canonical)))
    assert {one.level for one in looked.findings} == {Level.GOOD}
    assert {one.about for one in looked.findings} == {
        *(SIGNATURE, "DKIM", "Receiver on SPF", "Receiver on DKIM", "Receiver on DMARC"),
        *("One-click", "Links", "Pictures", "TLS", "Relay's name", "Form"),
    }


@pytest.mark.parametrize("receiver", RECEIVERS, ids=lambda one: one.__name__)
def test_nothing_bad_is_said_of_two_signatures_or_of_a_providers_own_beside_ours(receiver) -> None:
    dns = good_dns()
    dns.zone["s1._domainkey.provider.example"] = [record()]
    raw = sign(by_relay(issue()))
    raw = sign(raw, selector="ed", algorithm="ed25519-sha256")
    raw = sign(raw, domain="provider.example", headers=("From", "Subject"), tags=" l=10;")
    looked = look(receiver(raw), dns)
    assert {one.level for one in looked.findings} == {Level.GOOD}


def test_a_mail_that_nobody_signed() -> None:
    assert told(by_postfix(issue()), "DKIM")[0] == Level.BAD


# What a receiver writes that could not verify it.
FAILED = "dkim=fail; spf=pass; dmarc=fail"


def test_a_footer_below_the_signed_body_is_called_by_its_name() -> None:
    raw = by_postfix(sign(issue()), results=FAILED) + b"-- \r\nScanned by our gateway\r\n"
    assert told(raw, "DKIM")[0] == Level.BAD
    level, message = told(raw, SIGNATURE)
    assert level == Level.BAD and "footer" in message


def test_a_file_that_was_changed_after_the_receiver_found_it_valid_proves_nothing() -> None:
    """As Outlook.com shows mails, and whoever copies them from the screen."""
    raw = arrived() + b"\r\nmore\r\n"
    assert told(raw, "DKIM")[0] == Level.UNASKED
    assert [one.level for one in found(raw, SIGNATURE)] == [Level.UNASKED, Level.UNASKED]
    assert "mx.mailbox.example found it valid" in found(raw, SIGNATURE)[1].message
    # What the signature says of itself still counts.
    raw = by_postfix(sign(issue(), headers=("From",))) + b"\r\nmore\r\n"
    assert Level.BAD in {one.level for one in found(raw, SIGNATURE)}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Subject: ", b"Subject: [external] "),
        (b"\r\nTo: anna@", b"\r\nTo: ben@"),
        (b"\r\nFrom: ", b"\r\nFrom: Mallory <mallory@other.example>\r\nFrom: "),
    ],
)
def test_a_signed_field_that_was_rewritten_or_added(old: bytes, new: bytes) -> None:
    raw = by_postfix(sign(issue()), results=FAILED)
    assert raw.count(old) == 1
    raw = raw.replace(old, new)
    assert told(raw, "DKIM")[0] == Level.BAD
    assert "header field" in found(raw, SIGNATURE)[0].message


def test_lines_above_and_blanks_that_relaxed_allows_break_nothing() -> None:
    raw = b"X-Spam: no\r\nSubject2: x\r\n" + arrived().replace(b"Subject: ", b"SUBJECT:   ")
    assert told(raw, "DKIM")[0] == Level.GOOD


@pytest.mark.parametrize("name", ["List-Unsubscribe", "List-Unsubscribe-Post"])
def test_a_signature_that_leaves_out_an_unsubscribe_field(name: str) -> None:
    raw = by_postfix(sign(issue(), headers=tuple(one for one in SIGNED if one != name)))
    assert told(raw, "DKIM")[0] == Level.BAD
    level, message = told(raw, SIGNATURE)
    assert level == Level.BAD and f"leaves out {name}," in message


@pytest.mark.parametrize(
    "name", ["To", "Subject", "Date", "Message-ID", "List-Id", "Feedback-ID", "Content-Type"]
)
def test_a_signature_that_leaves_out_another_field(name: str) -> None:
    raw = by_postfix(sign(issue(), headers=tuple(one for one in SIGNED if one != name)))
    assert told(raw, "DKIM")[0] == Level.GOOD
    level, message = told(raw, SIGNATURE)
    assert level == Level.WARNING and f"leaves out {name}:" in message


def test_from_that_is_not_oversigned() -> None:
    level, message = told(by_postfix(sign(issue(), headers=SIGNED[:-1])), SIGNATURE)
    assert level == Level.WARNING and "oversigning" in message


def test_a_signature_of_a_part_of_the_body_is_bad_even_beside_a_good_one() -> None:
    raw = by_postfix(sign(sign(issue()), tags=" l=20;"))
    assert told(raw, "DKIM")[0] == Level.GOOD
    (danger,) = [one for one in found(raw, SIGNATURE) if one.level == Level.BAD]
    assert "l=" in danger.message
    # What is added behind does not break it, which is what is wrong with it.
    assert told(by_postfix(sign(issue(), tags=" l=20;")) + b"Buy!\r\n", "DKIM")[0] == Level.GOOD


def test_sha1_does_not_count() -> None:
    raw = by_postfix(sign(issue(), algorithm="rsa-sha1"))
    assert told(raw, "DKIM")[0] == Level.BAD
    assert "rsa-sha1" in found(raw, SIGNATURE)[0].message


def test_a_bad_signature_beside_a_good_one_is_only_a_warning() -> None:
    raw = by_postfix(sign(sign(issue()), algorithm="rsa-sha1", selector="old"))
    assert told(raw, "DKIM")[0] == Level.GOOD
    assert {one.level for one in found(raw, f"DKIM {DOMAIN} (old)")} == {Level.WARNING}


def test_ed25519_alone_is_valid() -> None:
    raw = by_postfix(sign(issue(), selector="ed", algorithm="ed25519-sha256"))
    assert told(raw, "DKIM")[0] == Level.GOOD


def test_a_signature_of_another_domain_is_not_enough() -> None:
    dns = good_dns()
    dns.zone["s1._domainkey.provider.example"] = [record()]
    raw = by_postfix(sign(issue(), domain="provider.example"))
    assert told(raw, "DKIM", dns)[0] == Level.BAD
    assert told(raw, "DKIM provider.example (s1)", dns)[0] == Level.GOOD


def test_a_signature_of_a_domain_below_is_enough_unless_the_policy_is_strict() -> None:
    dns = good_dns()
    dns.zone[f"s1._domainkey.mail.{DOMAIN}"] = [record()]
    raw = by_postfix(sign(issue(), domain=f"mail.{DOMAIN}"))
    assert told(raw, "DKIM", dns)[0] == Level.GOOD
    dns.zone[f"_dmarc.{DOMAIN}"] = ["v=DMARC1; p=reject; adkim=s"]
    assert told(raw, "DKIM", dns)[0] == Level.BAD


@pytest.mark.parametrize(
    ("records", "says"),
    [
        ([], "There is no key at"),
        (["v=DKIM1; p="], "was revoked"),
        ([record(), record(bits=1024)], "several keys"),
        (["v=DKIM1; p=a*b"], "cannot be read"),
        (["v=DKIM1; p=aaaa"], "cannot be read"),
        ([record("ed25519")], "is for ed25519"),
        ([record(tags=" h=sha1;")], "does not allow SHA-256"),
        ([record(tags=" s=tlsrpt;")], "is not for mail"),
        ([record().replace("DKIM1", "DKIM2")], "version"),
        ([f"v=DKIM1; p={SHORT_KEY}"], "has 512 bits; below 1024"),
        ([record(bits=1024)], "header field"),
    ],
)
def test_a_key_with_which_nothing_is_valid(records: list[str], says: str) -> None:
    dns = good_dns()
    dns.zone[KEY] = records
    raw = by_postfix(sign(issue()), results=FAILED)
    assert told(raw, "DKIM", dns)[0] == Level.BAD
    assert says in found(raw, SIGNATURE, dns)[0].message


def test_a_key_of_1024_bits_still_holds_and_should_not_stay() -> None:
    dns = good_dns()
    dns.zone[KEY] = [record(bits=1024)]
    raw = by_postfix(sign(issue(), bits=1024))
    assert told(raw, "DKIM", dns)[0] == Level.GOOD
    level, message = told(raw, SIGNATURE, dns)
    assert level == Level.WARNING and "1024 bits" in message


def test_a_key_in_its_trial() -> None:
    dns = good_dns()
    dns.zone[KEY] = [record(tags=" t=y;")]
    level, message = told(arrived(), SIGNATURE, dns)
    assert level == Level.WARNING and "t=y" in message


def test_a_key_for_its_own_domain_alone() -> None:
    dns = good_dns()
    dns.zone[KEY] = [record(tags=" t=s;")]
    assert told(arrived(), "DKIM", dns)[0] == Level.GOOD
    raw = by_postfix(sign(issue(), tags=f" i=@mail.{DOMAIN};"))
    assert "t=s" in found(raw, SIGNATURE, dns)[0].message


@pytest.mark.parametrize(
    ("after", "level"),
    [
        (timedelta(seconds=-60), Level.BAD),
        (timedelta(hours=12), Level.WARNING),
        (timedelta(days=8), Level.GOOD),
    ],
)
def test_a_signature_that_expires(after: timedelta, level: Level) -> None:
    """When it arrived, and not when somebody looks at it."""
    signed = ARRIVED - timedelta(minutes=5)
    tags = f" t={seconds(signed)}; x={seconds(ARRIVED + after)};"
    raw = by_postfix(sign(issue(), tags=tags))
    assert told(raw, SIGNATURE)[0] == level
    assert told(raw, "DKIM")[0] == (Level.BAD if level == Level.BAD else Level.GOOD)


def test_without_a_received_line_expiry_is_held_against_now() -> None:
    soon = datetime.now(UTC) + timedelta(days=9)
    raw = sign(issue(), tags=f" x={seconds(soon)};")
    assert told(raw, "DKIM")[0] == Level.GOOD


@pytest.mark.parametrize("silent", [KEY, f"_dmarc.mail.{DOMAIN}"])
def test_where_the_dns_is_silent_nothing_is_known(silent: str) -> None:
    dns = good_dns()
    dns.silent = {silent}
    domain = f"mail.{DOMAIN}" if "mail" in silent else DOMAIN
    raw = by_postfix(sign(issue(), domain=domain))
    assert told(raw, "DKIM", dns)[0] == Level.UNASKED
    assert told(raw, f"DKIM {domain} (s1)", dns)[0] == Level.UNASKED


def test_what_is_not_known_of_a_signature_that_could_not_be_enough_excuses_nothing() -> None:
    bare = by_postfix(sign(issue(), headers=("From", "From")))
    dns = good_dns()
    dns.silent = {KEY}
    assert told(bare, "DKIM", dns)[0] == Level.BAD
    dns.silent = {"s1._domainkey.provider.example"}
    raw = by_postfix(sign(issue(), domain="provider.example", headers=("From",)))
    assert told(raw, "DKIM", dns)[0] == Level.BAD
    assert told(raw, "DKIM provider.example (s1)", dns)[0] == Level.UNASKED
    # Nor where the file was changed after it had come.
    assert told(bare + b"\r\nmore\r\n", "DKIM")[0] == Level.BAD


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"v=1;", b"v=2;"),
        (b"s=s1;", b""),
        (b"s=s1;", b"s=s 1;"),
        (b"s=s1;", b"s=s1; s=s1;"),
        (b"s=s1;", b"s=s1; nothing;"),
        (b"s=s1;", b"s=s1; l=-1;"),
        (b"s=s1;", b"s=s1; t=99999999999999999999;"),
        (b"s=s1;", b"s=s1; i=@other.example;"),
        (b"c=relaxed", b"c=loose"),
        (b"bh=", b"bh=*"),
        (b":From;", b";"),
    ],
)
def test_a_signature_that_cannot_be_read_is_none(old: bytes, new: bytes) -> None:
    raw = sign(issue(), headers=("To", "From"))
    assert raw.count(old) == 1
    (first, *_) = look(by_postfix(raw.replace(old, new))).findings
    assert (first.level, first.about) == (Level.BAD, "DKIM signature")
    assert told(by_postfix(raw.replace(old, new)), "DKIM")[0] == Level.BAD


@settings(max_examples=50)
@given(at=st.integers(0), octet=st.sampled_from(b"abcXYZ019+/=<>"))
def test_no_letter_of_the_body_can_be_another(at: int, octet: int) -> None:
    raw = sign(issue())
    start = raw.index(b"\r\n\r\n") + 4
    letters = [place for place in range(start, len(raw)) if chr(raw[place]).isalnum()]
    place = letters[at % len(letters)]
    changed = raw[:place] + bytes([octet]) + raw[place + 1 :]
    mail = received.read(changed)
    assert fits_body(parse(mail.fields[0]), mail) == (changed == raw)
