"""The sentences of the sign-up that are the publisher's to change, for each language.

What is left empty says what ours say, in the reader's language. Consent wordings are not among
them: those are versioned, and data protection approves them (signup.models.ConsentText).
"""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from wagtail.fields import RichTextField

_EMPTY = lazy("Empty: our own words.")
# The words that were read last, for the page that says that the database does not answer.
_remembered: dict[str, "PublicWords"] = {}


class PublicWords(models.Model):
    language = models.CharField(lazy("language"), max_length=10, unique=True, default="en")
    promise = models.CharField(lazy("what comes"), max_length=300, blank=True, help_text=_EMPTY)
    data_use = models.CharField(
        lazy("what the data are used for"), max_length=300, blank=True, help_text=_EMPTY
    )
    data_combined = models.CharField(
        lazy("whether they are combined with anything"),
        max_length=300,
        blank=True,
        help_text=_EMPTY,
    )
    patients = models.CharField(
        lazy("for your own patients"),
        max_length=400,
        blank=True,
        help_text=lazy(
            "Only if you treat patients, e.g. We use protected health information only as our "
            "Notice of Privacy Practices allows. Empty: nothing is said."
        ),
    )
    opting_out = models.CharField(lazy("how to stop"), max_length=300, blank=True, help_text=_EMPTY)
    success = models.CharField(
        lazy("after the form was sent"), max_length=300, blank=True, help_text=_EMPTY
    )
    what_next = models.CharField(
        lazy("what happens next"), max_length=400, blank=True, help_text=_EMPTY
    )
    failure = models.CharField(
        lazy("when something of ours failed"), max_length=300, blank=True, help_text=_EMPTY
    )
    privacy_notice = RichTextField(
        lazy("privacy notice"),
        blank=True,
        help_text=lazy("Empty: the publisher's, or a notice that says what this service does."),
    )

    class Meta:
        ordering = ["language"]
        verbose_name = lazy("words of the sign-up")
        verbose_name_plural = lazy("words of the sign-up")

    def __str__(self) -> str:
        return dict(settings.LANGUAGES).get(self.language, self.language)

    def clean(self) -> None:
        if self.language not in dict(settings.LANGUAGES):
            known = ", ".join(code for code, _name in settings.LANGUAGES)
            raise ValidationError({"language": _("Choose one of: %s.") % known})

    @classmethod
    def current(cls) -> "PublicWords":
        """Return the words of the language that is spoken now, without writing anything."""
        language = get_language() or settings.LANGUAGE_CODE
        words = cls._default_manager.filter(language=language).first() or cls(language=language)
        _remembered[language] = words
        return words

    @classmethod
    def last_read(cls) -> "PublicWords":
        """Return what this process read last, asking no database."""
        language = get_language() or settings.LANGUAGE_CODE
        return _remembered.get(language) or cls(language=language)

    @property
    def shown_promise(self) -> str:
        return self.promise or _(
            "Research news, health tips, current topics and the views of experts."
        )

    @property
    def data_sentences(self) -> list[str]:
        """What the data are for; whether they are combined; for patients; how to stop."""
        sentences = [
            self.data_use
            or _("We use your address and your choices only to send you what you asked for."),
            self.data_combined
            or _("We do not combine them with anything else that is known about you."),
            self.patients,
            self.opting_out or _("You can stop at any time with the link in every e-mail."),
        ]
        return [sentence for sentence in sentences if sentence]

    @property
    def shown_success(self) -> str:
        return self.success or _("You will soon receive an e-mail from us.")

    @property
    def shown_next(self) -> str:
        return self.what_next or _("Press the button in it, and you are signed up.")

    @property
    def shown_failure(self) -> str:
        return self.failure or _(
            "Something went wrong on our side. Please try again in a couple of minutes."
        )
