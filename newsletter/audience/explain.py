"""Why a reader does or does not receive a newsletter, in words for staff."""

from django.utils import formats, timezone
from django.utils.translation import gettext as _

from newsletter.audience.eligibility import check
from newsletter.audience.reasons import Reason
from newsletter.catalogue.models import Newsletter
from signup.address import hashes_of
from signup.models import Subscriber, Subscription, Suppression


def why(*, newsletter: Newsletter, subscriber: Subscriber) -> str:
    """Return one or two sentences. They name no address and nothing that the reader follows."""
    reason = check(newsletter=newsletter, subscriber_ids=[subscriber.pk])[subscriber.pk]
    subscription = Subscription.objects.filter(newsletter=newsletter, subscriber=subscriber).first()
    if reason is None:
        assert subscription is not None and subscription.live_at is not None
        return _("Receives “%(newsletter)s”: confirmed on %(date)s.") % {
            "newsletter": newsletter.name,
            "date": formats.date_format(timezone.localtime(subscription.live_at)),
        }
    return _("Does not receive “%(newsletter)s”: %(reason)s") % {
        "newsletter": newsletter.name,
        "reason": _in_words(reason, subscriber, subscription),
    }


def _in_words(reason: Reason, subscriber: Subscriber, subscription: Subscription | None) -> str:
    if reason is Reason.ERASED:
        return _("the reader's data were erased.")
    if reason is Reason.SUPPRESSED:
        suppression = Suppression.objects.filter(
            address_hash__in=hashes_of(subscriber.email_key or "")
        ).first()
        because = suppression.get_reason_display() if suppression else ""
        return _("the address must not be mailed (%(because)s).") % {"because": because}
    if reason is Reason.NOT_TOLD:
        return _("the note that tells where the address came from was not accepted yet.")
    if subscription is None:
        return _("there is no subscription.")
    if reason is Reason.NO_CONSENT:
        return _("consent to make a digest from the conditions followed is missing.")
    if reason is Reason.PAUSED:
        assert subscription.paused_until is not None
        return _("paused until %(date)s.") % {
            "date": formats.date_format(timezone.localtime(subscription.paused_until))
        }
    if subscription.state == Subscription.State.PENDING:
        return _("the sign-up was never confirmed.")
    return _("the subscription ended (%(because)s).") % {
        "because": subscription.get_ended_reason_display()
    }
