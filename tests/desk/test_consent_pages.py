"""The data-protection role's pages: wordings, terms, asking anew, and the proof of consent."""

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from newsletter.catalogue.models import Newsletter
from newsletter.desk.models import AccessEntry
from signup import consent, unsubscribe
from signup.address import normalise
from signup.confirm import confirm
from signup.consent import proof
from signup.models import (
    ConsentEntry,
    ConsentTerm,
    ConsentText,
    Renewal,
    SignUp,
    Subscriber,
    Subscription,
)
from signup.privacy.erase import erase
from signup.subscribe import request_sign_up
from tests.desk.conftest import client_of
from tests.desk.signing_in import proven

pytestmark = pytest.mark.django_db
SCRIPT = {"HTTP_X_REQUESTED_WITH": "XMLHttpRequest"}
WORDING = reverse("desk:consent_wording", args=("mail", "en"))
LAST = {"reason": "Complaint of 20 November"}


@pytest.fixture
def ada(desk) -> Subscriber:
    request_sign_up(
        address=normalise("ada@example.org"),
        newsletters=[desk.newsletter],
        conditions=[],
        cadence=Subscription.Cadence.WEEKLY,
        consent_texts=[consent.current_texts("en")[ConsentText.Purpose.MAIL]],
        form_url="https://news.example.org/sign-up/",
    )
    confirm(sign_up=SignUp.objects.get())
    return Subscriber.objects.get(email_key="ada@example.org")


def rows():
    return {
        model: list(model.objects.order_by("pk").values())
        for model in (ConsentText, ConsentTerm, Renewal, ConsentEntry, AccessEntry)
    }


# --- Wordings -----------------------------------------------------------------------------------


def test_a_wording_goes_from_draft_to_approved_and_the_old_one_stays(desk):
    client = client_of(desk.protection)
    assert client.post(WORDING, {"wording": "Write to me."}).url == WORDING
    page = client.get(WORDING).content.decode()
    assert "Draft of version 2" in page and "Nobody is shown it yet" in page
    assert consent.current_texts("en")["mail"].version == 1

    draft = ConsentText.objects.drafts().get(language="en")
    client.post(reverse("desk:approve_wording", args=(draft.pk,)), {"read": "Write to me."})
    shown = consent.current_texts("en")["mail"]
    assert (shown.version, shown.wording, shown.approved_by) == (2, "Write to me.", "protection")
    assert "Shown before" in client.get(WORDING).content.decode()


def test_words_that_changed_under_the_approver_are_not_approved(desk):
    client = client_of(desk.protection)
    client.post(WORDING, {"wording": "Write to me."})
    draft = ConsentText.objects.drafts().get(language="en")
    client.post(WORDING, {"wording": "Sell my address."})
    answer = client.post(
        reverse("desk:approve_wording", args=(draft.pk,)), {"read": "Write to me."}, follow=True
    )
    assert "changed since you read it" in answer.content.decode()
    assert consent.current_texts("en")["mail"].version == 1


def test_a_draft_can_be_discarded_an_approved_wording_cannot(desk):
    client = client_of(desk.protection)
    client.post(WORDING, {"wording": "Write to me."})
    draft = ConsentText.objects.drafts().get(language="en")
    client.post(reverse("desk:discard_wording", args=(draft.pk,)))
    assert not ConsentText.objects.filter(pk=draft.pk).exists()
    shown = consent.current_texts("en")["mail"]
    client.post(reverse("desk:discard_wording", args=(shown.pk,)))
    assert ConsentText.objects.filter(pk=shown.pk).exists()


@pytest.mark.parametrize("where", [("mail", "xx"), ("sponsor", "en")])
def test_there_is_no_page_for_other_languages_and_purposes(desk, where):
    url = reverse("desk:consent_wording", args=where)
    assert client_of(desk.protection).get(url).status_code == 404


def test_the_overview_says_which_languages_are_off(desk, settings):
    settings.LANGUAGES = [("en", "English"), ("es", "Spanish")]
    page = client_of(desk.protection).get(reverse("desk:consent")).content.decode()
    assert "offered for sign-up" in page
    assert "off until every wording is approved" in page


# --- Terms and campaigns ------------------------------------------------------------------------


def test_a_newsletter_gets_a_term_and_loses_it(desk):
    client = client_of(desk.protection)
    url = reverse("desk:consent_term", args=(desk.newsletter.pk,))
    client.post(url, {"days": "90"})
    assert ConsentTerm.objects.get().days == 90
    assert client.post(url, {"days": "-1"}).status_code == 422
    client.post(url, {"days": ""})
    assert not ConsentTerm.objects.exists()


def test_a_campaign_begins_and_is_cancelled(desk):
    client = client_of(desk.protection)
    day = timezone.localdate() + timedelta(days=20)
    data = {"newsletter": desk.newsletter.pk, "answer_by": day, "reason": "Two silent years"}
    url = reverse("desk:renewals")
    assert client.post(url, data).url == url
    row = Renewal.objects.get()
    assert (row.begun_by, row.state) == ("protection", "open")
    again = client.post(url, data)
    assert again.status_code == 422 and "already" in again.content.decode()
    client.post(reverse("desk:cancel_renewal", args=(row.pk,)))
    row.refresh_from_db()
    assert row.state == "cancelled"


