"""The organisation that publishes: who stands behind every mail and every form."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.contrib.settings.models import BaseGenericSetting
from wagtail.fields import RichTextField


class Publisher(BaseGenericSetting):
    name = models.CharField(_("name"), max_length=120, default="Wellread")
    postal_address = models.TextField(_("postal address"), blank=True)
    contact_email = models.EmailField(_("contact address"), blank=True)
    system_from_email = models.EmailField(
        _("from address of system mail"), help_text=_("Empty: DEFAULT_FROM_EMAIL."), blank=True
    )
    emergency_number = models.CharField(_("emergency number"), max_length=20, default="112")
    privacy_notice = RichTextField(_("privacy notice"), blank=True)

    class Meta:
        verbose_name = _("publisher")
