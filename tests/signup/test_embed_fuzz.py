"""Whatever is sent to the embedded form and to the API: an answer, no row, no trace of an error."""

import json
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signup.models import EmbedForm
from tests.running.examples import examples
from tests.signup.conftest import Catalogue
from tests.signup.embedding import make_form, path_of, sent, token
from tests.signup.filling_in import nothing_was_kept

pytestmark = pytest.mark.once

NAMES = [
    "form_token", "proof_of_work", "nickname_2", "email", "first_name", "newsletters",
    "conditions", "cadence", "return_to", "consent_mail", "consent_health",
]  # fmt: skip
# No lone surrogates: a client cannot send them as UTF-8.
_text = st.text(st.characters(codec="utf-8"), max_size=60)
_value = st.one_of(
    _text,
    st.sampled_from(["", "on", "\x00", "ada@", "@", "living-well", "weekly", "%00", "' OR 1=1 --"]),
)
_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), _value),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3),
    max_leaves=8,
)
fuzz = settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def form(catalogue: Catalogue) -> EmbedForm:
    return make_form(catalogue.living_well, catalogue.disk)


@fuzz
@given(
    changes=st.dictionaries(st.sampled_from(NAMES), _value, min_size=1), drop=st.sampled_from(NAMES)
)
def test_the_form_answers_any_fields_without_an_error_of_ours(
    form: EmbedForm, changes: dict[str, str], drop: str
) -> None:
    values = {**sent(newsletters=["living-well"]), **changes}
    values.pop(drop, None)
    values["email"] = "not-an-address"  # so that whatever else is right, nothing may be kept
    response = Client().post(path_of(form), values)
    assert response.status_code in (422, 429)
    assert nothing_was_kept()


@fuzz
@given(body=st.binary(max_size=200), kind=st.sampled_from(
    ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", "x"]
))  # fmt: skip
def test_the_form_answers_any_bytes_without_an_error_of_ours(
    form: EmbedForm, body: bytes, kind: str
) -> None:
    response = Client(raise_request_exception=False).post(path_of(form), body, content_type=kind)
    assert response.status_code in (400, 422)
    assert nothing_was_kept()


@fuzz
@given(changes=st.dictionaries(st.sampled_from([*NAMES, "form", "other"]), _json, min_size=1))
def test_the_api_answers_any_values_without_an_error_of_ours(
    form: EmbedForm, changes: dict[str, Any]
) -> None:
    values = {"form": form.public_id, "form_token": token(), "consent_mail": True, **changes}
    values["email"] = "not-an-address"
    raw = json.dumps(values)
    response = Client().post("/api/v1/sign-ups", raw, content_type="application/json")
    assert response.status_code in (400, 404, 422)
    assert all(set(one) == {"field", "code", "message"} for one in response.json()["errors"])
    assert nothing_was_kept()


@fuzz
@given(body=st.one_of(st.binary(max_size=200), _json.map(lambda one: json.dumps(one).encode())))
def test_the_api_answers_any_bytes_without_an_error_of_ours(form: EmbedForm, body: bytes) -> None:
    response = Client().post("/api/v1/sign-ups", body, content_type="application/json")
    assert response.status_code in (400, 415, 422)
    assert nothing_was_kept()


@fuzz
@given(name=_text, origin=st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=40))
def test_asking_for_any_form_from_any_site_changes_nothing(
    form: EmbedForm, name: str, origin: str
) -> None:
    client = Client()
    got = client.get("/api/v1/form", {"form": name}, headers={"Origin": origin})
    assert got.status_code in (403, 404, 422)
    asks = client.options("/api/v1/sign-ups", headers={"Origin": origin})
    assert asks.status_code == 204
    assert "Access-Control-Allow-Origin" not in asks
    assert nothing_was_kept()
