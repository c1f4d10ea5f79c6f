"""A safety alert, from the mark to the recall. Who holds which permission is the desk's question.

What holds for everybody is asked here: an alert goes out under the signatures of two people who
neither wrote its article nor its advice, and each signed exactly what is sent.
"""

from collections.abc import Collection

from django.contrib.auth.models import AbstractUser
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from newsletter.approval import release as releases
from newsletter.approval.sign_off import article_standing
from newsletter.editions.models import Article
from newsletter.sending.alert_forms import hash_of, make_forms
from newsletter.sending.alert_readers import alert_readers
from newsletter.sending.errors import NotPossible
from newsletter.sending.models import AlertForm, Edition, Mailing, SafetyAlert


def mark(
    *,
    article: Article,
    kind: SafetyAlert.Kind,
    advice: str,
    by: AbstractUser,
    corrects: SafetyAlert | None = None,
) -> SafetyAlert:
    """Mark an article as a safety alert, to be signed by two others; nothing goes out yet.

    `corrects` makes it the correction of an alert that went out; then the article may have been
    an alert before. Raises NotPossible.
    """
    with transaction.atomic():
        article = Article.objects.select_for_update().get(pk=article.pk)
        _refuse_unfit(article)
        if not advice.strip():
            raise NotPossible(_("Say what readers should do now. It stands first in the mail."))
        marked = SafetyAlert.objects.filter(article=article)
        if marked.open().exists():
            raise NotPossible(_("It is marked already, and waits for its signatures."))
        if corrects is None and marked.sent().exists():
            raise NotPossible(_("It went out as an alert before. What follows is a correction."))
        if corrects is not None and corrects.sent_at is None:
            raise NotPossible(_("That alert has not gone out, so there is nothing to correct."))
        return SafetyAlert.objects.create(
            article=article,
            kind=kind,
            advice=" ".join(advice.split())[:300],
            corrects=corrects,
            marked_by_id=by.pk,
        )


def drop(*, alert: SafetyAlert) -> None:
    """Take the mark off before it is sent. Raises NotPossible when it went out meanwhile."""
    if not SafetyAlert.objects.open().filter(pk=alert.pk).update(dropped_at=timezone.now()):
        raise NotPossible(_("It has gone out, or was taken off already."))


def sign(*, alert: SafetyAlert, by: AbstractUser, seen: str) -> Collection[int]:
    """Sign what `seen` (hex, `contents_of`) stands for. The second signature sends it, and the
    mailings to be planned are returned; the first returns none.

    Signing twice is refused and changes nothing, so that a double click is no second person.
    Raises NotPossible.
    """
    with transaction.atomic():
        alert = SafetyAlert.objects.select_for_update().get(pk=alert.pk)
        if not alert.is_open:
            raise NotPossible(_("It has gone out, or was taken off."))
        _refuse_unfit(alert.article)
        if by.pk in concerned_staff(alert):
            raise NotPossible(_("You wrote or marked it yourself. Two others have to sign it."))
        forms = make_forms(alert)
        if seen != hash_of(forms).hex():
            raise NotPossible(_("It changed while you read it. Read it again, then sign."))
        if alert.first_by_id is None or bytes(alert.content_hash or b"") != hash_of(forms):
            # What was signed before is not what is here now: this is the first signature of it.
            _freeze(alert, forms, by)
            return []
        if alert.first_by_id == by.pk:
            raise NotPossible(_("You have signed it. Somebody else has to sign it too."))
        return _send(alert, by)


