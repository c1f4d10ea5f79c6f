"""What a system mail says: one locked template for each kind, free of advertising (standard E9).

Nothing that was typed into a form stands in it, so that nobody can use our mail to carry theirs.
"""

from hashlib import sha256
from urllib.parse import urlsplit

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from newsletter.catalogue import brand
from newsletter.catalogue.models import Publisher
from newsletter.transports.values import Envelope
from newsletter.wire import headers, mjml
from newsletter.wire.message import boundary_for, compile_message
from newsletter.wire.slots import strip_marks
from signup import consent, tokens
from signup.consent import bases
from signup.models import ConsentEntry, Subscription, SystemMail

_TO_A_READER = (
    SystemMail.Kind.RENEWAL,
    SystemMail.Kind.PREFERENCES,
    SystemMail.Kind.ADD,
    SystemMail.Kind.BROUGHT_IN,
)


def envelope(mail: SystemMail) -> Envelope:
    """Render `mail`. The same row gives the same bytes, so that sending it again is no new mail."""
    subscriber, recipient = mail.subscriber, mail.recipient
    if subscriber.email is None or recipient is None:
        raise ValueError("An erased reader is never mailed.")
    sender = sender_address()
    language = _language(mail)
    with translation.override(language):
        context = _context(mail, language)
        text = render_to_string(f"emails/system/{mail.kind}.txt", context)
        html = mjml.to_html(render_to_string(f"emails/system/{mail.kind}.mjml", context))
        lines = [
            ("From", headers.format_address(str(context["publisher_name"]), sender)),
            ("To", headers.format_address("", recipient)),
            ("Subject", subject(mail)),
            ("Date", headers.format_date(mail.created_at)),
            ("Message-ID", _message_id(mail, sender)),
            # No auto-reply comes back to a mail that says it was sent by a machine (RFC 3834).
            ("Auto-Submitted", "auto-generated"),
            ("Content-Language", language),
        ]
        if context["contact_email"]:
            lines.append(("Reply-To", headers.format_address("", str(context["contact_email"]))))
        if "unsubscribe_url" in context:
            lines += [
                ("List-Unsubscribe", headers.list_url(str(context["unsubscribe_url"]))),
                ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
            ]
        message = compile_message(lines, text, html, boundary=boundary_for(text, html))
    return Envelope(sender=sender, recipient=recipient, content=message.fill({}))


def sender_address() -> str:
    """Return the address that system mail comes from, as the pages name it too."""
    return Publisher.current().system_from_email or settings.DEFAULT_FROM_EMAIL


def link(mail: SystemMail) -> str:
    """Return the link in `mail`, dated from the row: sending late gives no longer life."""
    if mail.kind == SystemMail.Kind.ADDRESS:
        change_id = mail.address_change_id or 0
        token = tokens.make(tokens.Purpose.ADDRESS, change_id, at=mail.created_at)
        path = reverse("signup:new_address", args=[token])
    elif mail.kind in (SystemMail.Kind.MOVED, SystemMail.Kind.RETIRED):
        path = reverse("signup:preferences_request")  # opens nothing: the link has no token
    elif mail.kind == SystemMail.Kind.BROUGHT_IN:
        path = reverse("signup:preferences_request")  # no token: nobody has shown that it is theirs
    elif mail.kind in SystemMail.CONFIRMATIONS:
        token = tokens.make(tokens.Purpose.CONFIRM, mail.sign_up_id or 0, at=mail.created_at)
        path = reverse("signup:confirm", args=[token])
    elif mail.kind == SystemMail.Kind.RENEWAL:
        question = mail.renewal_question.pk
        token = tokens.make(tokens.Purpose.RENEW, question, at=mail.created_at)
        path = reverse("signup:keep", args=[token])
    else:
        token = tokens.make(tokens.Purpose.PREFERENCES, mail.subscriber_id, at=mail.created_at)
        path = reverse("signup:preferences", args=[token])
    return f"{settings.BASE_URL}{_in_language(path, _language(mail))}"


def _language(mail: SystemMail) -> str:
    return mail.sign_up.language if mail.sign_up else mail.subscriber.language


def _in_language(path: str, language: str) -> str:
    """The page behind a mail speaks the mail's language (docs/languages.md).

    Ours too, where a browser could ask for another one.
    """
    if path.startswith(f"/{language}/"):
        return path
    if language == settings.LANGUAGE_CODE and consent.languages_offered() in ([], [language]):
        return path
    return f"/{language}{path}"


