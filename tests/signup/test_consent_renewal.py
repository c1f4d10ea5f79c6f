"""Asking anew: one mail, one button; who stays silent is mailed no more."""

import email
import email.policy
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from newsletter.audience.recipients import recipients
from newsletter.transports import memory
from signup import consent, letter, mail, tasks, tokens
from signup.confirm import confirm
from signup.consent import renewal
from signup.models import (
    ConsentEntry,
    Renewal,
    RenewalQuestion,
    SignUp,
    Subscriber,
    Subscription,
    SystemMail,
)
from tests.signup.conftest import Catalogue

Asking = Callable[..., SystemMail | None]
KIND = SystemMail.Kind.RENEWAL


@pytest.fixture
def begun(catalogue: Catalogue, reader: Subscriber) -> Renewal:
    """A campaign of two weeks, one minute after Ada confirmed."""
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        return renewal.begin(
            newsletter=catalogue.living_well,
            answer_by=timezone.now() + timedelta(days=14),
            reason="Three years without a mail.",
            by="privacy",
        )


def at(begun: Renewal, days: float) -> Any:
    return time_machine.travel(begun.begun_at + timedelta(days=days))


def asked(begun: Renewal) -> RenewalQuestion:
    """Ask, and let the mail be accepted."""
    with at(begun, 0.01):
        tasks.ask_anew()
        question = RenewalQuestion.objects.get()
        mail.send_system_mail(question.mail_id or 0)
        tasks.ask_anew()
    question.refresh_from_db()
    return question


def link_of(question: RenewalQuestion) -> str:
    assert question.mail is not None
    return urlsplit(letter.link(question.mail)).path


def living_well() -> Subscription:
    return Subscription.objects.get(
        newsletter__slug="living-well", subscriber__email_key="ada@example.org"
    )


def test_everybody_who_was_live_gets_one_mail_and_no_more(begun: Renewal, ask: Asking) -> None:
    with at(begun, 0.01):
        tasks.ask_anew()
        ask("bob@example.org")  # later than the campaign
        confirm(sign_up=SignUp.objects.get(subscriber__email_key="bob@example.org"))
        tasks.ask_anew()
        tasks.ask_anew()
    question = RenewalQuestion.objects.get()
    assert question.subscription == living_well()
    assert SystemMail.objects.filter(kind=KIND).count() == 1
    assert question.text == consent.current_texts("en")["mail"]  # type: ignore[index]


def test_the_mail_says_until_when_and_how_to_leave(begun: Renewal) -> None:
    asked(begun)
    content = memory.outbox[-1].content.decode()
    assert "Subject: Do you still want to hear from us?" in content
    assert "List-Unsubscribe: <http" in content
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in content
    assert "/keep/" in content and "/unsubscribe/" in content
    assert str(begun.answer_by.day) in content


def test_a_spanish_mail_writes_the_day_as_spanish_does(begun: Renewal) -> None:
    Subscriber.objects.update(language="es")
    asked(begun)
    message = email.message_from_bytes(memory.outbox[-1].content, policy=email.policy.default)
    part = message.get_body(("plain",))
    assert part is not None
    assert re.search(r"antes del \d+ de [a-z]+ de \d{4}", part.get_content())


def test_get_and_head_change_nothing(begun: Renewal, browser_client: Client) -> None:
    question = asked(begun)
    before = ConsentEntry.objects.count()
    with at(begun, 2):
        page = browser_client.get(link_of(question))
        assert page.status_code == browser_client.head(link_of(question)).status_code == 200
    assert question.text.wording in page.content.decode()
    assert page["Cache-Control"] == "no-store, private"
    question.refresh_from_db()
    assert question.answered_at is None
    assert ConsentEntry.objects.count() == before


def test_a_yes_is_written_down_with_its_words_and_keeps_the_reader(
    begun: Renewal, browser_client: Client
) -> None:
    question = asked(begun)
    with at(begun, 2):
        for _ in range(2):
            answer = browser_client.post(link_of(question), {"keep": "1"})
            assert (answer.status_code, answer["Location"]) == (302, "/kept/")
    entry = ConsentEntry.objects.get(method="renewal")
    assert (entry.action, entry.purpose, entry.text) == ("confirmed", "mail", question.text)
    assert living_well().consent == entry
    with at(begun, 15):
        tasks.ask_anew()
        assert living_well().state == "live"
        begun.refresh_from_db()
        assert begun.state == "closed"
        assert consent.verify() == []


