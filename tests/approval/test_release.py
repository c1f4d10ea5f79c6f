"""Entering the digests, and being recalled from them."""

import threading
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from newsletter.approval import release as releasing
from newsletter.approval import sign_off
from newsletter.approval.release import (
    NotReleasable,
    NotReleased,
    announce_again,
    release,
    withdraw,
)
from newsletter.catalogue.models import ReleaseCounter
from newsletter.editions.models import Release
from tests.digests.factories import ArticleFactory, ConditionFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def sender():
    return UserFactory()


@pytest.fixture
def article():
    """Live, and signed off by the very verb that staff use."""
    return signed_off()


def signed_off():
    article = ArticleFactory(
        conditions=[ConditionFactory()],
        reviewer_name="R. Reviewer",
        reviewer_credentials="MD",
        reviewed_on=timezone.localdate(),
        review_due=timezone.localdate() + timedelta(days=365),
        sources="A journal, 2025",
    )
    sign_it_off(article)
    return article


def sign_it_off(article):
    author, reviewer = UserFactory(), UserFactory()
    revision = article.save_revision(user=author)
    sign_off.approve_article(article=article, revision=revision, by=reviewer)
    return revision


def test_numbers_follow_each_other(article, sender):
    assert [release(article=one, by=sender).seq for one in (article, signed_off())] == [1, 2]
    assert ReleaseCounter.current() == 2
    assert Release.objects.first().released_by == sender


@pytest.mark.parametrize("lack", ["live", "approval", "condition"])
def test_what_is_not_ready_is_refused_and_takes_no_number(article, sender, lack):
    if lack == "live":
        article.live = False
        article.save()
    elif lack == "approval":
        sign_off.void(approval=article.approvals.get(), reason="A mistake was found.")
    else:
        article.conditions.clear()
        article.save()
    with pytest.raises(NotReleasable) as refusal:
        release(article=article, by=sender)
    assert str(refusal.value)
    assert not Release.objects.exists()
    assert ReleaseCounter.current() == 0


def test_an_article_changed_since_its_approval_is_refused(article, sender):
    article.summary = "Take twice the dose."
    article.save_revision().publish()
    with pytest.raises(NotReleasable):
        release(article=article, by=sender)
    assert not Release.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_who_release_at_once_get_two_numbers_in_the_order_of_their_commits():
    articles, sender = [signed_off() for _ in range(4)], UserFactory()
    begin, faults = threading.Barrier(4), []

    def go(article):
        try:
            begin.wait()
            release(article=article, by=sender)
        except BaseException as fault:
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=go, args=(article,)) for article in articles]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert list(Release.objects.values_list("seq", flat=True)) == [1, 2, 3, 4]
    assert ReleaseCounter.current() == 4


def test_a_second_press_of_the_button_is_refused(article, sender):
    release(article=article, by=sender)
    with pytest.raises(NotReleasable):
        release(article=article, by=sender)
    assert Release.objects.count() == 1
    assert ReleaseCounter.current() == 1


def test_announcing_again_is_a_second_release(article, sender):
    release(article=article, by=sender)
    assert announce_again(article=article, by=sender).seq == 2
    assert article.releases.count() == 2


def test_only_what_was_released_can_be_announced_again(article, sender):
    with pytest.raises(NotReleasable):
        announce_again(article=article, by=sender)
    assert not Release.objects.exists()


def test_withdrawing_says_who_and_why_and_lets_it_be_released_anew(article, sender):
    release(article=article, by=sender)
    announce_again(article=article, by=sender)
    assert withdraw(article=article, by=sender, reason="The dose is wrong.") == 2
    row = Release.objects.first()
    assert (row.withdrawn_by, row.withdrawal_reason) == (sender, "The dose is wrong.")
    assert release(article=article, by=sender).seq == 3


def test_withdrawing_what_is_in_no_digest_is_refused(article, sender):
    with pytest.raises(NotReleased):
        withdraw(article=article, by=sender, reason="")


def test_a_release_that_fails_gives_its_number_back(article, sender, monkeypatch):
    monkeypatch.setattr(
        releasing.Release,
        "objects",
        SimpleNamespace(create=lambda **_: (_ for _ in ()).throw(IntegrityError)),
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        release(article=article, by=sender)
    assert ReleaseCounter.current() == 0
