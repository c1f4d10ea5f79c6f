"""Every system check of the project: what it finds, and that it is quiet where all is well."""

import pytest
from django.conf import settings as real
from django.core.checks import CheckMessage

from project.checks import check_settings

pytestmark = pytest.mark.once

PRODUCTION = {
    "DEBUG": False,
    "EMBEDDED": False,
    "BASE_URL": "https://news.clinic.org",
    "ALLOWED_HOSTS": ["news.clinic.org"],
    "SECRET_KEY": "0123456789abcdef" * 4,
    "EMAIL_URL": "smtps://user:password@relay.clinic.org:465",
    "EMAIL_URL_GIVEN": True,
    "REDIS_URL_GIVEN": True,
    "ESP": "",
    "BOUNCE_DOMAIN": "bounces.clinic.org",
    "DEFAULT_FROM_EMAIL": "Clinic <hello@clinic.org>",
    "DATABASES": {"default": {"ENGINE": "django.db.backends.postgresql"}},
}

WRONG = {
    "wellread.E001": {"BASE_URL": "http://news.clinic.org"},
    "wellread.E002": {"BASE_URL": "https://news.example.org"},
    "wellread.E003": {"SECRET_KEY": "a" * 64},
    "wellread.E004": {"EMAIL_URL": "smtp:/relay"},
    "wellread.E005": {"EMAIL_URL": "memory://"},
    "wellread.E006": {"EMAIL_URL_GIVEN": False},
    "wellread.E007": {"DEFAULT_FROM_EMAIL": "hello"},
    "wellread.E008": {"DEFAULT_FROM_EMAIL": "hello@wellread.example"},
    "wellread.E009": {"CELERY_TASK_TIME_LIMIT": 4000},
    "wellread.E010": {"SENDING_LEASE_SECONDS": 2.0},
    "wellread.E011": {"CELERY_TASK_ALWAYS_EAGER": True},
    "wellread.E012": {"REDIS_URL_GIVEN": False},
    "wellread.E013": {"BOUNCE_DOMAIN": "bounces"},
    "wellread.E014": {"ALERT_WEBHOOK_URL": "http://alarms.clinic.org/"},
    "wellread.W001": {"ALLOWED_HOSTS": ["*"]},
    "wellread.W002": {"DEBUG": True},
    "wellread.W003": {"DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3"}}},
    "wellread.W004": {"BOUNCE_DOMAIN": "bounces.clinic.org", "ESP": "postmark"},
}


@pytest.fixture
def found(monkeypatch):
    """Check production's settings with some of them changed."""

    def check(**changed: object) -> list[CheckMessage]:
        for name, value in {**PRODUCTION, **changed}.items():
            monkeypatch.setattr(real, name, value)
        return check_settings(None)

    return check


def test_a_sound_production_is_silent(found):
    assert found() == []


@pytest.mark.parametrize("check_id", WRONG)
def test_what_is_wrong_is_found_with_a_hint(check_id, found):
    messages = {message.id: message for message in found(**WRONG[check_id])}
    assert check_id in messages
    assert messages[check_id].hint


@pytest.mark.parametrize(
    "domain", ["bounces@clinic.org", "-a.org", "a..org", "bücher.org", "b.example.org", "a." * 120]
)
def test_a_bounce_domain_that_gets_no_mail_is_found(domain, found):
    assert [message.id for message in found(BOUNCE_DOMAIN=domain)] == ["wellread.E013"]


@pytest.mark.parametrize("secret", ["short", "x" * 31, "abcabc" * 10])
def test_a_weak_secret_key_is_found(secret, found):
    assert "wellread.E003" in {message.id for message in found(SECRET_KEY=secret)}


def test_the_password_of_the_relay_is_not_printed(found):
    messages = found(EMAIL_URL="smtp://user:hunter2@relay.clinic.org:465?nonsense=1")
    assert messages
    assert all("hunter2" not in f"{message.msg} {message.hint}" for message in messages)


def test_the_demo_is_silent():
    assert real.EMBEDDED
    assert check_settings(None) == []


def test_every_check_has_its_test():
    import re
    from pathlib import Path

    import project.checks

    ids = set(re.findall(r'"(wellread\.[EW]\d+)"', Path(project.checks.__file__).read_text()))
    assert ids == set(WRONG)
