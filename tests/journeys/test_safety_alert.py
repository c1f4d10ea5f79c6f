"""A recall while everybody's newsletter is going out: two signatures, then the readers at once."""

import pytest
from django.test import Client
from django.urls import reverse

from newsletter.sending.models import Delivery, Mailing, SafetyAlert
from tests.desk import world
from tests.digests import factories
from tests.digests.alerts import approved_article
from tests.faults.line import Line
from tests.running.processes import wait_until

pytestmark = pytest.mark.processes

ISSUE_READERS, CONCERNED = 400, 5


def signed_in(role: str, name: str = "") -> Client:
    client = Client()
    client.force_login(world.staff(name or role, role))
    return client


def sign(client: Client, alert: SafetyAlert) -> None:
    page = client.get(reverse("desk:alert", args=(alert.pk,)))
    client.post(reverse("desk:sign_alert", args=(alert.pk,)), {"seen": page.context["seen"]})


def test_an_alert_overtakes_a_running_mailing_and_its_report_says_whom_it_reached(
    transactional_db, smtp_catcher, start_worker
):
    line = Line(smtp_catcher, start_worker)
    world.publisher()
    back = factories.ConditionFactory(name="Herniated disk")
    digest = factories.DigestNewsletterFactory()
    concerned = [factories.reader(digest, back) for _ in range(CONCERNED)]
    gone, *reached = [each.subscriber.email for each in concerned]
    article = approved_article(back, title="Recall of Dolostop")
    author = signed_in("Authors")
    first, second = (signed_in("Medical reviewers", name) for name in ("first", "second"))
    smtp_catcher.delay = 1.0
    smtp_catcher.refuse("RCPT", "550 5.1.1 no such mailbox", when=gone)
    issue = line.plan(ISSUE_READERS)
    with line.beats():
        line.worker("bulk")
        line.worker("prompt")
        line.wait_for_sent(4)

        author.post(
            reverse("desk:mark_alert", args=(article.pk,)),
            {"kind": "recall", "advice": "Stop taking it.", "corrects": ""},
        )
        alert = SafetyAlert.objects.get()
        sign(first, alert)
        assert not Mailing.objects.filter(kind=Mailing.Kind.ALERT).exists()
        sign(second, alert)

        wait_until(
            lambda: Mailing.objects.filter(alert=alert, ended_at__isnull=False).exists(),
            seconds=60,
            about="the alert's end",
        )
        issue.refresh_from_db()
        # The issue had begun before, and is far from its end.
        assert issue.ended_at is None
        assert Delivery.objects.filter(mailing=issue, state="queued").exists()
        smtp_catcher.delay = 0
        line.wait_for_end(issue)

    got = [mail.recipient for mail in smtp_catcher.messages if b"Dolostop" in mail.content]
    assert sorted(got) == sorted(reached)
    page = signed_in("Senders").get(reverse("desk:alert", args=(alert.pk,)))
    report = page.context["report"]
    assert (report.counts.planned, report.counts.accepted, report.counts.refused) == (5, 4, 1)
    assert "1 reader is still without it." in " ".join(page.content.decode().split())
