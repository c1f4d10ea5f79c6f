"""Which way out is used, and which is barred from health data (invariant 11)."""

import pytest

from newsletter.transports.errors import Misconfigured, NotForHealthData
from newsletter.transports.select import bulk_transport, system_transport


def test_email_url_names_a_relay(settings):
    settings.EMAIL_URL = "smtp://relay.example"
    assert system_transport().name == "smtp"


def test_an_esp_goes_before_the_relay(settings):
    settings.ESP = "test"
    assert system_transport().name == "esp-test"


def test_health_mail_leaves_by_an_esp_only_under_an_agreement(settings):
    settings.ESP = "test"
    with pytest.raises(NotForHealthData):
        bulk_transport(health=True)
    assert bulk_transport(health=False).name == "esp-test"

    settings.ESP_HEALTH_AGREEMENT = "mailgun"
    with pytest.raises(NotForHealthData):
        bulk_transport(health=True)

    settings.ESP_HEALTH_AGREEMENT = "test"
    assert bulk_transport(health=True).allowed_for_health


def test_health_mail_leaves_by_a_relay_elsewhere_only_when_it_is_recorded(settings):
    settings.EMAIL_URL = "smtp://relay.example"
    with pytest.raises(NotForHealthData):
        bulk_transport(health=True)

    settings.EMAIL_URL = "smtp://relay.example?health=yes"
    assert bulk_transport(health=True).allowed_for_health


@pytest.mark.parametrize("esp", ["no_such_provider", "../mailgun", "mailgun"])
def test_an_esp_that_cannot_be_used_is_refused_in_words(settings, esp):
    """Mailgun exists, but has no key here."""
    settings.ESP = esp
    with pytest.raises(Misconfigured):
        system_transport()
