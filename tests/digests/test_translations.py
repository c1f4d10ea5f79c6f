"""Translations share their original's release: each reader is shown one of them, once."""

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from newsletter.approval.models import Approval
from newsletter.approval.release import NotReleasable, release
from newsletter.editions.models import Article, Release
from newsletter.sending.models import Delivery
from newsletter.transports import memory
from signup.models import Subscriber
from tests.digests import factories
from tests.digests.factories import ArticleFactory, approved, reader, released, utc
from tests.digests.mailed import html_of, inbox, send_due, text_of

pytestmark = pytest.mark.django_db(transaction=True)

SUNDAY = utc(2026, 11, 22, 12)
MONDAY = utc(2026, 11, 23, 8)


@pytest.fixture(autouse=True)
def sunday():
    memory.outbox.clear()
    with time_machine.travel(SUNDAY, tick=False):
        yield


@pytest.fixture
def back():
    return factories.ConditionFactory(name="Herniated disk")


@pytest.fixture
def newsletter():
    return factories.DigestNewsletterFactory()


@pytest.fixture
def original(back):
    article = released(back)
    approved(article, html="<p>Lift with care</p>\n", text="Lift with care\n")
    return article


def translated(original, words, language="es", **changes):
    article = ArticleFactory(language=language, translation_of=original, **changes)
    approved(article, html=f"<p>{words}</p>\n", text=f"{words}\n")
    return article


def reads(newsletter, condition, language):
    subscription = reader(newsletter, condition)
    Subscriber.objects.filter(pk=subscription.subscriber_id).update(language=language)
    return subscription


def test_each_reader_is_shown_it_once_in_their_own_language(newsletter, back, original):
    translated(original, "Levante con cuidado")
    english, spanish = (reads(newsletter, back, language) for language in ("en", "es"))
    send_due(SUNDAY)
    for subscription, shown, other in (
        (english, "Lift with care", "Levante con cuidado"),
        (spanish, "Levante con cuidado", "Lift with care"),
    ):
        [mail] = inbox(subscription)
        for body in (text_of(mail), html_of(mail)):
            assert body.count(shown) == 1
            assert other not in body
    assert set(map(tuple, Delivery.objects.values_list("article_ids", flat=True))) == {
        (original.pk,)
    }
    assert Release.objects.count() == 1


def test_a_translation_that_comes_later_is_shown_to_nobody_twice(newsletter, back, original):
    spanish = reads(newsletter, back, "es")
    send_due(SUNDAY)
    assert "Lift with care" in text_of(inbox(spanish)[0])
    translated(original, "Levante con cuidado")
    send_due(MONDAY)
    assert len(inbox(spanish)) == 1


@pytest.mark.parametrize("why", ["no translation", "not live", "overdue", "not approved"])
def test_without_a_translation_that_stands_the_newsletters_language_is_shown(
    newsletter, back, original, why
):
    if why != "no translation":
        translation = translated(original, "Levante con cuidado")
        if why == "not live":
            Article.objects.filter(pk=translation.pk).update(live=False)
        elif why == "overdue":
            Article.objects.filter(pk=translation.pk).update(review_due="2026-11-21")
        else:
            Approval.objects.filter(article=translation).update(voided_at=timezone.now())
    spanish = reads(newsletter, back, "es")
    send_due(SUNDAY)
    [mail] = inbox(spanish)
    assert "Lift with care" in text_of(mail) and "Levante" not in text_of(mail)
    assert "Porque" in text_of(mail), "what stands around it is in the reader's language"


def test_where_the_newsletters_language_is_missing_too_the_original_is_shown(newsletter, back):
    german = ArticleFactory(conditions=[back], language="de")
    factories.release_row(german)
    approved(german, html="<p>Heben mit Bedacht</p>\n", text="Heben mit Bedacht\n")
    spanish = reads(newsletter, back, "es")
    send_due(SUNDAY)
    assert "Heben mit Bedacht" in text_of(inbox(spanish)[0])


@pytest.mark.parametrize("how", ["withdrawn", "unpublished", "approval voided"])
def test_what_recalls_the_original_recalls_its_translations(newsletter, back, original, how):
    translated(original, "Levante con cuidado")
    spanish = reads(newsletter, back, "es")
    if how == "withdrawn":
        Release.objects.update(withdrawn_at=timezone.now())
    elif how == "unpublished":
        Article.objects.filter(pk=original.pk).update(live=False)
    else:
        Approval.objects.filter(article=original).update(voided_at=timezone.now())
    send_due(SUNDAY)
    assert inbox(spanish) == []


def test_a_translation_is_not_released_by_itself(original):
    translation = translated(original, "Levante con cuidado")
    with pytest.raises(NotReleasable, match="translation"):
        release(article=translation, by=factories.UserFactory())
    assert Release.objects.count() == 1


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("of a translation", "original, and not another translation"),
        ("of itself", "original, and not another translation"),
        ("in the same language", "in this language too"),
        ("of one that was released", "so it is an original"),
    ],
)
def test_what_cannot_be_a_translation(original, back, case, words):
    article = ArticleFactory(language="es", conditions=[back])
    if case == "of a translation":
        article.translation_of = translated(original, "x", language="fr")
    elif case == "of itself":
        article.translation_of = article
    elif case == "in the same language":
        article.language, article.translation_of = "en", original
    else:
        factories.release_row(article)
        article.translation_of = original
    with pytest.raises(ValidationError, match=words):
        article.clean()


def test_there_is_one_translation_into_a_language(original):
    translated(original, "Levante con cuidado")
    with pytest.raises(IntegrityError), transaction.atomic():
        ArticleFactory(language="es", translation_of=original)
