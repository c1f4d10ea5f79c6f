"""The step by which an article enters the digests, and the one by which it is recalled.

Being published is not enough: readers get an article mailed only after somebody released it,
and that is refused unless it is live and medically approved as it stands.
"""

from django.contrib.auth.models import AbstractUser
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from newsletter.approval import sign_off
from newsletter.catalogue.models import ReleaseCounter
from newsletter.editions.models import Article, Release


class NotReleasable(Exception):
    """Said to staff as it stands: why this article cannot enter the digests now."""


class NotReleased(Exception):
    """Said to staff as it stands: there is nothing to withdraw."""


def release(*, article: Article, by: AbstractUser) -> Release:
    """Let the article enter the digests of everyone who follows one of its conditions.

    Raises NotReleasable when it is not live, not approved as it is live, about no condition, or
    released already (announce_again is a step of its own, so that a double click is not one).
    """
    return _release(article, by, again=False)


def announce_again(*, article: Article, by: AbstractUser) -> Release:
    """Let an article that was in the digests enter them once more, for all its followers.

    For news that changed what the article says. Raises NotReleasable as release does, and when
    the article was never released.
    """
    return _release(article, by, again=True)


def withdraw(*, article: Article, by: AbstractUser, reason: str) -> int:
    """Recall the article: no digest takes it up, and copies not yet handed over lose it.

    What readers already have stays with them; that is what a correction is for. Returns how many
    releases were withdrawn. Raises NotReleased when none stood.
    """
    withdrawn = (
        Release.objects.standing()
        .filter(article=article)
        .update(withdrawn_at=timezone.now(), withdrawn_by_id=by.pk, withdrawal_reason=reason[:200])
    )
    if not withdrawn:
        raise NotReleased(_("This article is in no digest, so there is nothing to withdraw."))
    return withdrawn


@transaction.atomic
def _release(article: Article, by: AbstractUser, *, again: bool) -> Release:
    # First the number: its row stays locked until we commit, so that two people who press at
    # once come one after the other, and numbers commit in their order. A refusal gives it back.
    seq = ReleaseCounter.take_next()
    article = Article.objects.get(pk=article.pk)
    if article.translation_of_id is not None:
        raise NotReleasable(
            _("It is a translation, and goes into digests with its original. Release that one.")
        )
    if not article.live:
        raise NotReleasable(_("It is not published yet. Publish it, then release it."))
    standing = sign_off.article_standing(article)
    if standing.approval is None:
        raise NotReleasable(standing.reason)
    if not article.conditions.exists():
        raise NotReleasable(_("It is about no condition, so nobody follows it. Choose one."))
    released = article.releases.standing().exists()
    if released and not again:
        raise NotReleasable(
            _("It is in the digests already. To send it once more, choose “Announce again”.")
        )
    if again and not released:
        raise NotReleasable(_("It is not in the digests yet. Choose “Release”."))
    return Release.objects.create(article=article, seq=seq, released_by_id=by.pk)
