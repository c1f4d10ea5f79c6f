"""Which way out is used, and which is barred from health data (invariant 11)."""

import os
import threading

import pytest

from newsletter.transports.errors import Misconfigured, NotForHealthData
from newsletter.transports.protocol import send_in_order
from newsletter.transports.select import bulk_transport, close_kept, system_transport
from newsletter.transports.values import Outcome
from tests.transports.messages import envelope


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


def test_a_process_keeps_its_lines_from_one_task_to_the_next(settings, smtp_catcher):
    settings.EMAIL_URL = smtp_catcher.url
    for _ in range(3):
        (receipt,) = send_in_order(bulk_transport(health=False), [envelope()])
        assert receipt.outcome is Outcome.ACCEPTED

    assert smtp_catcher.connections == 1
    close_kept()
    assert smtp_catcher.commands[-1].upper() == "QUIT"


def test_neither_a_thread_nor_a_child_uses_anothers_lines(settings, smtp_catcher, monkeypatch):
    settings.EMAIL_URL = smtp_catcher.url
    ours = bulk_transport(health=False)
    theirs = []
    thread = threading.Thread(target=lambda: theirs.append(bulk_transport(health=False)))
    thread.start()
    thread.join()
    assert theirs[0] is not ours

    pid = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: pid + 1)
    assert bulk_transport(health=False) is not ours


def test_other_settings_make_another_way_out(settings):
    settings.EMAIL_URL = "smtp://127.0.0.1:1"
    first = bulk_transport(health=False)
    settings.EMAIL_URL = "smtp://127.0.0.1:2"

    assert bulk_transport(health=False) is not first


def test_health_mail_goes_only_to_those_of_several_relays_that_may_carry_it(settings):
    settings.EMAIL_URL = "smtp://one.example?lines=3, smtp://two.example?health=yes&lines=5"

    assert bulk_transport(health=False).lines == 8
    barred = bulk_transport(health=True)

    assert barred.allowed_for_health
    assert barred.lines == 5
