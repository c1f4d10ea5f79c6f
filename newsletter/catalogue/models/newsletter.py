"""A publication that one can subscribe to: what its mails look like and where they come from."""

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from newsletter.catalogue.emergency_numbers import COUNTRIES, number_for
from newsletter.catalogue.models.colour import OUR_GREEN, readable_colour
from newsletter.catalogue.models.seeds import addresses_in, several_addresses
from newsletter.catalogue.models.terms import condition_named_in


# The checker cannot see the manager of a model made of Wagtail's mixins, as Issue is.
class Newsletter(models.Model):  # type: ignore[django-manager-missing]
    class Kind(models.TextChoices):
        EDITORIAL = "editorial", _("Editorial: staff compose each issue")
        DIGEST = "digest", _("Digest: assembled for each reader from the conditions followed")

    class UnknownPolicy(models.TextChoices):
        RESEND = "resend", _("Send once more after a while (a reader may get two)")
        HOLD = "hold", _("Never send again (a reader may get none)")

    class FontStack(models.TextChoices):
        """Fonts that readers have: a mail that fetches one tells its host who reads (no pixel)."""

        HOUSE = "house", _("Georgia for headings, the reader's own sans for text")
        SANS = "sans", _("The reader's own sans throughout")
        SERIF = "serif", _("Georgia throughout")

    name = models.CharField(_("name"), max_length=100)
    slug = models.SlugField(_("slug"), unique=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.EDITORIAL)
    promise = models.CharField(
        _("promise"), max_length=200, help_text=_("One line on what comes and how often.")
    )
    description = models.TextField(_("description"), blank=True)
    language = models.CharField(_("language"), max_length=10, default="en")
    from_name = models.CharField(_("from name"), max_length=100)
    from_email = models.EmailField(_("from address"))
    reply_to = models.EmailField(_("reply-to address"), blank=True)
    postal_address = models.TextField(
        _("postal address"), blank=True, help_text=_("Empty: the publisher's.")
    )
    footer = models.TextField(_("footer"), blank=True)
    brand_colour = models.CharField(
        _("brand colour"), max_length=7, default=OUR_GREEN, validators=[readable_colour]
    )
    font_stack = models.CharField(
        _("fonts"), max_length=10, choices=FontStack, default=FontStack.HOUSE
    )
    logo = models.ForeignKey(
        "wagtailimages.Image", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    # Never changes once mail has gone out: readers' filters hang on it (RFC 2919 section 3).
    list_id_label = models.SlugField(_("List-Id label"), unique=True)
    sensitive = models.BooleanField(
        _("sensitive"),
        default=False,
        help_text=_("Leaves only by a transport allowed for health data; subjects stay neutral."),
    )
    discreet = models.BooleanField(
        _("discreet"),
        default=False,
        help_text=_(
            "What shows on a locked screen names no condition: sender, subject, preview line, "
            "List-Id. Sensitive newsletters always are."
        ),
    )
    country = models.CharField(
        _("country of its readers"),
        max_length=2,
        choices=COUNTRIES,
        blank=True,
        help_text=_("Decides the emergency number. Empty: the publisher's number."),
    )
    conditions_in_subject = models.BooleanField(
        _("conditions in the subject"),
        default=False,
        help_text=_(
            "Digests only: subjects name the conditions of readers who chose that themselves. "
            "A discreet or sensitive newsletter never does."
        ),
    )
    seed_addresses = models.TextField(
        _("seed addresses"),
        blank=True,
        validators=[several_addresses],
        help_text=_(
            "One a line, up to ten. Tests can go to these as well: mailboxes of your own at the "
            "large providers, to see how the mail arrives there."
        ),
    )
    unknown_policy = models.CharField(
        _("when it is unknown whether a mail went out"),
        max_length=10,
        choices=UnknownPolicy,
        default=UnknownPolicy.RESEND,
    )
    open_for_signup = models.BooleanField(_("open for sign-up"), default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def seeds(self) -> list[str]:
        """Addresses of the publisher's own, to which tests can go."""
        return addresses_in(self.seed_addresses)

    def clean(self) -> None:
        super().clean()
        if self.is_discreet:
            self._refuse_telling_names()

    def _refuse_telling_names(self) -> None:
        """What every copy carries past a locked screen names no condition (standards I4)."""
        local_part = self.from_email.partition("@")[0]
        for name, text in (
            ("from_name", self.from_name),
            ("from_email", local_part),
            ("list_id_label", self.list_id_label),
        ):
            if term := condition_named_in(text):
                raise ValidationError(
                    {
                        name: _("This newsletter is discreet, and this names “%(term)s”.")
                        % {"term": term}
                    }
                )

    @property
    def is_discreet(self) -> bool:
        return self.discreet or self.sensitive

    def emergency_number(self, otherwise: str) -> str:
        """Return whom its readers call; `otherwise` is the publisher's number."""
        return number_for(self.country, otherwise)

    @property
    def is_digest(self) -> bool:
        return self.kind == self.Kind.DIGEST

    @property
    def may_name_conditions(self) -> bool:
        """May a subject name what its reader follows, if the reader wants that too?"""
        return self.is_digest and self.conditions_in_subject and not self.is_discreet
