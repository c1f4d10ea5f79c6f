"""A condition is retired: its followers are told once, by a mail whose subject names nothing."""

import pytest

from newsletter.transports import memory
from signup.mail import send_system_mail
from signup.models import Follow, SystemMail
from signup.retire import NotRetirable, retire
from tests.digests.factories import (
    ConditionFactory,
    DigestNewsletterFactory,
    UserFactory,
    reader,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def empty_outbox():
    memory.outbox.clear()


@pytest.fixture
def back():
    return ConditionFactory(name="Herniated disk")


@pytest.fixture
def follower(back):
    return reader(DigestNewsletterFactory(), back)


def send_all():
    for pk in SystemMail.objects.values_list("pk", flat=True):
        send_system_mail(pk)


def test_the_mail_offers_another_and_its_head_names_nothing(back, follower):
    retire(condition=back, offers=ConditionFactory(name="Sciatica"), by=UserFactory())
    send_all()
    [sent] = memory.outbox
    head, _, body = sent.content.partition(b"\r\n\r\n")
    assert b"Subject: A change to what you get" in head
    assert b"Herniated" not in head and b"Sciatica" not in head
    assert b"Herniated disk" in body and b"Sciatica" in body


def test_a_reader_who_stopped_it_before_the_mail_went_is_not_told(back, follower):
    retire(condition=back, offers=None, by=UserFactory())
    Follow.objects.all().delete()
    send_all()
    assert memory.outbox == []
    assert SystemMail.objects.get().state == SystemMail.State.EXPIRED


def test_who_is_gone_or_withdrew_the_consent_is_not_told(back, follower):
    follower.subscriber.health_consent = None
    follower.subscriber.save()
    assert retire(condition=back, offers=None, by=UserFactory()) == 0


def test_it_is_retired_once(back, follower):
    assert retire(condition=back, offers=None, by=UserFactory()) == 1
    with pytest.raises(NotRetirable):
        retire(condition=back, offers=None, by=UserFactory())
    assert SystemMail.objects.count() == 1


def test_it_is_not_offered_in_its_own_place(back, follower):
    with pytest.raises(NotRetirable):
        retire(condition=back, offers=back, by=UserFactory())
    back.refresh_from_db()
    assert back.retired_at is None


def test_it_leaves_only_by_a_way_out_that_is_allowed_for_health_data(back, follower, settings):
    settings.EMAIL_URL = "smtp://relay.example:25"
    retire(condition=back, offers=None, by=UserFactory())
    send_all()
    assert memory.outbox == []
    mail = SystemMail.objects.get()
    assert mail.state == SystemMail.State.QUEUED
    assert "health" in mail.reply
