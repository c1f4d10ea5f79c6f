"""An issue before, while and after it goes out, in each state that has a page of its own."""

import itertools
from datetime import datetime, time, timedelta

from django.urls import reverse
from django.utils import timezone

from newsletter.approval import schedule as schedules
from newsletter.desk.models import User
from newsletter.editions import begin
from newsletter.editions.models import Issue
from newsletter.sending.models import Batch, Delivery, Mailing
from newsletter.sending.plan import resume
from newsletter.sending.recall import recall_article, recall_issue
from newsletter.sending.start import start
from signup.models import Subscriber
from tests.desk import world
from tests.sending import correcting, mailings

ZONES = ("Europe/Berlin", "Pacific/Honolulu", "America/Argentina/ComodRivadavia", "Asia/Kolkata")
WHY = "It named a dose that can harm."
OUTCOMES = ["accepted", "accepted", "unknown", "refused", "skipped", "accepted"]


def addresses(author: User, reviewer: User) -> dict[str, str]:
    """Make it all, and return where each state is seen, by name."""
    sent = correcting.went_out(len(OUTCOMES), OUTCOMES)
    letter = sent.newsletter
    letter.name = "Donaudampfschifffahrtsgesundheitsnachrichtenblatt"
    letter.save()
    readers = Subscriber.objects.order_by("pk")
    for reader, zone in zip(readers, itertools.cycle(ZONES), strict=False):
        Subscriber.objects.filter(pk=reader.pk).update(timezone=zone)
    world.reader(letter, paused_until=timezone.now() + timedelta(days=9))

    def issue(title: str) -> Issue:
        made = world.issue(letter, author, title=title, subject=f"{title}: help for your back")
        world.approve(made, reviewer)
        return made

    return {
        **_before(issue("Ready to go"), author),
        "undo panel": _just_sent(issue("Just sent"), author),
        "progress with turns": _at("mailing", _by_turns(issue("By clocks"), author)),
        **_corrected(sent),
        **_recalled(author),
    }


def _before(ready: Issue, by: User) -> dict[str, str]:
    template = begin.save_as_template(issue=ready, name="Our weekly letter", by=by)
    return {
        "dry run": reverse("desk:issue_dry_run", args=(ready.pk,)),
        "send form": reverse("desk:send_now", args=(ready.pk,)),
        "keep as a template": reverse("desk:save_template", args=(ready.pk,)),
        "delete a template": reverse("desk:delete_template", args=(template.pk,)),
        "templates": reverse("desk:templates"),
    }


def _just_sent(issue: Issue, by: User) -> str:
    soon = timezone.now() + timedelta(hours=1)
    schedules.schedule(issue=issue, send_at=soon, by=by, at_once=True)
    return reverse("desk:issue", args=(issue.pk,))


def _by_turns(issue: Issue, by: User) -> Mailing:
    """The first have it, the others wait for their turn."""
    send_at = timezone.now() + timedelta(hours=1)
    wall = datetime.combine(timezone.localdate() + timedelta(days=1), time(8))
    planned = schedules.schedule(issue=issue, send_at=send_at, by=by, wall=wall)
    begun = start(planned)
    assert begun is not None
    mailing = resume(begun)
    first = Batch.objects.filter(mailing=mailing).order_by("not_before")[0]
    Batch.objects.filter(pk=first.pk).update(accepted=first.planned, state=Batch.State.DONE)
    Mailing.objects.filter(pk=mailing.pk).update(started_at=timezone.now())
    return mailing


def _corrected(sent: Mailing) -> dict[str, str]:
    draft = correcting.written(sent)
    told = correcting.planned(correcting.went_out(len(OUTCOMES)))
    correcting.turn_out(told, ["refused", "refused", *["accepted"] * (len(OUTCOMES) - 2)])
    Delivery.objects.filter(mailing=told, state="refused").update(reply="550 5.1.1 No such user")
    return {
        "mailing with its correction": _at("mailing", sent),
        "reach of a draft": reverse("desk:reach", args=(draft.pk,)),
        "mailing of a correction": _at("mailing", told),
        "reach of what went": reverse("desk:reach", args=(told.issue_id,)),
    }


def _recalled(by: User) -> dict[str, str]:
    article = world.article(by, title="Twice the dose", live=True)
    mailing = mailings.planned(len(OUTCOMES))
    recall_issue(issue=mailing.issue, by=by, reason=WHY)
    recall_article(article=article, by=by, reason=WHY)
    return {
        "recall, asked": _at("recall_mailing", correcting.went_out(len(OUTCOMES))),
        "record of a recall": _at("recall_mailing", mailing),
        "mailing that was recalled": _at("mailing", mailing),
        "record of an article's recall": reverse("desk:recall_article", args=(article.pk,)),
    }


def _at(name: str, mailing: Mailing) -> str:
    return reverse(f"desk:{name}", args=(mailing.pk,))
