"""The desk's pages about digests: what is due, what was run, what is followed and by how many."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from newsletter.catalogue.models import Condition
from newsletter.desk.digests import conditions
from newsletter.desk.digests.overview import due_soon
from newsletter.sending.digest_run import run_due
from newsletter.sending.models import DigestMark
from signup.models import SystemMail
from tests.desk.conftest import client_of
from tests.digests import factories
from tests.digests.factories import reader, released


@pytest.fixture(autouse=True)
def nothing_remembered():
    cache.clear()


@pytest.fixture
def back(db):
    return factories.ConditionFactory(name="Herniated disk")


@pytest.fixture
def digest(desk):
    return factories.DigestNewsletterFactory()


def page_of(user, name, *args):
    return " ".join(
        client_of(user).get(reverse(f"desk:{name}", args=args)).content.decode().split()
    )


def test_the_runs_stand_there_with_counts_that_add_up(desk, digest, back):
    released(back)
    reader(digest, back)
    run_due(timezone.now())
    page = page_of(desk.sender, "digests")
    assert "My conditions" in page
    assert '<td class="desk-num"><strong>1</strong></td>' in page


def test_readers_are_counted_by_the_hour_they_are_due(desk, digest, back):
    now = timezone.now()
    marks = [
        DigestMark(subscription=reader(digest, back), next_due_at=now + timedelta(hours=hours))
        for hours in [1] * 10 + [5] + [30]
    ]
    DigestMark.objects.bulk_create(marks)
    due = due_soon(now)
    assert due.total == 11
    assert [hour.readers for hour in due.hours if hour.readers] == [10, 1]
    page = page_of(desk.sender, "digests")
    assert "fewer than ten" in page
    assert '<td class="desk-num">1</td>' not in page


def test_an_author_sees_neither_readers_nor_runs(desk, digest):
    page = page_of(desk.author, "digests")
    assert "Safety alerts" in page
    assert "next 24 hours" not in page


@pytest.mark.parametrize(("followers", "shown"), [(9, "fewer than 10"), (10, ">10<")])
def test_followers_are_never_shown_under_ten(desk, digest, back, followers, shown):
    for _ in range(followers):
        reader(digest, back)
    page = page_of(desk.sender, "digest_conditions")
    assert shown in page
    assert ">9<" not in page


def test_a_condition_that_is_followed_and_has_nothing_new_is_silent(desk, digest, back, settings):
    settings.DIGEST_SILENT_DAYS = 30
    for _ in range(10):
        reader(digest, back)
    released(back, at=timezone.now() - timedelta(days=31))
    assert "1 condition is silent" in page_of(desk.sender, "digest_conditions")
    released(back)
    assert "is silent" not in page_of(desk.sender, "digest_conditions")


def test_a_small_condition_is_not_told_apart_from_one_that_nobody_follows(desk, digest, back):
    empty = factories.ConditionFactory(name="Asthma")
    for _ in range(9):
        reader(digest, back)
    page = page_of(desk.sender, "digest_conditions")
    # By name, and not by followers.
    assert page.index(empty.name) < page.index(back.name)
    assert "is silent" not in page


def test_overdue_reviews_are_counted(desk, digest, back):
    yesterday = timezone.localdate() - timedelta(days=1)
    factories.ArticleFactory(conditions=[back], review_due=yesterday)
    Condition.objects.filter(pk=back.pk).update(review_due=yesterday)
    page = page_of(desk.sender, "digest_conditions")
    assert "1 article</strong>, <strong>its page" in page


def test_retiring_tells_the_followers_once_and_closes_the_condition(desk, digest, back):
    other = factories.ConditionFactory(name="Sciatica")
    follower = reader(digest, back)
    reader(digest, other)
    url = reverse("desk:retire_condition", args=(back.pk,))
    assert client_of(desk.admin).get(url).status_code == 200
    assert not SystemMail.objects.exists()
    client_of(desk.admin).post(url, {"offers": other.pk})
    back.refresh_from_db()
    assert back.retired_at is not None
    assert SystemMail.objects.get().subscriber == follower.subscriber
    assert client_of(desk.admin).post(url, {"offers": ""}).status_code == 404
    assert SystemMail.objects.count() == 1


def test_a_sender_retires_nothing(desk, back):
    client_of(desk.sender).post(reverse("desk:retire_condition", args=(back.pk,)), {"offers": ""})
    back.refresh_from_db()
    assert back.retired_at is None


def test_hundreds_of_conditions_come_in_pages_and_lose_none(desk, monkeypatch):
    monkeypatch.setattr(conditions, "PER_PAGE", 3)
    names = [factories.ConditionFactory(name=f"Condition {n}").name for n in range(5)]
    first, second = (
        client_of(desk.sender).get(reverse("desk:digest_conditions"), {"p": number})
        for number in (1, 2)
    )
    shown = [row.condition.name for page in (first, second) for row in page.context["rows"]]
    assert set(names) <= set(shown) and len(shown) == len(set(shown))
    assert "?p=2" in first.content.decode() and "?p=1" in second.content.decode()
