"""One mail a week to each reviewer: what waits, what is late, and which reviews fall due.

Not one an item: a doctor who gets a mail for each draft stops reading them.
"""

import logging
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter.desk.addresses import reading_url
from newsletter.desk.models import ReviewSummary, User
from newsletter.desk.models.limits import limits_of
from newsletter.desk.reviewers import reviewers
from newsletter.desk.waiting import Waiting, waiting_for
from newsletter.editions.models import Article

logger = logging.getLogger(__name__)

# Monday morning, by the clock of the service (TIME_ZONE).
HOUR = 7
# Reviews of published articles that fall due within so long are told of.
SOON = timedelta(days=30)
MOST_ARTICLES = 10


@dataclass(frozen=True, slots=True)
class Summary:
    waiting: list[Waiting]
    articles: list[Article]

    def __bool__(self) -> bool:
        return bool(self.waiting or self.articles)


def summarise(user: User) -> Summary:
    """What this reviewer is told. Articles are told to all who may
    work on them: nobody owns a published one."""
    due = (
        limits_of(user)
        .among(Article.objects.published())
        .filter(review_due__lte=timezone.localdate() + SOON)
    )
    return Summary(waiting_for(user), list(due.order_by("review_due")[:MOST_ARTICLES]))


def send_summaries(now: datetime) -> int:
    """Send this week's mails that have not gone out. Returns how many went. Harmless twice."""
    local = timezone.localtime(now, timezone.get_default_timezone())
    week = local.date() - timedelta(days=local.weekday())
    if local.weekday() == 0 and local.hour < HOUR:
        return 0
    told = ReviewSummary.objects.filter(week=week).values("user_id")
    sent = 0
    for user in reviewers().exclude(email="").exclude(pk__in=told):
        sent += _send(user, week)
    return sent


def _send(user: User, week: date) -> int:
    try:
        with transaction.atomic():
            claim = ReviewSummary.objects.create(user=user, week=week)
    except IntegrityError:
        return 0  # another tick has it
    summary = summarise(user)
    if not summary:
        return 0
    try:
        _mail(user, summary).send()
    except (SMTPException, OSError):
        # Given back, so that the next tick tries again.
        claim.delete()
        logger.exception("The weekly summary for staff account %s did not go out.", user.pk)
        return 0
    ReviewSummary.objects.filter(pk=claim.pk).update(told=len(summary.waiting))
    return 1


def _mail(user: User, summary: Summary) -> EmailMessage:
    with translation.override(_language_of(user)):
        number = len(summary.waiting)
        late = sum(one.is_late for one in summary.waiting)
        # No title in the subject: it stands on a locked screen.
        subject = (
            ngettext("%(n)d review waits for you", "%(n)d reviews wait for you", number)
            % {"n": number}
            if number
            else _("Article reviews that fall due")
        )
        text = render_to_string(
            "desk/mail/weekly_summary.txt",
            {
                "user": user,
                "late": late,
                "waiting": [
                    (one, settings.BASE_URL + reading_url(one.thing)) for one in summary.waiting
                ],
                "articles": summary.articles,
                "desk_url": f"{settings.BASE_URL}/admin/",
                "today": timezone.localdate(),
            },
        )
    message = EmailMessage(subject, text, settings.DEFAULT_FROM_EMAIL, [user.email])
    message.extra_headers["Auto-Submitted"] = "auto-generated"
    return message


def _language_of(user: User) -> str:
    profile = getattr(user, "wagtail_userprofile", None)
    return str(profile.get_preferred_language() if profile else settings.LANGUAGE_CODE)
