"""Safety alerts at the desk: who may mark, sign, recall, and see whom they did not reach."""

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from newsletter.desk.models import AccessEntry
from newsletter.editions.models import Release
from newsletter.sending import alert as alerts
from newsletter.sending.models import Delivery, Mailing, SafetyAlert
from tests.desk import world
from tests.desk.conftest import client_of
from tests.digests import factories
from tests.digests.alerts import approved_article, marked, sent

MARK = {"kind": "recall", "advice": "Stop taking it.", "corrects": ""}


@pytest.fixture
def back(db):
    return factories.ConditionFactory(name="Herniated disk")


@pytest.fixture
def article(desk, back):
    return approved_article(back, by=desk.author, title="Recall of Dolostop")


@pytest.fixture
def readers(desk, back):
    digest = factories.DigestNewsletterFactory()
    return [factories.reader(digest, back) for _ in range(3)]


def said(answer):
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


def sign(user, alert):
    url = reverse("desk:sign_alert", args=(alert.pk,))
    return client_of(user).post(url, {"seen": alerts.contents_of(alert)[1]})


def test_an_author_marks_and_two_reviewers_send(desk, article, readers, monkeypatch):
    asked = []
    monkeypatch.setattr("newsletter.tasks.plan_alert.delay_on_commit", asked.append)
    client_of(desk.author).post(reverse("desk:mark_alert", args=(article.pk,)), MARK)
    alert = SafetyAlert.objects.get()
    page = client_of(desk.reviewer).get(reverse("desk:alert", args=(alert.pk,))).content.decode()
    assert "Recall of Dolostop" in page
    assert alerts.contents_of(alert)[1] in page
    assert "one more person" in said(sign(desk.reviewer, alert))
    assert not Mailing.objects.exists()
    assert "Signed and sent" in said(sign(world.staff("second", "Medical reviewers"), alert))
    assert asked == [alert.pk]
    assert Mailing.objects.get().alert == alert


def test_a_double_click_is_one_signature(desk, article, readers):
    alert = marked(article, by=desk.author)
    for _ in range(2):
        sign(desk.reviewer, alert)
    assert not Mailing.objects.exists()
    assert not Release.objects.exists()


@pytest.mark.parametrize("who", ["author", "sender", "admin", "protection"])
def test_only_a_reviewer_signs(desk, article, readers, who):
    alert = marked(article, by=factories.UserFactory())
    sign(getattr(desk, who), alert)
    alert.refresh_from_db()
    assert alert.first_by is None


@pytest.mark.parametrize("who", ["sender", "protection"])
def test_who_may_not_mark_marks_nothing(desk, article, who):
    client_of(getattr(desk, who)).post(reverse("desk:mark_alert", args=(article.pk,)), MARK)
    assert not SafetyAlert.objects.exists()


def test_a_mark_without_advice_is_asked_for_it(desk, article):
    url = reverse("desk:mark_alert", args=(article.pk,))
    answer = client_of(desk.author).post(url, {**MARK, "advice": " "})
    assert answer.status_code == 422
    assert "Say what readers should do now" in answer.content.decode()
    assert not SafetyAlert.objects.exists()


def test_the_preview_is_the_mail_in_a_frame_in_which_nothing_runs(desk, article, readers):
    alert = marked(article, by=desk.author)
    newsletter = readers[0].newsletter
    url = reverse("desk:alert_preview", args=(alert.pk, newsletter.pk, "en"))
    answer = client_of(desk.reviewer).get(url)
    assert "Stop taking it and call your pharmacist." in answer.content.decode()
    page = client_of(desk.reviewer).get(reverse("desk:alert", args=(alert.pk,)))
    assert f'<iframe sandbox src="{url}"' in page.content.decode()


def test_the_report_adds_up(desk, article, readers):
    alert = sent(article)
    first, second, _third = Delivery.objects.order_by("pk")
    mailing = Mailing.objects.get()
    Delivery.objects.filter(pk=first.pk).update(state="accepted")
    Delivery.objects.filter(pk=second.pk).update(state="refused")
    mailing.batches.update(accepted=1, refused=1)
    url = reverse("desk:alert", args=(alert.pk,))
    page = " ".join(client_of(desk.sender).get(url).content.decode().split())
    assert "2 readers are still without it." in page
    assert "do not add up" not in page
    mailing.batches.update(accepted=2, refused=1)
    assert "do not add up" in client_of(desk.sender).get(url).content.decode()


def test_who_is_without_it_is_shown_for_a_reason_that_is_kept(desk, article, readers):
    alert = sent(article)
    Delivery.objects.filter(subscriber=readers[0].subscriber).update(state="accepted")
    url = reverse("desk:unreached", args=(alert.pk,))
    shown = client_of(desk.protection).post(url, {"reason": "To telephone them"}).content.decode()
    assert readers[1].subscriber.email in shown
    assert readers[0].subscriber.email not in shown
    entry = AccessEntry.objects.get()
    assert (entry.action, entry.reason) == ("listed", "To telephone them")
    assert str(alert.pk) in entry.detail


@pytest.mark.parametrize(
    ("who", "reason"), [("admin", "To telephone them"), ("reviewer", "x y z"), ("protection", "")]
)
def test_without_permission_or_reason_nobody_is_shown(desk, article, readers, who, reason):
    alert = sent(article)
    url = reverse("desk:unreached", args=(alert.pk,))
    answer = client_of(getattr(desk, who)).post(url, {"reason": reason})
    assert not any(each.subscriber.email in answer.content.decode() for each in readers)
    assert not AccessEntry.objects.exists()


def test_a_recall_asks_why(desk, article, readers):
    alert = sent(article)
    url = reverse("desk:recall_alert", args=(alert.pk,))
    assert "Say why" in said(client_of(desk.reviewer).post(url, {"reason": " "}))
    assert Mailing.objects.get().state == Mailing.State.SENDING
    client_of(desk.reviewer).post(url, {"reason": "Wrong batch number"})
    assert Mailing.objects.get().state == Mailing.State.CANCELLED


def test_looking_changes_nothing(desk, article, readers):
    alert = marked(article, by=desk.author)
    for name in ("sign_alert", "drop_alert", "recall_alert", "unreached"):
        assert client_of(desk.reviewer).get(reverse(f"desk:{name}", args=(alert.pk,))).status_code
    alert.refresh_from_db()
    assert (alert.first_by, alert.dropped_at) == (None, None)
