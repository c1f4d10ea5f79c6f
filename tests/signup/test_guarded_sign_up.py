"""Sign-up under attack: the answer tells nothing, machines are slowed, people are let in."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from signup import guard
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


def test_equal_work_is_done_for_every_address(browser_client: Client, states: list[str]) -> None:
    """Timing cannot be asserted on a busy machine; the number of statements can."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    counts = {}
    for name in states:
        values = filled_in(f"{name}@example.org")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            browser_client.post("/sign-up/", values)
        counts[name] = len(queries)
    known = {count for name, count in counts.items() if name != "new"}
    assert max(known) - min(known) <= 2, counts
    assert counts["new"] - min(known) <= 8, counts


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
    assert "Press the button once more" in page
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
    client: Client, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "PER_NETWORK", guard.Limit(3, timedelta(hours=1)))
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
    client: Client, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "PER_ADDRESS", guard.Limit(2, timedelta(days=1)))
    for _ in range(4):
        assert client.post("/sign-up/", filled_in())["Location"] == CHECK_INBOX
    assert SignUp.objects.count() == 2


def test_the_limits_fail_open_when_the_cache_is_down(
    client: Client, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    from redis.exceptions import ConnectionError as Down

    def down(*_args: object, **_kwargs: object) -> None:
        raise Down("nobody there")

    monkeypatch.setattr(cache, "add", down)
    assert client.post("/sign-up/", filled_in()).status_code == 302
    assert SignUp.objects.count() == 1
