"""A reader who does not exist, for whom staff look at digests."""

from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from signup.models import Subscription


class ReaderProfile(models.Model):
    """Made up at the desk: nothing in it comes from anybody's choices."""

    name = models.CharField(_("name"), max_length=60, unique=True)
    conditions = models.ManyToManyField(
        "catalogue.Condition", related_name="+", verbose_name=_("follows")
    )
    language = models.CharField(_("language"), max_length=10, default="en")
    timezone = models.CharField(_("time zone"), max_length=64, default="UTC")
    cadence = models.CharField(
        _("how often"),
        max_length=10,
        choices=Subscription.Cadence,
        default=Subscription.Cadence.WEEKLY,
    )
    weekday = models.PositiveSmallIntegerField(
        _("weekday"), default=0, validators=[MaxValueValidator(6)]
    )
    hour = models.PositiveSmallIntegerField(
        _("hour"), default=8, validators=[MaxValueValidator(23)]
    )
    text_only = models.BooleanField(_("plain text only"), default=False)
    is_new = models.BooleanField(_("gets the first digest"), default=False)

    class Meta:
        ordering = ["name"]
        default_permissions = ()

    def __str__(self) -> str:
        return self.name
