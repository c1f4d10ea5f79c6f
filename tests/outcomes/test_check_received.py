"""The command that an operator gives a mail to, as it arrived."""

import io
import logging
import sys
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.management.commands import check_received
from newsletter.outcomes import received
from newsletter.outcomes.received.mail import MAX_OCTETS
from tests.outcomes.arriving import (
    DOMAIN,
    HOST,
    arrived,
    by_gmail,
    by_postfix,
    good_dns,
    issue,
    look,
    sign,
)


@pytest.fixture
def dns(monkeypatch, settings):
    """A name server for the command; the mail's domain is ours."""
    settings.DEFAULT_FROM_EMAIL = f"Wellread <hello@{DOMAIN}>"
    settings.BASE_URL = f"https://{HOST}"
    fake = good_dns()
    monkeypatch.setattr(check_received, "Dns", lambda **options: fake)
    return fake


def check(file: Path | None = None) -> str:
    out = io.StringIO()
    call_command("check_received", *([str(file)] if file else []), stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_a_good_mail_is_told_of_line_by_line(dns, tmp_path):
    (tmp_path / "mail.eml").write_bytes(by_gmail(sign(issue())))
    first, *lines = check(tmp_path / "mail.eml").splitlines()
    assert first == "news.example, as mx.google.com took it"
    assert len(lines) == 11 and all(line.startswith("  ok: ") for line in lines)


@pytest.mark.once
@pytest.mark.django_db
def test_a_bad_mail_from_a_pipe_ends_in_an_error_and_leaves_no_trace(dns, monkeypatch, caplog):
    raw = by_postfix(issue())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
    out = io.StringIO()
    with caplog.at_level(logging.DEBUG), pytest.raises(CommandError, match="refused or end in jun"):
        call_command("check_received", stdout=out)
    assert "bad: DKIM: " in out.getvalue()
    for words in (out.getvalue(), caplog.text):
        assert "anna" not in words and "Three things" not in words


@pytest.mark.once
@pytest.mark.django_db
def test_a_signature_that_could_not_be_checked_is_no_success(dns, tmp_path):
    dns.silent = {f"s1._domainkey.{DOMAIN}"}
    (tmp_path / "mail.eml").write_bytes(arrived())
    with pytest.raises(CommandError, match="signature could not be checked"):
        check(tmp_path / "mail.eml")


@pytest.mark.once
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "nothing in it"),
        (b"Hello Anna,\n\nsee below\n", "Line 1 is no header field"),
        (b"Subject: x\n\nbody\n", "no From address"),
        (b"From: hello@news.example\n", "no body"),
        (b"\xd0\xcf\x11\xe0" + b"x" * 600, "Outlook's own format"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"From: b@other.example\n\nFwd\n", "comes from other.example, and ours from news.example"),
        (b"x" * (MAX_OCTETS + 1), "more than 2 MB"),
    ],
    ids=lambda one: one[:12] if isinstance(one, str) else None,
)
def test_what_is_no_mail_of_ours_is_refused_in_words(dns, tmp_path, raw, says):
    (tmp_path / "mail.eml").write_bytes(raw)
    with pytest.raises(CommandError, match=says):
        check(tmp_path / "mail.eml")


@pytest.mark.once
@pytest.mark.django_db
def test_a_file_that_is_not_there_is_refused_in_words(dns, tmp_path):
    with pytest.raises(CommandError, match="No such file"):
        check(tmp_path / "none.eml")


@pytest.mark.once
def test_a_mail_saved_by_a_mail_program_is_the_same_mail():
    """In a mailbox file, with lone line feeds, behind a mark of its encoding."""
    raw = by_gmail(sign(issue()))
    for saved in (
        b"From bounce@news.example Mon Nov 23 08:00:05 2026\n" + raw.replace(b"\r\n", b"\n"),
        b"\xef\xbb\xbf" + raw,
        b"\r\n\r\n" + raw,
    ):
        assert look(saved) == look(raw)


_MAIL = (
    by_gmail(b"")
    + b"DKIM-Signature: v=1; a=rsa-sha256; d=news.example; s=s1; h=from; bh=aa; b=aa\r\n"
)


@pytest.mark.once
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    changes=st.lists(
        st.tuples(st.integers(0), st.integers(0, 8), st.binary(max_size=8)), max_size=6
    )
)
def test_whatever_is_in_a_mail_nothing_but_words_comes_of_it(changes):
    raw = _MAIL + issue()
    for at, length, put in changes:
        place = at % len(raw)
        raw = raw[:place] + put + raw[place + length :]
    try:
        look(raw)
    except received.Unfit as refusal:
        assert str(refusal)