def test_a_campaign_without_time_to_answer_is_refused(desk):
    for days in (2, 200):
        day = timezone.localdate() + timedelta(days=days)
        data = {"newsletter": desk.newsletter.pk, "answer_by": day, "reason": "x"}
        answer = client_of(desk.protection).post(reverse("desk:renewals"), data)
        assert answer.status_code == 422
        assert "Error:" in answer.content.decode()
    assert not Renewal.objects.exists()


# --- Proof --------------------------------------------------------------------------------------


def test_the_proof_shows_words_time_form_method_and_confirmation(desk, ada):
    url = reverse("desk:consent_proof", args=(ada.pk,))
    client = proven(desk.protection)
    assert client.get(url).status_code == 200
    assert not AccessEntry.objects.exists()
    page = client.post(url, {**LAST, "form": "page"}).content.decode()
    given, confirmed = ConsentEntry.objects.filter(subject=ada.consent_subject.subject)
    for shown in (
        given.text.wording,
        "https://news.example.org/sign-up/",
        "sign-up form",
        "button behind the confirmation mail",
        confirmed.at.isoformat()[:19],
        bytes(confirmed.entry_hash).hex(),
        "the chain is whole",
        "it stands",
    ):
        assert shown in page, shown
    line = AccessEntry.objects.get()
    assert (line.action, line.subscriber_id) == ("proof_seen", ada.pk)


def test_the_proof_as_json(desk, ada):
    url = reverse("desk:consent_proof", args=(ada.pk,))
    answer = proven(desk.protection).post(url, {**LAST, "form": "json"})
    assert answer["Content-Disposition"].startswith("attachment")
    found = json.loads(answer.content)
    (given,) = found["given"]
    assert found["address"] == "ada@example.org"
    assert (given["stands"], given["newsletter"]) == (True, "Living well")
    assert given["asked"]["form_url"] == "https://news.example.org/sign-up/"
    assert given["confirmed"]["method"] == "button behind the confirmation mail"
    assert found["chain_is_whole"] is True


def test_an_ended_consent_says_how_it_ended(ada):
    unsubscribe.end_all(
        subscriber=ada,
        reason=Subscription.EndedReason.ONE_CLICK,
        method=ConsentEntry.Method.ONE_CLICK,
    )
    (given,) = proof.of_reader(ada).given
    assert given.ended is not None and not given.stands
    assert given.ended.method == "one-click unsubscribe (RFC 8058)"


def test_after_an_erasure_the_subject_alone_still_proves(desk, ada, capsys):
    subject = ada.consent_subject.subject
    erase(subscriber=ada, method=ConsentEntry.Method.STAFF, source="test")
    url = reverse("desk:consent_proof", args=(ada.pk,))
    assert proven(desk.protection).post(url, LAST).status_code == 404
    assert not AccessEntry.objects.filter(action="proof_seen").exists()
    call_command("consent_proof", "--subject", str(subject))
    found = json.loads(capsys.readouterr().out)
    assert found["address"] is None
    assert found["given"][0]["ended"] is not None


def test_the_command_gives_the_proof_by_address(ada, capsys):
    call_command("consent_proof", "Ada@Example.org")
    assert json.loads(capsys.readouterr().out)["address"] == "ada@example.org"
    with pytest.raises(CommandError):
        call_command("consent_proof", "nobody@example.org")


def test_the_proof_needs_a_reason_and_somebody_who_proved_who_they_are(desk, ada):
    url = reverse("desk:consent_proof", args=(ada.pk,))
    assert proven(desk.protection).post(url, {"reason": ""}).status_code == 422
    answer = client_of(desk.protection).post(url, LAST)
    assert answer.status_code == 302 and "prove" in answer.url
    assert not AccessEntry.objects.exists()


# --- Who may ------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["author", "reviewer", "sender", "admin"])
def test_no_other_role_gets_in_and_nothing_changes(desk, ada, role):
    client = proven(getattr(desk, role))
    draft = ConsentText.objects.drafts().first()
    before = rows()
    day = timezone.localdate() + timedelta(days=20)
    deeds = [
        (reverse("desk:consent"), None),
        (WORDING, {"wording": "x"}),
        (reverse("desk:approve_wording", args=(draft.pk,)), {"read": draft.wording}),
        (reverse("desk:discard_wording", args=(draft.pk,)), {}),
        (
            reverse("desk:renewals"),
            {"newsletter": desk.newsletter.pk, "answer_by": day, "reason": "x"},
        ),
        (reverse("desk:consent_term", args=(desk.newsletter.pk,)), {"days": "1"}),
        (reverse("desk:consent_proof", args=(ada.pk,)), LAST),
    ]
    for url, data in deeds:
        answer = client.get(url, **SCRIPT) if data is None else client.post(url, data, **SCRIPT)
        assert answer.status_code == 403, url
    assert rows() == before


def test_looking_changes_nothing(desk, ada):
    client = proven(desk.protection)
    before = rows()
    for name, args in (
        ("desk:consent", ()),
        ("desk:consent_wording", ("mail", "en")),
        ("desk:renewals", ()),
        ("desk:consent_term", (Newsletter.objects.get().pk,)),
        ("desk:consent_proof", (ada.pk,)),
    ):
        assert client.get(reverse(name, args=args)).status_code == 200
        assert client.head(reverse(name, args=args)).status_code == 200
    for name, pk in (("desk:approve_wording", 1), ("desk:cancel_renewal", 1)):
        assert client.get(reverse(name, args=(pk,))).status_code == 405
    assert rows() == before