def _context(mail: SystemMail, language: str) -> dict[str, object]:
    publisher = Publisher.current()
    light, dark = _colours(publisher)
    return {
        "link": link(mail),
        "language": language,
        "rtl": translation.get_language_bidi(),
        "publisher_name": strip_marks(publisher.name),
        "postal_address": strip_marks(publisher.postal_address),
        "contact_email": publisher.contact_email,
        "emergency_number": strip_marks(publisher.emergency_number),
        "privacy_url": f"{settings.BASE_URL}{_in_language(reverse('signup:privacy'), language)}",
        "title": subject(mail),
        "hours": int(tokens.MAX_AGE[tokens.Purpose.CONFIRM].total_seconds() // 3600),
        "brand": light,
        "brand_dark": dark,
        **(_question(mail) if mail.kind == SystemMail.Kind.RENEWAL else {}),
        **(_origin(mail) if mail.kind == SystemMail.Kind.BROUGHT_IN else {}),
        **_withdrawing(mail, language),
        **(_retired(mail) if mail.kind == SystemMail.Kind.RETIRED else {}),
    }


def _retired(mail: SystemMail) -> dict[str, object]:
    retirement = mail.retirement
    assert retirement is not None  # every mail of this kind is made with one
    offers = retirement.offers
    return {
        "condition_name": strip_marks(retirement.condition.name),
        "offered_name": strip_marks(offers.name) if offers else "",
    }


def brought_in(mail: SystemMail) -> Subscription | None:
    """Return the subscription that a note about an import is about; None once it has ended."""
    return (
        Subscription.objects.live()
        .filter(
            subscriber=mail.subscriber_id,
            consent__action__in=ConsentEntry.NEED_EVIDENCE,
            live_at__lte=mail.created_at,
        )
        .select_related("newsletter", "consent")
        .order_by("-live_at", "-pk")
        .first()
    )


def _origin(mail: SystemMail) -> dict[str, object]:
    """Where the address came from (GDPR Art. 14). Imports never tell of health: it may be named."""
    subscription = brought_in(mail)
    if subscription is None or subscription.consent is None:
        raise ValueError("There is nothing any more that this note is about.")
    found = bases.provenance(subscription.consent)
    token = tokens.unsubscribe_token(subscription.pk)
    return {
        "newsletter_name": strip_marks(subscription.newsletter.name),
        "given_on": date_format(found.on, _("j F Y")),
        "given_at": strip_marks(found.source),
        "unsubscribe_url": f"{settings.BASE_URL}{reverse('signup:unsubscribe', args=[token])}",
    }


def _withdrawing(mail: SystemMail, language: str) -> dict[str, object]:
    """The link behind which a consent is withdrawn by one press (GDPR Art. 7(3)).

    In what goes to a reader of ours; not to a mailbox that has not said yes yet, nor to one that
    the reader has left. The subscription is one that ever was live, and always the same, so that
    the same row gives the same bytes.
    """
    if mail.kind not in _TO_A_READER:
        return {}
    theirs = Subscription.objects.filter(subscriber=mail.subscriber_id, live_at__isnull=False)
    pk = theirs.order_by("pk").values_list("pk", flat=True).first()
    if pk is None:
        return {}
    path = reverse("signup:withdraw", args=[tokens.withdraw_token(pk)])
    return {"withdraw_url": f"{settings.BASE_URL}{_in_language(path, language)}"}


def _question(mail: SystemMail) -> dict[str, object]:
    """What the mail says that asks anew. It names no newsletter that tells of health."""
    question = mail.renewal_question
    newsletter = question.subscription.newsletter
    discreet = newsletter.sensitive or newsletter.is_digest
    token = tokens.unsubscribe_token(question.subscription_id)
    return {
        "newsletter_name": "" if discreet else strip_marks(newsletter.name),
        "answer_by": date_format(question.renewal.answer_by, _("j F Y")),
        "unsubscribe_url": f"{settings.BASE_URL}{reverse('signup:unsubscribe', args=[token])}",
    }


def _colours(publisher: Publisher) -> tuple[str, str]:
    """The publisher's colour on paper and in the dark; ours when theirs could not be read."""
    if not publisher.has_own_brand or not brand.readable(publisher.brand_colour):
        return "", ""  # the layout's own green
    derived = brand.derive(publisher.brand_colour)
    return derived.light, derived.dark


def subject(mail: SystemMail) -> str:
    """Return the subject of `mail`, in the language that is active."""
    # Neutral: a subject is read on a locked screen, by whoever lies beside it.
    if mail.kind == SystemMail.Kind.CONFIRM:
        return _("Please confirm your e-mail address")
    if mail.kind == SystemMail.Kind.ADD:
        return _("Please confirm your new choice")
    if mail.kind == SystemMail.Kind.RENEWAL:
        return _("Do you still want to hear from us?")
    if mail.kind == SystemMail.Kind.ADDRESS:
        return _("Please confirm your new address")
    if mail.kind == SystemMail.Kind.MOVED:
        return _("Your address was changed")
    if mail.kind == SystemMail.Kind.BROUGHT_IN:
        return _("How we come to write to you")
    if mail.kind == SystemMail.Kind.RETIRED:
        return _("A change to what you get")
    return _("Your link to change what you get")


def _message_id(mail: SystemMail, sender: str) -> str:
    digest = sha256(f"system:{mail.pk}:{mail.created_at.timestamp()}".encode()).hexdigest()
    domain = sender.rpartition("@")[2] or urlsplit(settings.BASE_URL).hostname
    return f"<{digest[:32]}@{domain}>"
