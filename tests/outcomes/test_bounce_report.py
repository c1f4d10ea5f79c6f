"""What a mail to a return path says: of servers' own making, of people's, mangled and hostile."""

import resource
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.outcomes.bounces import report as reading
from newsletter.outcomes.bounces.parts import MAX_OCTETS
from newsletter.outcomes.bounces.report import Report, Verdict, read
from tests.outcomes.bounce_mails import (
    EVERY,
    EXCHANGE,
    EXIM,
    GLOBAL,
    GMAIL,
    POSTFIX,
    QMAIL,
    VACATION,
    mail,
    report,
    status_report,
)
from tests.running.examples import examples

pytestmark = pytest.mark.once

NOTHING, OTHER = Report(Verdict.NOTHING), Report(Verdict.OTHER)


@pytest.mark.parametrize(
    ("raw", "status", "words"),
    [
        (POSTFIX, "5.1.1", "Recipient address rejected: User unknown"),
        (EXIM, "5.2.2", "Mailbox full"),
        (EXCHANGE, "5.1.10", "RecipientNotFound; Recipient not found"),
        (GMAIL, "5.1.1", "does not exist. 550-5.1.1 Please"),
        (GLOBAL, "5.2.1", "Postfach geschlossen"),
    ],
)
def test_what_real_servers_write_is_understood(raw, status, words):
    found = read(raw)
    assert (found.verdict, found.status) == (Verdict.FAILED, status)
    assert words in found.detail
    assert "\n" not in found.detail and "\r" not in found.detail


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded", "Delivered (to mailbox)"])
def test_what_arrived_or_went_on_is_no_failure(action):
    assert read(status_report(action=action, status="5.1.1")) == NOTHING


def test_a_delay_is_none_either():
    assert read(status_report(action="delayed", status="4.4.1")).verdict is Verdict.DELAYED
    assert read(status_report(action="delayed", status="")) == Report(Verdict.DELAYED)


@pytest.mark.parametrize(
    ("status", "diagnostic", "understood"),
    [
        ("5.1.1", "smtp; 550 5.7.1 blocked", "5.1.1"),
        ("5.0.0", "smtp; 550 5.1.1 gone", "5.1.1"),
        ("4.0.0", "smtp;451-4.7.1 later", "4.7.1"),
        ("5.0.0 (undefined)", "smtp; 550 no such user 5.1.1", "5.0.0"),
        ("5.0.0", "x-unix; 5.1.1", "5.0.0"),
        ("5.0.0", "smtp; 550 5.1.1.7", "5.0.0"),
        ("2.0.0", "", "5.0.0"),
        ("", "", "5.0.0"),
        ("5.1.1234", "", "5.0.0"),
        ("unknown user", "smtp; 550 5.1.1 gone", "5.1.1"),
    ],
)
def test_the_status_counts_and_where_it_names_no_cause_the_code_the_server_was_told(
    status, diagnostic, understood
):
    assert read(status_report(f"Diagnostic-Code: {diagnostic}", status=status)).status == understood


def another(action: str, status: str) -> tuple[str, ...]:
    return ("", "Final-Recipient: rfc822; bo@example.org", f"Action: {action}", f"Status: {status}")


@pytest.mark.parametrize(
    ("second", "verdict", "status"),
    [
        (another("delivered", "2.0.0"), Verdict.NOTHING, ""),
        (another("delayed", "4.4.1"), Verdict.DELAYED, "4.4.1"),
        (another("failed", "5.2.2"), Verdict.FAILED, "5.2.2"),
        (another("failed", "5.1.1"), Verdict.FAILED, "5.1.1"),
    ],
)
def test_while_somebody_behind_an_address_gets_the_mail_the_address_works(second, verdict, status):
    found = read(status_report(*second, status="5.1.1"))
    assert (found.verdict, found.status) == (verdict, status)


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ("abuse", Verdict.COMPLAINED),
        ("Fraud", Verdict.COMPLAINED),
        ("not-spam", Verdict.NOTHING),
        ("virus", Verdict.NOTHING),
        ("auth-failure", Verdict.NOTHING),
        ("other", Verdict.NOTHING),
    ],
)
def test_only_a_complaint_is_a_complaint(said, verdict):
    lines = (f"Feedback-Type: {said}", "User-Agent: Mill/1.0", "Version: 1")
    raw = report("message/feedback-report", lines)
    assert read(raw).verdict is verdict


