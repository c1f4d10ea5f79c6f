"""A publication that one can subscribe to: what its mails look like and where they come from."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from newsletter.catalogue.models.colour import OUR_GREEN, readable_colour


# The checker cannot see the manager of a model made of Wagtail's mixins, as Issue is.
class Newsletter(models.Model):  # type: ignore[django-manager-missing]
    class Kind(models.TextChoices):
        EDITORIAL = "editorial", _("Editorial: staff compose each issue")
        DIGEST = "digest", _("Digest: assembled for each reader from the conditions followed")

    class UnknownPolicy(models.TextChoices):
        RESEND = "resend", _("Send once more after a while (a reader may get two)")
        HOLD = "hold", _("Never send again (a reader may get none)")

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
    conditions_in_subject = models.BooleanField(
        _("conditions in the subject"),
        default=False,
        help_text=_(
            "Digests only: subjects name the conditions of readers who chose that themselves. "
            "A sensitive newsletter never does."
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
    def is_digest(self) -> bool:
        return self.kind == self.Kind.DIGEST

    @property
    def may_name_conditions(self) -> bool:
        """May a subject name what its reader follows, if the reader wants that too?"""
        return self.is_digest and self.conditions_in_subject and not self.sensitive
