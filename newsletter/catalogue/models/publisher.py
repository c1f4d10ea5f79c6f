"""The organisation that publishes: who stands behind every mail and every form."""

from collections import deque
from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.contrib.settings.models import BaseGenericSetting
from wagtail.fields import RichTextField

from newsletter.catalogue.models.colour import OUR_GREEN, readable_colour

_remembered: deque["Publisher"] = deque(maxlen=1)


class Publisher(BaseGenericSetting):
    name = models.CharField(_("name"), max_length=120, default="Wellread")
    postal_address = models.TextField(_("postal address"), blank=True)
    contact_email = models.EmailField(_("contact address"), blank=True)
    system_from_email = models.EmailField(
        _("from address of system mail"), help_text=_("Empty: DEFAULT_FROM_EMAIL."), blank=True
    )
    emergency_number = models.CharField(_("emergency number"), max_length=20, default="112")
    endorsement_policy_url = models.URLField(
        _("endorsement policy"),
        blank=True,
        help_text=_("The page that says what sponsors may do and may not. Sponsor blocks link it."),
    )
    privacy_notice = RichTextField(_("privacy notice"), blank=True)
    brand_colour = models.CharField(
        _("brand colour"),
        max_length=7,
        default=OUR_GREEN,
        validators=[readable_colour],
        help_text=_("Of links and buttons on the public pages, as #RRGGBB."),
    )

    class Meta:
        verbose_name = _("publisher")

    @classmethod
    def current(cls) -> Self:
        """Return the publisher without writing: a page that is only looked at changes nothing."""
        found = cls._default_manager.first() or cls()
        _remembered.append(found)
        return found

    @classmethod
    def last_read(cls) -> "Publisher":
        """Return what this process read last: for the page that says the database fails."""
        return _remembered[-1] if _remembered else cls()

    @property
    def has_own_brand(self) -> bool:
        return self.brand_colour.upper() != OUR_GREEN