def test_a_receipt_that_a_reader_sent_says_nothing():
    raw = report("message/disposition-notification", ("Disposition: automatic-action; deleted",))
    assert read(raw) == NOTHING


def test_a_bounce_for_people_only_is_a_failure_without_a_cause():
    """Whatever its text says: the 5.1.1 in it could as well be a reader's own words."""
    assert b"5.1.1" in QMAIL
    assert read(QMAIL) == Report(Verdict.FAILED, "5.0.0")


@pytest.mark.parametrize(
    ("sender", "is_server"),
    [
        ("MAILER-DAEMON@old.example", True),
        ("Mail Delivery System <Mailer-Daemon@old.example>", True),
        ("MAILER-DAEMON@old.example (Mail Delivery System)", True),
        ("<postmaster@old.example>", True),
        ("MAILER-DAEMON", True),
        ('"postmaster@old.example" <fay@old.example>', False),
        ("fay@postmaster.example", False),
        ("fay+postmaster@old.example", False),
    ],
)
def test_who_signs_a_bounce_is_told_from_who_is_called_so(sender, is_server):
    found = read(mail(f"From: {sender}", "", "Sorry."))
    assert (found.verdict is Verdict.FAILED) is is_server


@pytest.mark.parametrize(
    "line",
    [
        "Auto-Submitted: auto-replied",
        "Auto-Submitted: auto-generated; owner-email=fay",
        "Precedence: bulk",
        "Precedence: auto_reply",
        "X-Autoreply: yes",
        "X-Auto-Response-Suppress: All",
    ],
)
def test_an_answer_of_a_machine_for_its_owner_says_nothing(line):
    assert read(VACATION) == NOTHING
    # Not even where it is signed by the server.
    assert read(mail("From: MAILER-DAEMON@example.org", line, "", "I am away.")) == NOTHING


@pytest.mark.parametrize(
    "lines",
    [
        # An old responder that marks nothing: it answers, or it signs with its owner's address.
        ("From: Postmaster <postmaster@example.org>", "In-Reply-To: <1@wellread.example>"),
        ("From: Fay <fay@example.org>", "Subject: failure notice"),
        ("From: ",),
        (),
    ],
)
def test_what_might_be_an_answer_does_not_count(lines):
    assert read(mail(*lines, "", "Hi. This is the qmail-send program.")) == OTHER


@pytest.mark.parametrize(
    "top",
    [
        ("Return-Path: <fay@example.org>", "Received: by us"),
        ("Received: by us", "Return-Path: <>"),
        ("Return-Path: <>", "Return-Path: <fay@example.org>", "Received: by us"),
        ("Received: by us",),
    ],
)
def test_a_bounce_without_a_report_comes_from_nobody_as_our_own_server_says(top):
    assert read(mail("From: MAILER-DAEMON@old.example", "", "Sorry.", top=top)) == OTHER


def test_an_old_exim_marks_its_bounces_as_answers():
    lines = ("From: Mailer-Daemon@old.example", "Auto-Submitted: auto-replied")
    bounced = mail(*lines, "X-Failed-Recipients: gil@old.example", "", "failed")
    assert read(bounced).verdict is Verdict.FAILED


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\r\n\r\n",
        b"\0" * 100,
        b"Content-Type: multipart/report",
        b"Content-Type: multipart/report; boundary*=x'y'%FF%00\r\n\r\n--\xff\r\n",
        status_report().replace(b"Action: failed", b"Action: \xff\xfe"),
        status_report().replace(b"Action: failed", b"Reaction: failed"),
        status_report().replace(b"message/delivery-status", b"text/plain"),
        status_report().partition(b"Action")[0],
        report("message/feedback-report", ()),
        # Without a boundary a signature's dashes would be one.
        status_report().replace(b'boundary="=_b"', b"").replace(b"--=_b", b"--"),
    ],
)
def test_what_is_no_report_or_half_of_one_is_no_failure(raw):
    assert read(raw).verdict in (Verdict.OTHER, Verdict.NOTHING)


def test_a_report_that_a_reader_forwards_is_not_the_servers():
    inner = status_report().decode()
    raw = mail(
        "From: MAILER-DAEMON@example.org",
        "In-Reply-To: <1@wellread.example>",
        "Content-Type: multipart/mixed; boundary=outer",
        "",
        "--outer",
        "Content-Type: message/rfc822",
        "",
        inner,
        "--outer--",
    )
    assert read(raw) == OTHER


