"""A digest as a made-up reader gets it, and the next run in numbers. Nothing is written."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from newsletter.audience.reasons import Reason
from newsletter.desk.models import ReaderProfile
from newsletter.sending import digest_slice
from newsletter.sending.digest_marks import keep_up
from newsletter.sending.digest_preview import MadeUp, articles_for, look_ahead
from newsletter.sending.digest_run import run_due
from newsletter.sending.models import Delivery, Mailing
from tests.desk.conftest import client_of
from tests.digests import factories
from tests.digests.factories import approved, reader, released

PROFILE = {
    "name": "Two conditions",
    "cadence": "weekly",
    "weekday": "0",
    "hour": "8",
    "timezone": "Europe/Berlin",
    "language": "en",
}


@pytest.fixture
def back(db):
    return factories.ConditionFactory(name="Herniated disk")


@pytest.fixture
def digest(desk):
    return factories.DigestNewsletterFactory()


def ago(days):
    return timezone.now() - timedelta(days=days)


def test_a_profile_gets_what_came_since_the_digest_before(back):
    released(back, at=ago(10))
    new = released(back, at=ago(2))
    of_another = factories.ConditionFactory()
    released(of_another, at=ago(1))
    made_up = MadeUp(frozenset([back.pk]))
    assert articles_for(made_up, timezone.now()) == [new.pk]


def test_a_new_profile_gets_the_best_of_each_condition(back):
    old = released(back, at=ago(300))
    assert articles_for(MadeUp(frozenset([back.pk]), is_new=True), timezone.now()) == [old.pk]


def test_as_of_a_day_it_holds_nothing_that_came_later(back):
    old = released(back, at=ago(10))
    released(back, at=ago(2))
    assert articles_for(MadeUp(frozenset([back.pk])), ago(8)) == [old.pk]


def test_staff_make_a_profile_and_read_its_digest(desk, digest, back):
    approved(released(back), html="<p>Lift with care</p>")
    url = reverse("desk:profiles")
    client = client_of(desk.reviewer)
    client.post(url, {**PROFILE, "conditions": [back.pk]})
    profile = ReaderProfile.objects.get()
    page = client.get(reverse("desk:profile", args=(profile.pk,))).content.decode()
    mail = reverse("desk:profile_mail", args=(profile.pk, digest.pk))
    assert f'<iframe sandbox src="{mail}' in page
    assert "Lift with care" in client.get(mail).content.decode()
    assert not Mailing.objects.exists()
    assert not Delivery.objects.exists()


def test_a_profile_without_a_condition_is_not_saved(desk, back):
    answer = client_of(desk.reviewer).post(reverse("desk:profiles"), PROFILE)
    assert answer.status_code == 422
    assert not ReaderProfile.objects.exists()


def test_the_next_run_says_who_gets_what_and_why_not_and_adds_up(desk, digest, back):
    released(back)
    other = factories.ConditionFactory()
    now = timezone.now()
    reader(digest, back)
    reader(digest, other)
    reader(digest, back, health=False)
    paused = reader(digest, back)
    paused.paused_until = now + timedelta(days=9)
    paused.save()
    keep_up(digest, now)
    run = look_ahead(digest, timezone.now())
    assert run is not None
    assert (run.due, run.looked_at) == (4, 4)
    assert (run.mails, run.nothing_new) == (1, 1)
    assert run.excluded == {Reason.NO_CONSENT: 1, Reason.PAUSED: 1}
    assert run.mails + run.nothing_new + sum(run.excluded.values()) == run.looked_at
    assert run.sizes == {1: 1}
    assert run.sample is None
    assert not Delivery.objects.exists()


def test_the_next_run_and_the_real_one_agree(desk, digest, back):
    for _ in range(11):
        reader(digest, back)
    article = released(back)
    approved(article, html="<p>Lift with care</p>")
    now = timezone.now() + timedelta(seconds=2)
    keep_up(digest, timezone.now())
    look = look_ahead(digest, now)
    assert look is not None
    assert look.sample == (article.pk,)
    page = client_of(desk.sender).get(reverse("desk:dry_run")).content.decode()
    assert "The commonest of these mails" in page
    sample = client_of(desk.sender).get(reverse("desk:dry_run_sample", args=(digest.pk,)))
    assert "Lift with care" in sample.content.decode()
    [run] = run_due(now)
    assert (run.due, run.planned) == (look.due, look.mails)


def test_a_large_run_says_that_only_its_first_readers_were_looked_at(
    desk, digest, back, monkeypatch
):
    monkeypatch.setattr(digest_slice, "SLICE", 6)
    for _ in range(13):
        reader(digest, back)
    released(back)
    keep_up(digest, timezone.now())
    page = " ".join(client_of(desk.sender).get(reverse("desk:dry_run")).content.decode().split())
    assert "Readers due: 13." in page
    assert "Looked at: the first 12, and the numbers below are theirs alone." in page
    assert "manage.py run_digests --dry-run" in page


@pytest.mark.parametrize("name", ["dry_run", "canaries"])
def test_an_author_sees_no_numbers_of_readers(desk, digest, name):
    answer = client_of(desk.author).get(
        reverse(f"desk:{name}"), headers={"x-requested-with": "XMLHttpRequest"}
    )
    assert answer.status_code == 403
