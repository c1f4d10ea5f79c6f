"""At the desk: what went out wrong is corrected, or taken back, by whoever may."""

from types import SimpleNamespace

import pytest
from django.urls import reverse

from newsletter.approval import release
from newsletter.approval.readiness import readiness
from newsletter.desk.models import AccessEntry
from newsletter.editions.models import Issue
from newsletter.sending import plan
from newsletter.sending.models import Delivery, Mailing, Recall
from tests.desk import world
from tests.desk.conftest import client_of
from tests.sending import correcting, mailings

pytestmark = pytest.mark.django_db
WHY = "It named a dose that can harm."


@pytest.fixture
def sent(db: None) -> SimpleNamespace:
    """A mailing that reached two of three readers, and staff in every role."""
    world.publisher()
    people = {name: world.staff(name) for name in world.ROLE_OF}
    mailing = correcting.went_out(3, ["accepted", "unknown", "refused"])
    return SimpleNamespace(mailing=mailing, **people)


def test_an_author_writes_a_correction_from_the_mailings_page(sent: SimpleNamespace) -> None:
    author = client_of(world.staff("writes", "Administrators"))
    page = author.get(reverse("desk:mailing", args=(sent.mailing.pk,))).content.decode()
    assert "Write a correction" in page
    answer = author.post(reverse("desk:correct", args=(sent.mailing.pk,)))
    draft = Issue.objects.get(corrects=sent.mailing.issue)
    assert answer.url == reverse(Issue.snippet_viewset.get_url_name("edit"), args=(draft.pk,))
    page = author.get(reverse("desk:mailing", args=(sent.mailing.pk,))).content.decode()
    assert "Write a correction" not in page
    assert draft.title in page


@pytest.mark.parametrize("who", ["reviewer", "sender", "protection"])
def test_who_may_not_compose_writes_none(sent: SimpleNamespace, who: str) -> None:
    client_of(getattr(sent, who)).post(reverse("desk:correct", args=(sent.mailing.pk,)))
    assert not Issue.objects.filter(corrects__isnull=False).exists()


def test_whom_it_would_reach_and_whom_it_reached(sent: SimpleNamespace) -> None:
    issue = correcting.written(sent.mailing)
    url = reverse("desk:reach", args=(issue.pk,))
    page = client_of(sent.author).get(url)
    assert page.context["reach"].would_get == 2
    assert "Whom the correction would reach now" in page.content.decode()
    plan.resume(plan.plan_issue(issue=issue, approval=correcting.approved(issue), by=sent.sender))
    mailings.run()
    page = client_of(sent.sender).get(url)
    assert page.context["reach"].counts.accepted == 2
    assert "0 readers cannot be reached" in page.content.decode()


def test_the_list_of_who_is_without_it_wants_a_reason_and_is_written_down(
    sent: SimpleNamespace,
) -> None:
    correction = correcting.planned(sent.mailing)
    Delivery.objects.filter(mailing=correction).update(state="refused", reply="550 5.1.1 no")
    url = reverse("desk:without_correction", args=(correction.issue_id,))
    protection = client_of(sent.protection)
    assert protection.post(url, {"reason": ""}).status_code == 422
    assert not AccessEntry.objects.exists()
    page = protection.post(url, {"reason": "To telephone them"})
    assert page.content.decode().count("@readers.example") == 2
    (line,) = AccessEntry.objects.all()
    assert line.detail == f"correction {correction.issue_id}: not reached"
    client_of(sent.sender).post(url, {"reason": "Curious"})
    assert AccessEntry.objects.count() == 1


def test_the_page_to_confirm_counts_who_had_it(sent: SimpleNamespace) -> None:
    issue = correcting.written(sent.mailing)
    correcting.approved(issue)
    page = client_of(sent.sender).get(reverse("desk:send_now", args=(issue.pk,)))
    assert "Send to 2 readers" in page.content.decode()


def test_a_correction_does_not_go_while_its_original_goes_out(sent: SimpleNamespace) -> None:
    Mailing.objects.filter(pk=sent.mailing.pk).update(state="paused", ended_at=None)
    issue = correcting.written(sent.mailing)
    approval = correcting.approved(issue)
    sender = client_of(sent.sender)
    answer = sender.post(
        reverse("desk:send_now", args=(issue.pk,)), {"approval": approval.pk}, follow=True
    )
    assert "is still going out" in answer.content.decode()
    assert not Mailing.objects.filter(issue=issue).exists()


def test_a_recall_asks_for_a_reason_and_leaves_a_record(sent: SimpleNamespace) -> None:
    running = mailings.planned(2)
    url = reverse("desk:recall_mailing", args=(running.pk,))
    sender = client_of(sent.sender)
    assert "3 readers have not got it yet" in sender.get(url).content.decode()
    assert sender.post(url, {"reason": " "}).status_code == 422
    assert not Recall.objects.exists()
    sender.post(url, {"reason": WHY})
    running.refresh_from_db()
    assert running.state == Mailing.State.CANCELLED
    assert mailings.run() == []
    assert set(mailings.states(running)) == {"queued"}
    record = sender.get(url).content.decode()
    for said in (WHY, sent.sender.username, "They have not been told yet", "data-desk-print"):
        assert said in record
    # Pressed twice, or by two people: one recall.
    answer = sender.post(url, {"reason": "Again"}, follow=True)
    assert "recalled before" in answer.content.decode()
    assert Recall.objects.get().reason == WHY


@pytest.mark.parametrize("who", ["author", "protection"])
def test_who_may_neither_approve_nor_send_recalls_nothing(sent: SimpleNamespace, who: str) -> None:
    somebody = client_of(getattr(sent, who))
    for url in (
        reverse("desk:recall_mailing", args=(sent.mailing.pk,)),
        reverse("desk:recall_article", args=(world.article().pk,)),
    ):
        somebody.post(url, {"reason": WHY})
    assert not Recall.objects.exists()


def test_a_recalled_article_leaves_site_and_digests_and_stops_what_shows_it(
    sent: SimpleNamespace,
) -> None:
    article = world.published_article(sent.author, sent.reviewer, world.condition())
    release.release(article=article, by=sent.reviewer)
    letter = sent.mailing.newsletter
    issue = world.issue(letter, sent.author, body=world.body(article))
    world.approve(issue, sent.reviewer)
    Mailing.objects.create(
        kind="issue",
        newsletter=letter,
        issue=issue,
        state="ended",
        dated=sent.mailing.dated,
        started_at=sent.mailing.dated,
    )
    url = reverse("desk:recall_article", args=(article.pk,))
    reviewer = client_of(sent.reviewer)
    assert issue.title in reviewer.get(url).content.decode()
    reviewer.post(url, {"reason": WHY})
    article.refresh_from_db()
    assert not article.live
    assert not article.releases.standing().exists()
    assert readiness(issue).approval is None
    page = reviewer.get(url).content.decode()
    assert WHY in page
    assert "Copies that had not gone out lost it" in page
    answer = reviewer.post(url, {"reason": WHY}, follow=True)
    assert "neither published nor in the digests" in answer.content.decode()


def test_a_recalled_article_takes_its_translations_with_it(sent: SimpleNamespace) -> None:
    original = world.published_article(sent.author, sent.reviewer)
    translated = world.published_article(
        sent.author, sent.reviewer, language="es", translation_of=original, title="Caminar"
    )
    url = reverse("desk:recall_article", args=(original.pk,))
    client_of(sent.reviewer).post(url, {"reason": WHY})
    translated.refresh_from_db()
    assert not translated.live
    assert Recall.objects.filter(article=translated, reason=WHY).exists()
