"""Sections of a digest: why they are there, and how each of them is stopped from the mail."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from newsletter.sending.digest_run import run_due
from newsletter.sending.models import Delivery, DigestMark
from newsletter.transports import memory
from signup.models import Follow
from tests.digests import factories
from tests.digests.factories import approved, reader, released, utc
from tests.digests.mailed import html_of, inbox, send_all, send_due, stop_links, text_of

pytestmark = pytest.mark.django_db(transaction=True)

SUNDAY = utc(2026, 11, 22, 12)
MONDAY = utc(2026, 11, 23, 8)
WEEK = timedelta(days=7)


@pytest.fixture(autouse=True)
def sunday():
    memory.outbox.clear()
    with time_machine.travel(SUNDAY, tick=False):
        yield


@pytest.fixture
def back():
    return factories.ConditionFactory(name="Herniated disk", slug="herniated-disk", weight=10)


@pytest.fixture
def migraine():
    return factories.ConditionFactory(name="Migraine", slug="migraine")


@pytest.fixture
def subscription(back, migraine):
    return reader(factories.DigestNewsletterFactory(), back, migraine)


def news(condition, words):
    article = released(condition)
    approved(article, html=f"<p>{words}</p>\n", text=f"{words}\n")
    return article


def test_one_post_from_the_mail_and_the_next_digest_comes_without_that_section(
    subscription, back, migraine
):
    news(back, "Lift with care")
    news(migraine, "Keep a diary")
    send_due(SUNDAY)
    [first] = inbox(subscription)
    links = stop_links(first)
    assert list(links) == ["Herniated disk", "Migraine"]
    assert all(url in html_of(first) for url in links.values())

    assert Client().post(links["Herniated disk"]).status_code == 302
    news(back, "Carry close")
    news(migraine, "Dim the light")
    send_due(MONDAY)
    [_first, second] = inbox(subscription)
    assert list(stop_links(second)) == ["Migraine"]
    assert "Dim the light" in text_of(second)
    assert "Carry close" not in text_of(second) + html_of(second)
    assert "herniated" not in second.as_string().lower()


def test_a_copy_that_was_planned_before_the_press_comes_without_the_section_too(
    subscription, back, migraine
):
    news(back, "Lift with care")
    news(migraine, "Keep a diary")
    run_due(SUNDAY)
    Follow.objects.filter(condition=back).delete()
    send_all()
    [only] = inbox(subscription)
    assert "Keep a diary" in text_of(only) and "Lift with care" not in text_of(only)


def test_a_copy_of_which_the_press_leaves_nothing_is_not_sent(subscription, back):
    news(back, "Lift with care")
    run_due(SUNDAY)
    Follow.objects.filter(condition=back).delete()
    send_all()
    assert inbox(subscription) == []
    assert Delivery.objects.get().skip_reason == "nothing_left"
    assert DigestMark.objects.get().first_sent_at is None, "given back"


def test_a_condition_paused_after_the_plan_is_left_out_of_the_copy(subscription, back, migraine):
    news(back, "Lift with care")
    news(migraine, "Keep a diary")
    run_due(SUNDAY)
    Follow.objects.filter(condition=back).update(paused_at=SUNDAY)
    send_all()
    assert "Lift with care" not in text_of(inbox(subscription)[0])


def test_a_link_that_stops_holds_no_word_of_the_condition(subscription, back):
    news(back, "Lift with care")
    send_due(SUNDAY)
    [url] = stop_links(inbox(subscription)[0]).values()
    for word in ("disk", "herniated", f"/{back.pk}", f"={back.pk}"):
        assert word not in url


def test_each_section_says_why_it_is_there_and_where_there_is_more(subscription, back):
    news(back, "Lift with care")
    send_due(SUNDAY)
    text = text_of(inbox(subscription)[0])
    assert text.index("Because you follow") < text.index("HERNIATED DISK")
    assert "/conditions/herniated-disk/" in text
    assert text.count("/preferences/") >= 2, "to pause or change, by a link mailed afresh"
    assert text.count("When to get help straight away") == 1


@pytest.mark.parametrize("when", ["before the plan", "after it"])
def test_a_retired_condition_keeps_its_section_and_one_planned_later_links_to_no_page(
    subscription, back, when
):
    news(back, "Lift with care")
    if when == "after it":
        run_due(SUNDAY)
    back.retired_at = timezone.now()
    back.save()
    run_due(SUNDAY)
    send_all()
    [only] = inbox(subscription)
    assert "Lift with care" in text_of(only)
    assert list(stop_links(only)) == ["Herniated disk"]
    assert ("/conditions/herniated-disk/" in text_of(only)) == (when == "after it")


def test_an_article_on_two_conditions_stands_once_under_the_heavier(subscription, back, migraine):
    article = released(migraine, back)
    approved(article, html="<p>Both</p>\n", text="Both\n")
    send_due(SUNDAY)
    [only] = inbox(subscription)
    assert text_of(only).count("Both") == 1
    assert list(stop_links(only)) == ["Herniated disk"]


def test_who_gets_them_as_things_happen_is_promised_no_day(back):
    subscription = reader(factories.DigestNewsletterFactory(), back, cadence="immediate")
    news(back, "Lift with care")
    send_due(SUNDAY)
    [only] = inbox(subscription)
    assert "Your next mail comes when there is something new." in text_of(only)
    assert only["Subject"] == "New in your health reading"
