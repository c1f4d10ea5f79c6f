"""A correction: an issue of its own, which goes to exactly those who had what it corrects."""

from typing import Any

from django.contrib.auth.models import AbstractUser
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from newsletter.audience.recipients import recipients
from newsletter.editions.models import Issue
from newsletter.editions.models.naming import slug_for
from newsletter.rendering.correction import marked, preheader
from newsletter.sending.errors import NotPossible, OriginalGoesOut, OtherReaders
from newsletter.sending.models import Delivery, Mailing
from signup.models import Subscription

# The relay took it, or may have taken it.
REACHED = (Delivery.State.ACCEPTED, Delivery.State.UNKNOWN)


def draft(*, mailing: Mailing, by: AbstractUser) -> Issue:
    """Make the draft of a correction of what `mailing` sent, or return the one there is.

    It holds what was sent, below an empty notice of what was wrong, and goes the way of every
    issue: review, approval, sending. Raises NotPossible when nothing of it has gone out, or when
    the mailing is no issue's.
    """
    original: Issue | None = mailing.issue
    if original is None or mailing.approval is None:
        raise NotPossible(_("Only an issue is corrected like this. Mend the article instead."))
    if mailing.started_at is None:
        raise NotPossible(_("Nothing of it has gone out, so there is nothing to correct."))
    there = correction_of(original)
    if there is not None:
        return there
    try:
        with transaction.atomic():
            return _write(original, mailing.approval.revision.as_object(), by)
    except IntegrityError:
        # Somebody else pressed the same button at the same time.
        there = correction_of(original)
        if there is None:
            raise
        return there


def correction_of(issue: Issue) -> Issue | None:
    found: Issue | None = Issue.objects.filter(corrects=issue).first()
    return found


def newest_of(issue: Issue) -> Issue:
    """Return the last correction in the line that begins with `issue`; itself if there is none."""
    newest = issue
    while (following := correction_of(newest)) is not None:
        newest = following
    return newest


def refuse_too_early(issue: Issue) -> None:
    """Raise OriginalGoesOut while what it corrects can still reach somebody new, and OtherReaders
    when it was moved to another newsletter.

    A paused original may be resumed: it has to have ended, or to be cancelled and empty. From
    then on nobody joins those who had it, and only unknown still becomes accepted.
    """
    for earlier in issue.line():
        if earlier.newsletter_id != issue.newsletter_id:
            raise OtherReaders(
                _("It corrects “%(title)s”, which went to another newsletter's readers.")
                % {"title": earlier.title}
            )
        open_ones = Mailing.objects.filter(issue=earlier, ended_at__isnull=True)
        if open_ones.exists():
            raise OriginalGoesOut(
                _("“%(title)s” is still going out. Cancel or recall it, or wait until it ended.")
                % {"title": earlier.title}
            )


def correction_readers(issue: Issue) -> QuerySet[Subscription]:
    """Return the subscriptions that a correction planned now goes to, unordered.

    Who had what it corrects, or what that corrected, and may still be mailed. A pause holds back
    corrections too: what readers agreed to get through a pause is safety alerts.
    """
    had_it = had(issue).filter(subscriber=OuterRef("subscriber_id"))
    return recipients(issue.newsletter).filter(Exists(had_it))


def had(issue: Issue) -> QuerySet[Delivery]:
    """Return the deliveries of what a correction corrects that were accepted or are unknown."""
    # Their numbers, since a mailing or two make a better plan than a join.
    mailings = list(Mailing.objects.filter(issue__in=issue.line()).values_list("pk", flat=True))
    return Delivery.objects.filter(mailing__in=mailings, state__in=REACHED)


def audience(issue: Issue) -> QuerySet[Subscription]:
    """Return whom an issue goes to when it is planned now, be it a correction or not."""
    return correction_readers(issue) if issue.is_correction else recipients(issue.newsletter)


def _write(original: Issue, sent: Issue, by: AbstractUser) -> Issue:
    with translation.override(original.language):
        title, subject = marked(sent.title, 160), marked(sent.subject, 120)
        said = preheader()
    notice: dict[str, Any] = {
        "type": "correction",
        "value": {"was_wrong": "", "is_right": "", "to_do": ""},
    }
    # What was sent, without an earlier correction's notice.
    kept = [block for block in sent.body.raw_data if block["type"] != "correction"]
    issue = Issue(
        newsletter=original.newsletter,
        corrects=original,
        title=title,
        language=original.language,
        subject=subject,
        preheader=said,
        greeting=sent.greeting,
        live=False,
    )
    issue.body = issue.body.stream_block.to_python(
        [notice, *({"type": block["type"], "value": block["value"]} for block in kept)]
    )
    issue.slug = slug_for(issue)
    issue.save()
    issue.save_revision(user=by)
    return issue