def test_a_report_that_was_cut_off_says_what_it_said_before():
    cut = POSTFIX.partition(b"Remote-MTA")[0]
    assert read(cut) == Report(Verdict.FAILED, "5.1.1")


@settings(max_examples=examples(60), deadline=None)
@given(st.sampled_from(sorted(EVERY)), st.data())
def test_no_mangled_report_raises_or_says_what_no_part_of_it_said(name, data):
    """Cut off, with octets changed, lines moved, doubled or taken out."""
    raw = EVERY[name]
    lines = raw.split(b"\r\n")
    spots = st.integers(0, len(lines) - 1)
    for _ in range(data.draw(st.integers(0, 4))):
        here, there = data.draw(spots) % len(lines), data.draw(spots) % len(lines)
        lines[here] = data.draw(
            st.sampled_from([b"", lines[there], lines[here] * 2, lines[here][::-1]])
            | st.binary(max_size=60)
        )
    mangled = b"\r\n".join(lines)
    mangled = mangled[: data.draw(st.integers(0, len(mangled)))]
    # Without the fence around it, which is there for other versions of the standard library.
    found = reading._read(mangled)
    assert found.status == "" or found.status[0] in "245"
    # Fit for every database, and on one line of a log.
    found.detail.encode()
    assert found.detail == "" or found.detail.isprintable()


@settings(max_examples=examples(60), deadline=None)
@given(st.binary(max_size=400), st.sampled_from(["", "report", "mixed", "Report"]))
def test_no_octets_raise(octets, kind):
    head = f"Content-Type: multipart/{kind}; boundary=b\r\n\r\n--b\r\n\r\n--b\r\n".encode()
    assert isinstance(reading._read(octets), Report)
    status = b"Content-Type: message/delivery-status\r\n"
    assert isinstance(reading._read(head + octets), Report)
    assert isinstance(reading._read(head + status + octets), Report)
    assert isinstance(reading._read(b"Content-Type: " + octets), Report)


def _nested(depth: int) -> bytes:
    return b"".join(
        b"Content-Type: multipart/report; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level)
        for level in range(depth)
    )


@pytest.mark.parametrize(
    "raw",
    [
        _nested(20_000),
        b"Content-Type: multipart/report; boundary=b\r\n\r\n" + b"--b\r\n" * 200_000,
        b"Content-Type: multipart/report; boundary=b\r\n\r\n" + b"\r\n" * 500_000,
        b"X: y\r\n" * 200_000,
        b"X" * 2_000_000,
        b"Content-Type: multipart/report; " + b"a*0=" * 300_000,
        b"Content-Type: multipart/report; " + b'"' * 300_000,
        b"Content-Type: multipart/report; boundary=" + b"\\" * 300_000,
        status_report().replace(b"Action: failed", b"\r\n\r\nAction: failed" * 50_000),
        status_report().replace(b"Action: failed", b"Action: " + b"\t" * 300_000),
        status_report().replace(b"Status: 5.1.1", b"Status: " + b"5." * 200_000),
        mail("From: " + "(" * 100_000),
        mail("From: " + "<" * 100_000),
        mail("From: " + "a,@" * 60_000),
    ],
    ids=lambda raw: raw[:40].decode("ascii", "replace"),
)
def test_no_mail_costs_much_time_or_memory(raw):
    began, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    read(raw)
    assert time.process_time() - began < 1.0
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024


def test_no_more_is_read_than_a_report_needs():
    head, _, rest = status_report().partition(b"Your mail")
    assert read(head + b"x" * 1000 + rest).verdict is Verdict.FAILED
    assert read(head + b"x" * MAX_OCTETS + rest).verdict is Verdict.OTHER


@pytest.mark.parametrize("error", [ValueError, LookupError, TypeError, AttributeError])
def test_what_the_parser_may_choke_on_costs_one_mail_and_names_nothing(error, monkeypatch, caplog):
    def choke(*_: object) -> None:
        raise error("ada@example.org")

    monkeypatch.setattr(reading, "parts_of", choke)
    assert read(POSTFIX) == OTHER
    assert "ada@" not in caplog.text and error.__name__ in caplog.text
