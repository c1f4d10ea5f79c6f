"""The JSON way in: the same guard and the same words as the page, for listed web sites only."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import OperationalError, connection
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from signup import consent
from signup.consent import texts
from signup.embed.address import url_of
from signup.models import ConsentEntry, ConsentText, EmbedForm, SignUp, Suppression, SystemMail
from signup.suppress import suppress
from tests.signup.conftest import Catalogue
from tests.signup.embedding import ORIGIN, make_form, token
from tests.signup.filling_in import nothing_was_kept
from tests.signup.solving import solved

Purpose = ConsentText.Purpose
SIGN_UPS, FORM = "/api/v1/sign-ups", "/api/v1/form"


@pytest.fixture
def form(catalogue: Catalogue) -> EmbedForm:
    return make_form(catalogue.living_well, catalogue.disk)


def asked(embed: EmbedForm, /, **changes: Any) -> dict[str, Any]:
    return {
        "form": embed.public_id,
        "form_token": token(),
        "email": "ada@example.org",
        "newsletters": ["living-well"],
        "conditions": ["herniated-disk"],
        "consent_mail": True,
        "consent_health": True,
        **changes,
    }


def post(client: Client, values: Any, **extra: Any) -> HttpResponse:
    raw = values if isinstance(values, (str, bytes)) else json.dumps(values)
    found: HttpResponse = client.post(SIGN_UPS, raw, content_type="application/json", **extra)
    return found


def faults(response: HttpResponse) -> dict[str, str]:
    return {fault["field"]: fault["message"] for fault in json.loads(response.content)["errors"]}


# --- The way of a sign-up ------------------------------------------------------------------------


def test_a_script_gets_the_words_a_token_and_a_sum_and_signs_somebody_up(
    browser_client: Client, form: EmbedForm, settings: Any
) -> None:
    settings.SIGN_UPS_UNPROVED_PER_HOUR = 0
    got = browser_client.get(FORM, {"form": form.public_id}).json()
    now = consent.current_texts("en")
    assert got["wordings"] == {purpose.value: text.wording for purpose, text in now.items()}
    assert [one["slug"] for one in got["newsletters"]] == ["living-well"]
    assert [one["slug"] for one in got["conditions"]] == ["herniated-disk"]
    assert "weekly" in got["cadences"]
    response = post(
        browser_client,
        asked(
            form,
            form_token=got["form_token"],
            proof_of_work=solved(got["challenge"]),
            first_name="Ada",
            cadence="daily",
            consent_measurement=True,
        ),
    )
    assert response.status_code == 202, response.content
    assert response.json() == {
        "state": "check_inbox",
        "message": "You will soon receive an e-mail from us.",
    }
    assert response["Cache-Control"] == "no-store"
    assert not browser_client.cookies
    sign_up = SignUp.objects.get()
    assert (sign_up.first_name, sign_up.cadence) == ("Ada", "daily")
    assert sign_up.form_url == url_of(form)
    assert sign_up.consent_texts.count() == 3
    assert SystemMail.objects.count() == 1


def test_the_answer_does_not_tell_whether_an_address_is_known(
    browser_client: Client, form: EmbedForm, ask: Callable[..., SystemMail | None]
) -> None:
    from signup.confirm import confirm

    with time_machine.travel(timezone.now() - timedelta(days=60)):
        for name in ("pending", "live", "suppressed"):
            ask(f"{name}@example.org")
        confirm(sign_up=SignUp.objects.get(subscriber__email_key="live@example.org"))
        suppress(
            address_key="suppressed@example.org",
            reason=Suppression.Reason.COMPLAINT,
            source="test",
        )
    answers = set()
    for name in ("new", "pending", "live", "suppressed", "new", "live"):
        response = post(browser_client, asked(form, email=f"{name}@example.org"))
        headers = sorted((k, v) for k, v in response.headers.items() if "nonce" not in v)
        answers.add((response.status_code, response.content, str(headers)))
    assert len(answers) == 1


def test_too_often_for_one_address_is_answered_as_ever(
    client: Client, form: EmbedForm, settings: Any
) -> None:
    settings.SIGN_UPS_PER_ADDRESS = 2
    answers = {post(client, asked(form)).content for _ in range(4)}
    assert len(answers) == 1
    assert SignUp.objects.count() == 2


def test_words_come_in_the_forms_language(client: Client, form: EmbedForm) -> None:
    for draft in ConsentText.objects.drafts().filter(language="es"):
        texts.approve(text_id=draft.pk, wording=draft.wording, by="dpo")
    EmbedForm.objects.update(language="es")
    got = client.get(FORM, {"form": form.public_id}).json()
    assert got["language"] == "es"
    assert got["wordings"]["mail"] == consent.current_texts("es")[Purpose.MAIL].wording
    said = faults(post(client, asked(form, form_token=token("es"), email="ada")))
    assert said == {"email": "Escriba una dirección de correo con una @, como nombre@example.org."}
    assert post(client, asked(form, form_token=token("es"))).status_code == 202
    assert SignUp.objects.get().language == "es"


# --- What is refused, field by field -----------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"email": ""}, "email"),
        ({"email": "ada@"}, "email"),
        ({"email": "ada\x00@example.org"}, "email"),
        ({"first_name": "www.spam.example"}, "first_name"),
        ({"cadence": "hourly"}, "cadence"),
        ({"newsletters": ["internal"]}, "newsletters"),
        ({"conditions": ["asthma"]}, "conditions"),
        ({"newsletters": [], "conditions": []}, "newsletters"),
        ({"consent_mail": False}, "consent_mail"),
        ({"consent_health": False}, "consent_health"),
        ({"form_token": "forged"}, "form_token"),
        ({"form_token": "\ud83d\ude00"}, "form_token"),
        ({"nickname_2": "https://spam.example"}, ""),
        # Not as described:
        ({"email": None}, "email"),
        ({"email": ["ada@example.org"]}, "email"),
        ({"email": "x" * 601}, "email"),
        ({"consent_mail": "on"}, "consent_mail"),
        ({"newsletters": "living-well"}, "newsletters"),
        ({"newsletters": ["x"] * 501}, "newsletters"),
        ({"admin": True}, "admin"),
        ({"form": "\x00" * 16}, "form"),
    ],
)
def test_a_fault_names_its_field_and_nothing_is_kept(
    client: Client, form: EmbedForm, changes: dict[str, Any], field: str
) -> None:
    response = post(client, asked(form, **changes))
    assert response.status_code == 422
    assert field in faults(response)
    assert nothing_was_kept()


def test_words_that_changed_meanwhile_are_asked_for_again(client: Client, form: EmbedForm) -> None:
    values = asked(form)
    draft = texts.write_draft(purpose=Purpose.MAIL, language="en", wording="New.", by="dpo")
    texts.approve(text_id=draft.pk, wording="New.", by="dpo")
    response = post(client, values)
    assert response.status_code == 422
    assert set(faults(response)) == {"consent_mail"}
    assert nothing_was_kept()
    fresh = client.get(FORM, {"form": form.public_id}).json()
    assert fresh["wordings"]["mail"] == "New."
    assert post(client, {**values, "form_token": fresh["form_token"]}).status_code == 202
    assert {entry.text.wording for entry in ConsentEntry.objects.filter(purpose="mail")} == {"New."}


@pytest.mark.parametrize("raw", ["", "{", "null", "[]", '"x"', "[" * 5_000, b"\xff\xfe", "NaN"])
def test_what_is_no_json_object_is_refused(client: Client, form: EmbedForm, raw: Any) -> None:
    assert post(client, raw).status_code in (400, 415, 422)
    assert nothing_was_kept()


def test_only_json_is_taken_so_no_page_can_send_a_form_unasked(
    client: Client, form: EmbedForm
) -> None:
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        raw = json.dumps(asked(form))
        assert client.post(SIGN_UPS, raw, content_type=content_type).status_code == 415
    assert nothing_was_kept()


def test_more_than_any_sign_up_needs_is_not_read(client: Client, form: EmbedForm) -> None:
    response = post(client, asked(form, email="x" * 33_000))
    assert response.status_code == 413
    assert nothing_was_kept()


def test_other_methods_are_refused(client: Client, form: EmbedForm) -> None:
    for method in ("get", "head", "put", "patch", "delete"):
        assert getattr(client, method)(SIGN_UPS).status_code == 405, method
    assert client.post(FORM, {}).status_code == 405
    assert nothing_was_kept()


def test_a_form_that_is_not_there_or_closed_takes_nobody_in(
    client: Client, form: EmbedForm
) -> None:
    assert post(client, asked(form, form="0123456789abcdef")).status_code == 404
    assert client.get(FORM, {"form": "0123456789abcdef"}).status_code == 404
    assert client.get(FORM).status_code == 422
    EmbedForm.objects.update(is_open=False)
    assert post(client, asked(form)).status_code == 410
    assert client.get(FORM, {"form": form.public_id}).status_code == 410
    assert nothing_was_kept()


# --- Limits --------------------------------------------------------------------------------------


def test_too_many_are_answered_429_with_the_time_to_wait(
    client: Client, form: EmbedForm, settings: Any
) -> None:
    settings.SIGN_UPS_PER_NETWORK = 2
    answers = [
        post(client, asked(form, email=f"r{n}@example.org"), REMOTE_ADDR="8.8.8.8")
        for n in range(3)
    ]
    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert 1 <= int(answers[-1]["Retry-After"]) <= 3600
    assert json.loads(answers[-1].content)["errors"][0]["code"] == "too_many"
    assert SignUp.objects.count() == 2


def test_without_a_proof_the_stricter_limits_hold_and_a_proof_lets_in(
    client: Client, form: EmbedForm, settings: Any
) -> None:
    settings.SIGN_UPS_UNPROVED_PER_HOUR = 0
    response = post(client, asked(form))
    assert response.status_code == 429
    assert json.loads(response.content)["errors"][0]["code"] == "prove_first"
    assert nothing_was_kept()
    proof = solved()
    assert post(client, asked(form, proof_of_work=proof)).status_code == 202
    used = post(client, asked(form, email="eve@example.org", proof_of_work=proof))
    assert used.status_code == 429


def test_a_domain_without_mail_is_said_beside_the_field(
    client: Client, form: EmbedForm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signup.guard.domains.takes_no_mail", lambda domain: True)
    response = post(client, asked(form))
    assert response.status_code == 422
    assert "example.org takes no e-mail" in faults(response)["email"]
    assert nothing_was_kept()


def test_our_own_failure_says_so_and_when_to_try_again(client: Client, form: EmbedForm) -> None:
    def gone(*_args: Any) -> Any:
        raise OperationalError("closed: ada@example.org")

    values = asked(form)
    with connection.execute_wrapper(gone):
        response = post(client, values)
    assert response.status_code == 503
    assert response["Retry-After"] == "120"
    assert b"ada@" not in response.content
    assert "Something went wrong on our side" in faults(response)[""]
    assert post(client, values).status_code == 202


# --- Other web sites' scripts --------------------------------------------------------------------


def test_a_listed_site_may_read_the_answer_and_send_json(client: Client, form: EmbedForm) -> None:
    asks = client.options(
        SIGN_UPS, headers={"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
    )
    assert asks.status_code == 204
    assert asks["Access-Control-Allow-Origin"] == ORIGIN
    assert asks["Access-Control-Allow-Headers"] == "Content-Type"
    got = client.get(FORM, {"form": form.public_id}, headers={"Origin": ORIGIN})
    refused = post(client, asked(form, email=""), headers={"Origin": ORIGIN})
    taken = post(client, asked(form), headers={"Origin": ORIGIN})
    for answer in (got, refused, taken):
        assert answer["Access-Control-Allow-Origin"] == ORIGIN
        assert "Origin" in answer["Vary"]
        assert "Access-Control-Allow-Credentials" not in answer
    assert SignUp.objects.get().form_url == f"{url_of(form)}?on={ORIGIN}"


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://clinic.example",
        "https://clinic.example:8443",
        "https://www.clinic.example",
        "https://clinic.example.evil.example",
        "https://clinic",
        "null",
        "*",
        "",
    ],
)
def test_any_other_site_is_refused(client: Client, form: EmbedForm, origin: str) -> None:
    headers = {"Origin": origin}
    asks = client.options(SIGN_UPS, headers=headers)
    got = client.get(FORM, {"form": form.public_id}, headers=headers)
    sent = post(client, asked(form), headers=headers)
    assert (got.status_code, sent.status_code) == (403, 403)
    for answer in (asks, got, sent):
        assert "Access-Control-Allow-Origin" not in answer
    assert nothing_was_kept()


def test_one_forms_site_is_no_other_forms_site(
    client: Client, form: EmbedForm, catalogue: Catalogue
) -> None:
    other = make_form(catalogue.living_well, return_pages="https://charity.example/")
    assert post(client, asked(other), headers={"Origin": ORIGIN}).status_code == 403
    assert nothing_was_kept()


# --- Its description -----------------------------------------------------------------------------


def test_the_description_names_every_field_of_the_form(client: Client, db: None) -> None:
    described = client.get("/api/v1/openapi.json").json()
    assert set(described["paths"]) == {"/api/v1/form", "/api/v1/sign-ups"}
    fields = described["components"]["schemas"]["SignUpIn"]["properties"]
    assert set(fields) >= {
        "email", "first_name", "newsletters", "conditions", "cadence",
        "consent_mail", "consent_health", "consent_measurement",
    }  # fmt: skip
    answers = described["paths"]["/api/v1/sign-ups"]["post"]["responses"]
    assert set(answers) >= {"202", "422", "429"}


def test_no_page_with_scripts_of_third_parties_is_served(client: Client, db: None) -> None:
    assert client.get("/api/v1/docs").status_code == 404
    assert client.get("/api/v1/").status_code == 404
