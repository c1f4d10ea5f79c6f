"""What a misconfigured installation hears."""

from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import connection
from django.utils import timezone

from signup import checks
from signup.models import ConsentText
from tests.signup.tampering import lift_guards


@pytest.fixture(autouse=True)
def _english_only(settings: Any) -> None:
    settings.LANGUAGES = [("en", "English")]


def ids(found: list[Any]) -> list[str]:
    return sorted(message.id for message in found)


def test_a_sound_installation_hears_nothing(db: None) -> None:
    assert checks.keys_are_apart() == []
    assert checks.ledger_is_guarded(databases=["default"]) == []


def test_one_secret_for_two_jobs_is_refused(settings: Any) -> None:
    settings.TOKEN_KEYS = settings.LEDGER_KEYS
    assert ids(checks.keys_are_apart()) == ["signup.E001"]


@pytest.mark.parametrize("secret", ["text", "hex"])
def test_a_key_made_of_the_secret_key_is_refused(settings: Any, secret: str) -> None:
    key = b"k" * 32
    settings.SECRET_KEY = key.decode() if secret == "text" else key.hex()
    settings.LEDGER_KEYS = ((1, key),)
    assert "signup.E001" in ids(checks.keys_are_apart())


def test_a_short_key_and_no_key_are_named(settings: Any) -> None:
    settings.TOKEN_KEYS = ((1, b"a" * 16),)
    settings.LEDGER_KEYS = ()
    assert ids(checks.keys_are_apart()) == ["signup.E002", "signup.W001"]


def test_a_proxy_nobody_told_us_about_is_named(settings: Any) -> None:
    settings.BASE_URL = "https://news.example.org"
    assert ids(checks.network_is_known()) == ["signup.W002"]
    settings.TRUSTED_PROXIES = 1
    assert checks.network_is_known() == []


def test_a_ledger_without_its_guards_is_refused(db: None) -> None:
    with connection.cursor() as cursor:
        table = " ON signup_consententry" if connection.vendor == "postgresql" else ""
        cursor.execute(f"DROP TRIGGER consent_entry_no_update{table}")
    assert ids(checks.ledger_is_guarded(databases=["default"])) == ["signup.E003"]


def test_a_language_without_approved_wording_is_named(db: None, settings: Any) -> None:
    settings.LANGUAGES = [("en", "English"), ("de", "German")]
    assert ids(checks.ledger_is_guarded(databases=["default"])) == ["signup.W003"]
    for purpose in ConsentText.Purpose.values:
        ConsentText.objects.create(purpose=purpose, language="de", version=1, wording="Ja.")
    assert ids(checks.ledger_is_guarded(databases=["default"])) == ["signup.W003"], "drafts"
    ConsentText.objects.filter(language="de").update(approved_at=timezone.now())
    assert checks.ledger_is_guarded(databases=["default"]) == []


def test_an_installation_in_which_nobody_could_sign_up_is_refused(db: None, settings: Any) -> None:
    lift_guards()
    ConsentText.objects.filter(language="en").update(approved_at=None)
    found = checks.ledger_is_guarded(databases=["default"])
    assert "signup.E004" in ids(found)


def test_the_checks_are_registered(db: None, settings: Any) -> None:
    settings.LEDGER_KEYS = settings.TOKEN_KEYS
    assert "signup.E001" in ids(run_checks(tags=["security"]))
