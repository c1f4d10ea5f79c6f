"""A digest's copy: what was approved of each article, as far as it still stands at sending."""

from email import message_from_bytes, policy

import pytest
import time_machine

from newsletter.approval.models import Approval, Frozen
from newsletter.editions.models import Article, Release
from newsletter.sending.digest_copies import DigestMail
from newsletter.sending.digest_run import run_due
from newsletter.sending.errors import ContentDamaged
from newsletter.sending.models import Delivery, DigestMark, Mailing
from newsletter.sending.row import Row
from signup.models import Follow, Subscriber
from tests.digests import factories
from tests.digests.factories import approved, reader, released, utc

pytestmark = pytest.mark.django_db

SUNDAY = utc(2026, 11, 22, 12)


@pytest.fixture
def back():
    return factories.ConditionFactory(name="Herniated disk", weight=10)


@pytest.fixture
def migraine():
    return factories.ConditionFactory(name="Migraine")


@pytest.fixture
def newsletter():
    return factories.DigestNewsletterFactory()


@pytest.fixture(autouse=True)
def sunday():
    with time_machine.travel(SUNDAY, tick=False):
        yield


def article(*conditions, words):
    one = released(*conditions)
    approved(one, html=f"<p>{words}</p>", text=words)
    return one


def rows() -> list[Row]:
    return [
        Row(
            pk=delivery.pk,
            place=delivery.place,
            subscriber=delivery.subscriber_id,
            edition=delivery.edition_id,
            attempt=0,
            resent=False,
            email=delivery.subscriber.email,
            first_name=delivery.subscriber.first_name,
            language=delivery.subscriber.language,
            timezone=delivery.subscriber.timezone,
            text_only=delivery.subscriber.text_only,
            subscription=delivery.subscriber.subscriptions.get().pk,
            article_ids=delivery.article_ids,
        )
        for delivery in Delivery.objects.select_related("subscriber")
    ]


def copy_of(row: Row) -> tuple[bytes, str, str]:
    chunk = DigestMail(Mailing.objects.get()).chunk([row])
    assert not chunk.is_empty(row)
    raw = chunk.copy(row)
    message = message_from_bytes(raw, policy=policy.default)
    text = message.get_body(("plain",)).get_content()
    html = message.get_body(("html",))
    return raw, text, html.get_content() if html else ""


def test_a_copy_gathers_articles_under_the_conditions_followed(newsletter, back, migraine):
    article(back, words="Lift with care")
    article(migraine, words="Keep a diary")
    reader(newsletter, back, migraine)
    run_due(SUNDAY)
    _raw, text, html = copy_of(rows()[0])
    for body in (text, html):
        order = [
            body.lower().index(words)
            for words in ("herniated disk", "lift with care", "migraine", "keep a diary")
        ]
        assert order == sorted(order)
    assert "Monday, 23 November" in text


def test_headers_and_subject_name_no_condition(newsletter, back):
    article(back, words="Lift with care")
    reader(newsletter, back)
    run_due(SUNDAY)
    raw, _text, _html = copy_of(rows()[0])
    head = raw.partition(b"\r\n\r\n")[0].lower()
    assert b"disk" not in head
    assert b"lift" not in head


def test_the_same_delivery_gives_the_same_bytes_after_the_next_run(newsletter, back):
    article(back, words="Lift with care")
    reader(newsletter, back, cadence="daily")
    run_due(SUNDAY)
    [row] = rows()
    first, _text, _html = copy_of(row)
    with time_machine.travel(utc(2026, 11, 25, 8), tick=False):
        run_due(utc(2026, 11, 25, 8))
        assert copy_of(row)[0] == first


def test_text_only_readers_get_no_html(newsletter, back):
    article(back, words="Lift with care")
    reader(newsletter, back)
    Subscriber.objects.update(text_only=True)
    run_due(SUNDAY)
    _raw, text, html = copy_of(rows()[0])
    assert "Lift with care" in text
    assert html == ""


@pytest.mark.parametrize("how", ["withdrawn", "unpublished", "approval voided"])
def test_an_article_recalled_after_planning_is_left_out(newsletter, back, how):
    gone, stays = article(back, words="Recalled"), article(back, words="Still true")
    reader(newsletter, back)
    run_due(SUNDAY)
    assert set(Delivery.objects.get().article_ids) == {gone.pk, stays.pk}
    recall(gone, how)
    _raw, text, html = copy_of(rows()[0])
    assert "Still true" in text and "Still true" in html
    assert "Recalled" not in text + html


@pytest.mark.parametrize("how", ["withdrawn", "unpublished", "approval voided"])
def test_a_copy_of_which_nothing_is_left_says_so(newsletter, back, how):
    gone = article(back, words="Recalled")
    reader(newsletter, back)
    run_due(SUNDAY)
    recall(gone, how)
    [row] = rows()
    assert DigestMail(Mailing.objects.get()).chunk([row]).is_empty(row)


def recall(article, how):
    if how == "withdrawn":
        Release.objects.filter(article=article).update(withdrawn_at=SUNDAY)
    elif how == "unpublished":
        Article.objects.filter(pk=article.pk).update(live=False)
    else:
        Approval.objects.filter(article=article).update(voided_at=SUNDAY)


def test_a_fragment_that_was_tampered_with_is_never_sent(newsletter, back):
    article(back, words="Lift with care")
    reader(newsletter, back)
    run_due(SUNDAY)
    Frozen.objects.filter(form=Frozen.Form.TEXT_FRAGMENT).update(content=b"Buy my pills")
    with pytest.raises(ContentDamaged):
        DigestMail(Mailing.objects.get()).chunk(rows())


def test_an_article_of_a_condition_stopped_meanwhile_is_left_out(newsletter, back, migraine):
    article(back, words="Lift with care")
    article(migraine, words="Keep a diary")
    reader(newsletter, back, migraine)
    run_due(SUNDAY)
    Follow.objects.filter(condition=back).delete()
    _raw, text, html = copy_of(rows()[0])
    assert "Keep a diary" in text
    for body in (text, html):
        assert "herniated disk" not in body.lower() and "Lift with care" not in body


def test_a_chunk_takes_the_same_few_queries_whatever_its_size(
    newsletter, back, migraine, django_assert_max_num_queries
):
    for number in range(5):
        article(back, words=f"Piece {number}")
    for _ in range(40):
        reader(newsletter, back, migraine)
    run_due(SUNDAY)
    found = rows()
    assert len(found) == 40
    mail = DigestMail(Mailing.objects.get())
    mail.chunk(found)
    with django_assert_max_num_queries(9):
        chunk = mail.chunk(found)
        assert all(chunk.copy(row) for row in found)


def test_a_copy_made_again_after_a_rotation_of_keys_is_the_same_bytes(newsletter, back, settings):
    article(back, words="Lift with care")
    reader(newsletter, back)
    run_due(SUNDAY)
    [row] = rows()
    first = DigestMail(Mailing.objects.get()).chunk([row]).copy(row)
    settings.TOKEN_KEYS = [(9, b"n" * 32), *settings.TOKEN_KEYS]
    assert DigestMail(Mailing.objects.get()).chunk([row]).copy(row) == first


def test_marks_remember_the_run_of_the_first_digest(newsletter, back):
    article(back, words="Lift with care")
    reader(newsletter, back)
    run_due(SUNDAY)
    assert DigestMark.objects.get().first_sent_at == Mailing.objects.get().dated
