"""Sign-up under attack: the answer tells nothing, machines are slowed, people are let in."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from signup import guard, offered
from signup.consent import current_texts
from signup.models import (
    ConsentEntry,
    SignUp,
    Subscriber,
    Subscription,
    Suppression,
    SystemMail,
)
from signup.suppress import suppress
from tests.signup.conftest import Catalogue
from tests.signup.filling_in import CHECK_INBOX, filled_in, nothing_was_kept
from tests.signup.solving import solved

Asking = Callable[..., SystemMail | None]


# --- Invariant 13 --------------------------------------------------------------------------------


@pytest.fixture
def states(ask: Asking, catalogue: Catalogue) -> list[str]:
    """One address in every state a reader can be in, long enough ago for a new confirmation."""
    from signup import unsubscribe
    from signup.confirm import confirm

    with time_machine.travel(timezone.now() - timedelta(days=60)):
        for name in ("live", "ended", "suppressed", "pending"):
            ask(f"{name}@example.org")
        for name in ("live", "ended", "suppressed"):
            confirm(sign_up=SignUp.objects.get(subscriber__email_key=f"{name}@example.org"))
        ended = Subscriber.objects.get(email_key="ended@example.org")
        unsubscribe.end_all(
            subscriber=ended,
            reason=Subscription.EndedReason.UNSUBSCRIBED,
            method=ConsentEntry.Method.LINK,
        )
        suppress(
            address_key="suppressed@example.org",
            reason=Suppression.Reason.COMPLAINT,
            source="test",
        )
    return ["new", "pending", "live", "ended", "suppressed"]


def test_the_answer_does_not_tell_whether_an_address_is_known(
    browser_client: Client, states: list[str]
) -> None:
    answers = set()
    for name in [*states, *states]:
        response = browser_client.post("/sign-up/", filled_in(f"{name}@example.org"), follow=True)
        headers = {k: v for k, v in response.headers.items() if "nonce" not in v}
        answers.add((response.status_code, response.content, str(sorted(headers.items()))))
    assert len(answers) == 1
    assert SystemMail.objects.filter(
        created_at__gt=timezone.now() - timedelta(hours=1)
    ).count() == len(states)


def test_the_same_statements_are_sent_for_every_address(
    browser_client: Client, states: list[str]
) -> None:
    """Timing cannot be asserted on a busy machine; what is asked of the database can."""
    sent = {}
    for name in states:
        values = filled_in(f"{name}@example.org")
        with CaptureQueriesContext(connection) as queries:
            browser_client.post("/sign-up/", values)
        # Less what stands in them: numbers, dates, what was typed.
        sent[name] = [shape(query["sql"]) for query in queries]
    for name in states:
        assert sent[name] == sent["new"], name


def shape(sql: str) -> str:
    """The statement without its values, those of both databases."""
    if "SAVEPOINT" in sql:  # of the test's own transaction, each under another name
        return sql.partition(" ")[0]
    return re.sub(r"[Xx]?'(?:[^']|'')*'(?:::\w+)?|\b\d+\b", "?", sql)


@pytest.mark.postgres
def test_a_sign_up_goes_to_postgresql_in_two_journeys(
    browser_client: Client, states: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The budget behind the rate in docs/performance.md: who adds a statement sees it here."""
    monkeypatch.setattr(offered, "SECONDS", 60.0)
    first, second = filled_in("first@example.org"), filled_in("second@example.org")
    browser_client.post("/sign-up/", first)
    with CaptureQueriesContext(connection) as queries:
        browser_client.post("/sign-up/", second)
    asked = [q["sql"] for q in queries if "SAVEPOINT" not in q["sql"]]
    assert len(asked) == 2, asked
    assert [sql.count(";\n") + 1 for sql in asked] == [4, 8]


def test_the_form_sent_twice_makes_one_mail(browser_client: Client, catalogue: Catalogue) -> None:
    values = filled_in()
    for _ in range(3):
        assert browser_client.post("/sign-up/", values)["Location"] == CHECK_INBOX
    assert SystemMail.objects.count() == 1
    assert Subscription.objects.count() == 2


