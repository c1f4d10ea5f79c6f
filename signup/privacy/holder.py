"""What signup itself keeps about a reader."""

from collections.abc import Iterator
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from signup import letter
from signup.models import (
    AddressChange,
    ConsentEntry,
    ConsentSubject,
    Follow,
    Parting,
    SignUp,
    Subscriber,
    Subscription,
    SystemMail,
)
from signup.privacy.kept import kept_about
from signup.privacy.ledger import ledger_of
from signup.privacy.registry import Kind, Line

_WHY = {
    SystemMail.Kind.CONFIRM: gettext_lazy("Because this address was typed into a sign-up form."),
    SystemMail.Kind.ADD: gettext_lazy("Because this address was typed into a sign-up form."),
    SystemMail.Kind.PREFERENCES: gettext_lazy("Because the link to your page was asked for."),
    SystemMail.Kind.RENEWAL: gettext_lazy("Because we asked whether you still want it."),
    SystemMail.Kind.ADDRESS: gettext_lazy("Because you asked us to write to another address."),
    SystemMail.Kind.MOVED: gettext_lazy("Because your address was changed."),
    SystemMail.Kind.BROUGHT_IN: gettext_lazy("Because your address was brought in."),
    SystemMail.Kind.RETIRED: gettext_lazy("Because you followed what we write about no more."),
}


class SignupHolder:
    name = "signup"
    models: tuple[str, ...] = (
        "signup.Subscriber",
        "signup.Subscription",
        "signup.Follow",
        "signup.SignUp",
        "signup.SystemMail",
        "signup.ConsentSubject",
        "signup.ConsentEntry",
        "signup.AddressChange",
        "signup.Parting",
        "signup.RenewalQuestion",
    )

    def record(self, subscriber: Subscriber) -> Iterator[Line]:
        """Every line of the reader's ledger, and every system mail."""
        for entry in ledger_of(subscriber).select_related("newsletter", "text"):
            yield Line(entry.at, _sentence(entry), kind=Kind.CONSENT)
        for mail in SystemMail.objects.filter(subscriber=subscriber):
            if mail.accepted_at:
                yield Line(
                    mail.accepted_at,
                    letter.subject(mail),
                    why=str(_WHY.get(SystemMail.Kind(mail.kind), "")),
                    kind=Kind.MAIL,
                )
        for change in AddressChange.objects.filter(subscriber=subscriber):
            if change.confirmed_at:
                yield Line(change.confirmed_at, _("Your address was changed."))

    def export(self, subscriber: Subscriber) -> dict[str, Any]:
        """Everything, tokens apart: those are never stored."""
        return kept_about(subscriber)

    def erase(self, subscriber: Subscriber) -> None:
        """Empty the row, drop what hangs on it, and cut the ledger loose: it names nobody then.

        Questions asked anew stay, so that their counts balance: they hold no word of the reader.
        """
        Follow.objects.filter(subscriber=subscriber).delete()
        Parting.objects.filter(subscription__subscriber=subscriber).delete()
        AddressChange.objects.filter(subscriber=subscriber).delete()
        SystemMail.objects.filter(subscriber=subscriber).delete()
        SignUp.objects.filter(subscriber=subscriber).delete()
        Subscription.objects.filter(subscriber=subscriber).update(
            undo_hash=None, undo_until=None, paused_at=None, paused_until=None
        )
        ConsentSubject.objects.filter(subscriber=subscriber).update(subscriber=None)
        subscriber.email = subscriber.email_key = subscriber.address_hash = None
        subscriber.first_name = ""
        subscriber.language, subscriber.timezone = "en", "UTC"
        subscriber.text_only = subscriber.conditions_in_subject = False
        subscriber.alerts_while_paused = False
        subscriber.health_consent = subscriber.measurement_consent = None
        subscriber.address_since = None
        subscriber.erased_at = timezone.now()
        subscriber.save()


def _sentence(entry: ConsentEntry) -> str:
    what = entry.newsletter.name if entry.newsletter else entry.get_purpose_display()
    sentences = {
        ConsentEntry.Action.GIVEN: _("You asked for: %(what)s (%(how)s)."),
        ConsentEntry.Action.CONFIRMED: _("You agreed to: %(what)s (%(how)s)."),
        ConsentEntry.Action.WITHDRAWN: _("Ended: %(what)s (%(how)s)."),
        ConsentEntry.Action.IMPORTED: _("Your agreement was brought in: %(what)s (%(how)s)."),
        ConsentEntry.Action.SOFT_OPT_IN: _("You bought from us and did not refuse: %(what)s."),
        ConsentEntry.Action.EXPIRED: _("Expired: %(what)s (%(how)s)."),
        ConsentEntry.Action.ERASED: _("Your data were erased."),
        ConsentEntry.Action.TOMBSTONE: _("Older lines were removed, because their time was over."),
    }
    sentence = sentences[ConsentEntry.Action(entry.action)] % {
        "what": what,
        "how": entry.get_method_display(),
    }
    return f"{sentence} “{entry.text.wording}”" if entry.text else sentence
