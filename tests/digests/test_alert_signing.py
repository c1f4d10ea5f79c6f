"""A safety alert goes out under the signatures of two people who did not write it."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from newsletter.editions.models import Release
from newsletter.sending import alert as alerts
from newsletter.sending.errors import NotPossible
from newsletter.sending.models import Mailing, SafetyAlert
from tests.digests import factories
from tests.digests.alerts import approved_article, marked, sent, sign
from tests.digests.factories import UserFactory, reader

pytestmark = pytest.mark.django_db


@pytest.fixture
def back():
    return factories.ConditionFactory(name="Herniated disk")


@pytest.fixture
def followed(back):
    return reader(factories.DigestNewsletterFactory(), back)


def nothing_went():
    return not Mailing.objects.exists() and not Release.objects.exists()


def test_one_signature_sends_nothing(back, followed):
    alert = marked(approved_article(back))
    assert sign(alert) == []
    assert nothing_went()


def test_the_second_person_sends_it(back, followed):
    alert = marked(approved_article(back))
    sign(alert)
    [mailing] = sign(alert)
    assert Mailing.objects.get().pk == mailing
    assert Mailing.objects.get().kind == Mailing.Kind.ALERT
    assert Release.objects.get().article == alert.article


def test_the_same_person_twice_is_one_signature(back, followed):
    alert, one = marked(approved_article(back)), UserFactory()
    sign(alert, one)
    with pytest.raises(NotPossible, match="Somebody else"):
        sign(alert, one)
    assert nothing_went()


def test_whoever_wrote_the_article_does_not_sign(back, followed):
    author = UserFactory()
    alert = marked(approved_article(back, by=author))
    with pytest.raises(NotPossible, match="yourself"):
        sign(alert, author)
    sign(alert)
    with pytest.raises(NotPossible, match="yourself"):
        sign(alert, author)
    assert nothing_went()


def test_whoever_wrote_a_translation_does_not_sign(back, followed):
    article, translator = approved_article(back), UserFactory()
    approved_article(by=translator, language="es", translation_of=article)
    with pytest.raises(NotPossible, match="yourself"):
        sign(marked(article), translator)


def test_whoever_marked_it_does_not_sign(back, followed):
    one = UserFactory()
    alert = marked(approved_article(back), by=one)
    with pytest.raises(NotPossible, match="yourself"):
        sign(alert, one)


def test_a_text_that_changed_under_the_readers_eyes_is_not_signed(back, followed):
    alert = marked(approved_article(back))
    _forms, seen = alerts.contents_of(alert)
    SafetyAlert.objects.filter(pk=alert.pk).update(advice="Take twice as much.")
    with pytest.raises(NotPossible, match="changed"):
        alerts.sign(alert=alert, by=UserFactory(), seen=seen)


def test_a_change_after_the_first_signature_needs_two_anew(back, followed):
    alert, second = marked(approved_article(back)), UserFactory()
    sign(alert)
    SafetyAlert.objects.filter(pk=alert.pk).update(advice="Call your doctor.")
    alert.refresh_from_db()
    assert sign(alert, second) == []
    alert.refresh_from_db()
    assert alert.first_by == second
    assert nothing_went()


def test_an_article_that_is_not_approved_is_no_alert(back):
    article = factories.ArticleFactory(conditions=[back])
    with pytest.raises(NotPossible, match="approved"):
        marked(article)
    assert not SafetyAlert.objects.exists()


def test_an_article_that_was_unpublished_since_is_not_signed(back, followed):
    alert = marked(approved_article(back))
    sign(alert)
    alert.article.live = False
    alert.article.save()
    with pytest.raises(NotPossible, match="published"):
        sign(alert)
    assert nothing_went()


def test_an_article_is_an_alert_once(back, followed):
    article = approved_article(back)
    sent(article)
    with pytest.raises(NotPossible, match="correction"):
        marked(article)
    assert Mailing.objects.count() == 1


def test_two_marks_at_once_are_one(back):
    article = approved_article(back)
    marked(article)
    with pytest.raises(NotPossible, match="already"):
        marked(article)


def test_one_that_was_taken_off_is_signed_no_more(back, followed):
    alert = marked(approved_article(back))
    sign(alert)
    alerts.drop(alert=alert)
    with pytest.raises(NotPossible):
        sign(alert)
    assert nothing_went()
    marked(alert.article)


def test_the_database_too_refuses_one_person_for_two(back):
    alert, one = marked(approved_article(back)), UserFactory()
    with pytest.raises(IntegrityError), transaction.atomic():
        SafetyAlert.objects.filter(pk=alert.pk).update(
            first_by=one, second_by=one, sent_at=timezone.now()
        )