# --- The guard at work ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"form_token": ""},
        {"form_token": "forged"},
        {"form_token": "\U0001f600" * 3},
        {"nickname_2": "https://spam.example"},
    ],
)
def test_what_looks_like_a_machine_has_to_press_again(
    client: Client, catalogue: Catalogue, change: dict[str, str]
) -> None:
    response = client.post("/sign-up/", filled_in(**change))
    page = response.content.decode()
    assert response.status_code == 422
    assert "Press the button once more. Part of the form did not reach us" in page
    assert 'value="ada@example.org"' in page
    assert nothing_was_kept()
    # A person does so, and is let in with the fresh token of that page.
    fresh = re.search(r'name="form_token" value="([^"]+)"', page)
    assert fresh is not None
    assert client.post("/sign-up/", filled_in(form_token=fresh[1])).status_code == 302


def test_filling_in_fast_never_refuses_a_person(client: Client, catalogue: Catalogue) -> None:
    token = guard.form_token(guard.Place.SIGN_UP_PAGE, current_texts("en"))
    assert client.post("/sign-up/", filled_in(form_token=token)).status_code == 302
    assert SignUp.objects.count() == 1


def test_a_page_left_open_for_a_month_still_works(client: Client, catalogue: Catalogue) -> None:
    with time_machine.travel(timezone.now() - timedelta(days=30)):
        token = guard.form_token(guard.Place.SIGN_UP_PAGE, current_texts("en"))
    assert client.post("/sign-up/", filled_in(form_token=token)).status_code == 302


def test_a_flood_from_one_network_is_slowed_and_kept_readable(
    client: Client, catalogue: Catalogue, settings: Any
) -> None:
    settings.SIGN_UPS_PER_NETWORK = 3
    answers = [
        client.post("/sign-up/", filled_in(f"r{n}@example.org"), REMOTE_ADDR="8.8.8.8")
        for n in range(5)
    ]
    assert [answer.status_code for answer in answers] == [302, 302, 302, 429, 429]
    assert 'value="r4@example.org"' in answers[-1].content.decode()
    assert Subscriber.objects.count() == 3
    elsewhere = client.post("/sign-up/", filled_in("else@example.org"), REMOTE_ADDR="9.9.9.9")
    assert elsewhere.status_code == 302


def test_too_often_for_one_address_is_answered_as_ever(
    client: Client, catalogue: Catalogue, settings: Any
) -> None:
    settings.SIGN_UPS_PER_ADDRESS = 2
    for _ in range(4):
        assert client.post("/sign-up/", filled_in())["Location"] == CHECK_INBOX
    assert SignUp.objects.count() == 2


def test_many_without_a_proof_are_asked_for_one_and_keep_what_they_typed(
    client: Client, catalogue: Catalogue, settings: Any
) -> None:
    settings.SIGN_UPS_UNPROVED_PER_HOUR = 0
    response = client.post("/sign-up/", filled_in())
    page = response.content.decode()
    assert response.status_code == 429
    assert "press the button once more" in page
    assert 'value="ada@example.org"' in page
    assert nothing_was_kept()
    asked = client.get("/sign-up/challenge/")
    assert asked["Cache-Control"] == "no-store"
    proof = solved(asked.json())
    assert client.post("/sign-up/", filled_in(proof_of_work=proof)).status_code == 302


def test_asking_for_a_challenge_takes_a_get_and_keeps_nothing(
    client: Client, django_assert_num_queries: Any, db: None
) -> None:
    with django_assert_num_queries(0):
        assert client.get("/sign-up/challenge/").status_code == 200
        assert client.head("/sign-up/challenge/").status_code == 200
    assert client.post("/sign-up/challenge/").status_code == 405
    assert not client.cookies


@pytest.mark.parametrize("proof", ["", "x", "e30=", "\U0001f600", "bnVsbA==", "A" * 100_000])
def test_a_strange_proof_refuses_nobody(client: Client, catalogue: Catalogue, proof: str) -> None:
    assert client.post("/sign-up/", filled_in(proof_of_work=proof)).status_code == 302


def test_a_domain_without_mail_is_said_beside_the_field(
    client: Client, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signup.guard.domains.takes_no_mail", lambda domain: True)
    response = client.post("/sign-up/", filled_in("ada@exampel.org"))
    assert response.status_code == 422
    assert "exampel.org takes no e-mail" in response.content.decode()
    assert nothing_was_kept()
