"""Taking back what was wrong: nothing more of it goes out, and the public site says so.

Who holds which permission is the desk's question. What readers already have stays with them;
a correction tells them.
"""

from django.contrib.auth.models import AbstractUser
from django.db import transaction
from django.utils.translation import gettext as _
from wagtail.actions.unpublish import UnpublishAction

from newsletter.approval import release as releases
from newsletter.approval import schedule as schedules
from newsletter.approval.models import Schedule
from newsletter.editions.models import Article, Issue
from newsletter.sending.errors import NotPossible
from newsletter.sending.models import Mailing, Recall


@transaction.atomic
def recall_issue(*, issue: Issue, by: AbstractUser, reason: str) -> Recall:
    """Cancel what of an issue has not gone out, and hide what it said.

    Raises NotPossible without a reason, when it never had a mailing, or was recalled before.
    """
    reason = _reason(reason)
    # The row's lock: two people who press at once come one after the other.
    issue = Issue.objects.select_for_update().get(pk=issue.pk)
    if Recall.objects.filter(issue=issue).exists():
        raise NotPossible(_("It was recalled before."))
    mailings = Mailing.objects.filter(issue=issue)
    if not mailings.exists():
        raise NotPossible(_("It was never sent, so there is nothing to recall."))
    recall = Recall.objects.create(issue=issue, by_id=by.pk, reason=reason)
    mailings.filter(state__in=Mailing.origins_of(Mailing.State.CANCELLED)).update(
        state=Mailing.State.CANCELLED
    )
    for planned in Schedule.objects.open().filter(approval__issue=issue):
        schedules.cancel(schedule=planned)
    return recall


@transaction.atomic
def recall_article(*, article: Article, by: AbstractUser, reason: str) -> Recall:
    """Take an article off the site and out of the digests, with its translations.

    Preflight lets no issue with a card of it go out any more, and those that list it among the
    newest need approval anew; what was sent is recalled or corrected itself.

    Raises NotPossible without a reason, or when it is neither published
    nor in the digests.
    """
    reason = _reason(reason)
    article = Article.objects.select_for_update().get(pk=article.pk)
    released = article.releases.standing().exists()
    if not article.live and not released:
        raise NotPossible(_("It is neither published nor in the digests."))
    if released:
        releases.withdraw(article=article, by=by, reason=reason)
    recall = Recall.objects.create(article=article, by_id=by.pk, reason=reason)
    for translated in article.translations.filter(live=True):
        Recall.objects.create(article=translated, by_id=by.pk, reason=reason)
        _unpublish(translated, by)
    if article.live:
        _unpublish(article, by)
    return recall


def _unpublish(article: Article, by: AbstractUser) -> None:
    # Wagtail's own method asks for a permission in a way that only pages answer; the desk asked.
    UnpublishAction(article, user=by).execute(skip_permission_checks=True)


def _reason(given: str) -> str:
    reason = " ".join(given.split())
    if not reason:
        raise NotPossible(_("Say why it is recalled. Readers see the reason."))
    return reason[:300]
