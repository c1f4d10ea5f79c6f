"""What an ESP reports: believed only with the secret, from the ESP in use, and once."""

import base64
import json

import pytest
from django.core.checks import run_checks

from newsletter.outcomes.models import Event
from newsletter.outcomes.reactions import react
from newsletter.outcomes.webhooks import endpoints
from newsletter.rendering.copies import message_ids
from signup.models import Subscription
from tests.outcomes.factories import live_reader, mailing_with

pytestmark = pytest.mark.django_db

SECRET = "esp:a-secret-of-our-own"


@pytest.fixture(autouse=True)
def postmark(settings):
    settings.ESP = "postmark"
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET}


def bounce(address: str, **more) -> dict:
    return {
        "RecordType": "Bounce",
        "ID": 42,
        "Type": "HardBounce",
        "TypeCode": 1,
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
        "Description": "The server was unable to deliver your message",
        "Details": "smtp;550 5.1.1 The email account does not exist",
        "Email": address,
        "BouncedAt": "2026-11-21T16:33:54.9070259Z",
        **more,
    }


def post(client, body, *, secret=SECRET, path="/webhooks/postmark/"):
    headers = {}
    if secret:
        headers["authorization"] = "Basic " + base64.b64encode(secret.encode()).decode()
    return client.post(path, json.dumps(body), content_type="application/json", headers=headers)


def test_a_bounce_is_written_down_and_acted_on(client):
    subscription = live_reader()
    assert post(client, bounce(subscription.subscriber.email)).status_code == 200
    event = Event.objects.get()
    assert (event.kind, event.source, event.status) == ("bounced", "postmark", "5.1.1")
    assert event.subscriber_id == subscription.subscriber_id
    assert subscription.subscriber.email not in event.source_id + event.detail
    react()
    assert Subscription.objects.get().ended_reason == "bounced"


def test_a_report_that_comes_twice_is_one_event(client):
    subscription = live_reader()
    for _ in range(2):
        assert post(client, bounce(subscription.subscriber.email)).status_code == 200
    assert Event.objects.count() == 1


def test_the_address_is_known_in_any_spelling(client):
    subscription = live_reader()
    post(client, bounce(subscription.subscriber.email.replace("@example", "@EXAMPLE")))
    assert Event.objects.get().subscriber_id == subscription.subscriber_id


def test_a_report_about_a_stranger_is_kept_and_names_nobody(client):
    post(client, bounce("stranger@example.org"))
    event = Event.objects.get()
    assert event.subscriber_id is None
    assert "stranger" not in event.source_id + event.detail


@pytest.mark.parametrize("secret", ["", "esp:wrong"])
def test_without_the_right_secret_nobody_is_believed(client, secret):
    subscription = live_reader()
    assert post(client, bounce(subscription.subscriber.email), secret=secret).status_code == 400
    assert not Event.objects.exists()


def test_without_a_secret_set_nobody_is_believed(client, settings):
    settings.ANYMAIL = {}
    assert post(client, bounce("a@example.org")).status_code == 403
    assert not Event.objects.exists()


@pytest.mark.parametrize("path", ["/webhooks/sendgrid/", "/webhooks/nobody/"])
def test_other_providers_do_not_exist_here(client, path):
    assert post(client, bounce("a@example.org"), path=path).status_code == 404
    assert not Event.objects.exists()


def test_looking_changes_nothing(client):
    assert client.head("/webhooks/postmark/").status_code == 200
    assert client.get("/webhooks/postmark/").status_code == 405
    assert not Event.objects.exists()


@pytest.mark.parametrize("record", ["Open", "Click"])
def test_opens_and_clicks_are_not_kept(client, record):
    body = {
        "RecordType": record,
        "FirstOpen": True,
        "MessageID": "883953f4",
        "Recipient": live_reader().subscriber.email,
        "ReceivedAt": "2026-11-21T16:33:54Z",
        "OriginalLink": "https://example.org/conditions/migraine/",
    }
    assert post(client, body).status_code == 200
    assert not Event.objects.exists()


def test_a_complaint_is_told_apart(client):
    subscription = live_reader()
    body = bounce(
        subscription.subscriber.email,
        RecordType="SpamComplaint",
        Type="SpamComplaint",
        TypeCode=512,
        Details="",
    )
    post(client, body)
    assert Event.objects.get().kind == "complained"


def test_our_own_message_id_leads_back_to_the_mailing(client):
    subscription = live_reader()
    mailing_with(subscription, state="accepted")
    mailing = mailing_with(subscription, state="accepted").mailing
    mailing_with(subscription, state="accepted")
    ours = message_ids(mailing.stamp, "news.example.org")(subscription.subscriber_id)
    post(client, bounce(subscription.subscriber.email, MessageID=ours))
    assert Event.objects.get().mailing_id == mailing.pk


def test_every_provider_of_anymail_that_reports_has_its_place():
    assert {"postmark", "mailgun", "sendgrid", "amazon_ses", "mandrill", "resend"} <= set(
        endpoints()
    )


@pytest.mark.parametrize(
    ("esp", "secret", "ids"),
    [
        ("", "", []),
        ("postmark", SECRET, []),
        ("postmark", "", ["outcomes.E001"]),
        ("console", SECRET, ["outcomes.W001"]),
    ],
)
def test_the_system_check_says_what_is_missing(settings, esp, secret, ids):
    settings.ESP = esp
    settings.ANYMAIL = {"WEBHOOK_SECRET": secret} if secret else {}
    found = [message.id for message in run_checks() if str(message.id).startswith("outcomes.")]
    assert found == ids