def recall(*, alert: SafetyAlert, by: AbstractUser, reason: str) -> None:
    """Stop what has not gone out, and take the article out of the digests.

    Who has it already is told by a correction (`mark` with `corrects`). Raises NotPossible when
    it never went out, was recalled, or no reason is given.
    """
    if not reason.strip():
        raise NotPossible(_("Say why it is recalled. The reason is kept."))
    with transaction.atomic():
        recalled = SafetyAlert.objects.sent().filter(pk=alert.pk, recalled_at__isnull=True)
        if not recalled.update(
            recalled_at=timezone.now(), recalled_by_id=by.pk, recall_reason=reason.strip()[:200]
        ):
            raise NotPossible(_("It has not gone out, or was recalled before."))
        Mailing.objects.filter(
            alert=alert, state__in=Mailing.origins_of(Mailing.State.CANCELLED)
        ).update(state=Mailing.State.CANCELLED)
        if alert.article.releases.standing().exists():
            releases.withdraw(article=alert.article, by=by, reason=reason.strip())


def contents_of(alert: SafetyAlert) -> tuple[list[AlertForm], str]:
    """Return what would be signed now, and the hash that says so, in hex."""
    forms = make_forms(alert)
    return forms, hash_of(forms).hex()


def unplanned(alert_id: int | None = None) -> list[int]:
    """Return the alerts' mailings whose plan may be gone on with, of one alert or of all.

    Of one alert the first only: who gets it with one newsletter is left out of the next, which
    can be told once the first is complete.
    """
    waiting = Mailing.objects.filter(kind=Mailing.Kind.ALERT, state=Mailing.State.PLANNING)
    if alert_id is not None:
        waiting = waiting.filter(alert=alert_id)
    first: dict[int | None, int] = {}
    for alert, mailing in waiting.order_by("pk").values_list("alert_id", "pk"):
        first.setdefault(alert, mailing)
    return list(first.values())


def concerned_staff(alert: SafetyAlert) -> set[int]:
    """The accounts that may not sign it: who marked it, and everyone who ever wrote the article
    or one of its translations."""
    found = {alert.marked_by_id}
    for article in (alert.article, *alert.article.translations.all()):
        found.update(article.revisions.values_list("user_id", flat=True))
    found.discard(None)
    return found


def _refuse_unfit(article: Article) -> None:
    if article.translation_of_id is not None:
        raise NotPossible(_("It is a translation, and goes out with its original. Mark that one."))
    if not article.live:
        raise NotPossible(_("It is not published. Readers could not look it up."))
    standing = article_standing(article)
    if standing.approval is None:
        raise NotPossible(standing.reason)
    if not article.conditions.exists():
        raise NotPossible(_("It is about no condition, so nobody follows it. Choose one."))


def _freeze(alert: SafetyAlert, forms: list[AlertForm], by: AbstractUser) -> None:
    alert.forms.all().delete()
    AlertForm.objects.bulk_create(forms)
    alert.content_hash = hash_of(forms)
    alert.first_by_id = by.pk
    alert.first_at = timezone.now()
    alert.save(update_fields=["content_hash", "first_by", "first_at"])


def _send(alert: SafetyAlert, by: AbstractUser) -> list[int]:
    now = timezone.now()
    if not alert.article.releases.standing().exists():
        # Whom the alert does not reach finds the article in the next digest.
        releases.release(article=alert.article, by=by)
        now = timezone.now()
    alert.second_by_id, alert.sent_at = by.pk, now
    alert.save(update_fields=["second_by", "sent_at"])
    mailings = []
    by_newsletter: dict[int, list[AlertForm]] = {}
    for form in alert.forms.order_by("newsletter", "language"):
        by_newsletter.setdefault(form.newsletter_id, []).append(form)
    for newsletter, forms in by_newsletter.items():
        mailing = Mailing.objects.create(
            kind=Mailing.Kind.ALERT,
            newsletter_id=newsletter,
            alert=alert,
            purpose=f"alert {alert.pk}",
            # Whole seconds, as the Date header has them.
            dated=now.replace(microsecond=0),
            requested_by_id=by.pk,
        )
        if not alert_readers(mailing).exists():
            mailing.delete()
            continue
        Edition.objects.bulk_create(
            Edition(
                mailing=mailing,
                language=form.language,
                format_version=form.format_version,
                content=bytes(form.content),
            )
            for form in forms
        )
        mailings.append(mailing.pk)
    return mailings
