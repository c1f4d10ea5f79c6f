"""Django's own mail leaves by the way out that EMAIL_URL names."""

import smtplib

import pytest
from django.core.mail import EmailMessage, get_connection

BACKEND = "newsletter.transports.django_mail.EmailBackend"


def message(*to: str) -> EmailMessage:
    return EmailMessage(
        "A new password",
        "Choose one: https://wellread.example/\n",
        "Wellread <hello@wellread.example>",
        list(to),
        connection=get_connection(BACKEND),
    )


def test_it_arrives_by_smtp(smtp_catcher, settings):
    settings.EMAIL_URL = smtp_catcher.url

    assert message("Ada <ada@example.org>").send() == 1

    (mail,) = smtp_catcher.messages
    assert mail.recipient == "ada@example.org"
    assert b"https://wellread.example/" in mail.content


def test_two_people_get_a_mail_each(smtp_catcher, settings):
    settings.EMAIL_URL = smtp_catcher.url

    message("ada@example.org", "ben@example.org").send()

    assert smtp_catcher.recipients == [
        "ada@example.org",
        "ben@example.org",
    ]


def test_a_relay_that_is_away_is_said(settings):
    settings.EMAIL_URL = "smtp://127.0.0.1:9"

    with pytest.raises(smtplib.SMTPException, match="not taken"):
        message("ada@example.org").send()

    assert (
        get_connection(BACKEND, fail_silently=True).send_messages([message("a@example.org")]) == 0
    )