def test_who_stays_silent_is_mailed_no_more(begun: Renewal, catalogue: Catalogue) -> None:
    asked(begun)
    with at(begun, 13.9):
        tasks.ask_anew()
        assert living_well().state == "live"
    with at(begun, 14.1):
        tasks.ask_anew()
        subscription = living_well()
        assert (subscription.state, subscription.ended_reason) == ("ended", "expired")
        assert ConsentEntry.objects.get(action="expired").newsletter == catalogue.living_well
        assert not recipients(catalogue.living_well).exists()
        assert recipients(catalogue.digest).exists(), "another newsletter goes on"
        assert renewal.counts(begun) == renewal.Counts(asked=1, reached=1, answered=0, expired=1)
        assert consent.verify() == []


def test_a_link_pressed_too_late_revives_nothing(begun: Renewal, browser_client: Client) -> None:
    question = asked(begun)
    link = link_of(question)
    with at(begun, 14.1):
        tasks.ask_anew()
        before = ConsentEntry.objects.count()
        assert browser_client.post(link, {"keep": "1"}).status_code == 410
    assert living_well().state == "ended"
    assert ConsentEntry.objects.count() == before


def test_whom_the_mail_did_not_reach_is_not_let_go(begun: Renewal) -> None:
    with at(begun, 0.01):
        tasks.ask_anew()  # and the relay is away for two weeks
    with at(begun, 14.1):
        tasks.ask_anew()
    assert living_well().state == "live"
    begun.refresh_from_db()
    assert begun.state == "closed"


def test_a_no_ends_it_and_can_be_undone(begun: Renewal, browser_client: Client) -> None:
    question = asked(begun)
    with at(begun, 1):
        answer = browser_client.post(link_of(question), {"stop": "1"})
    assert answer["Location"].startswith("/goodbye/")
    assert living_well().ended_reason == "unsubscribed"


def test_the_mail_is_not_sent_to_who_left_meanwhile(begun: Renewal) -> None:
    from signup import unsubscribe

    with at(begun, 0.01):
        tasks.ask_anew()
        unsubscribe.end(
            subscription=living_well(),
            reason=Subscription.EndedReason.UNSUBSCRIBED,
            method=ConsentEntry.Method.LINK,
        )
        row = SystemMail.objects.get(kind=KIND)
        mail.send_system_mail(row.pk)
    row.refresh_from_db()
    assert row.state == "expired"
    assert memory.outbox == []


def test_a_cancelled_campaign_lets_nobody_go(begun: Renewal) -> None:
    asked(begun)
    assert renewal.cancel(renewal=begun)
    assert not renewal.cancel(renewal=begun)
    with at(begun, 15):
        tasks.ask_anew()
    assert living_well().state == "live"


@pytest.mark.parametrize("days", [1, 6.9, 91])
def test_readers_get_time_to_answer(catalogue: Catalogue, days: float) -> None:
    with pytest.raises(renewal.CannotRenew, match="days"):
        renewal.begin(
            newsletter=catalogue.living_well,
            answer_by=timezone.now() + timedelta(days=days),
            reason="x",
            by="privacy",
        )
    assert not Renewal.objects.exists()


def test_a_campaign_needs_a_reason_and_is_alone(begun: Renewal, catalogue: Catalogue) -> None:
    for reason, why in ((" ", "Say why"), ("again", "already")):
        with pytest.raises(renewal.CannotRenew, match=why):
            renewal.begin(
                newsletter=catalogue.living_well,
                answer_by=timezone.now() + timedelta(days=30),
                reason=reason,
                by="privacy",
            )
    assert Renewal.objects.count() == 1


def test_few_are_asked_at_a_time_so_that_confirmations_do_not_wait(
    begun: Renewal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renewal, "WAITING_AT_MOST", 1)
    with at(begun, 0.01):
        for _ in range(3):
            tasks.ask_anew()
    assert SystemMail.objects.filter(kind=KIND).count() == 1


def test_a_token_for_another_purpose_keeps_nothing(begun: Renewal, browser_client: Client) -> None:
    question = asked(begun)
    strange = tokens.make(tokens.Purpose.WITHDRAW, question.pk)
    assert browser_client.post(f"/keep/{strange}/", {"keep": "1"}).status_code == 404
    question.refresh_from_db()
    assert question.answered_at is None
