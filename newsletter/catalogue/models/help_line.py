"""Somebody to call about one condition, where the reader lives and in the reader's language."""

from typing import Self

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalKey

from newsletter.catalogue.emergency_numbers import COUNTRIES

phone_number = RegexValidator(
    r"^\+?[0-9][0-9 ]{1,18}\Z", _("Write a number that can be dialled, for example 112.")
)


class HelpLineQuerySet(models.QuerySet["HelpLine"]):
    def spoken(self, *, country: str, language: str) -> Self:
        """Those for a reader of this language in this country; an empty field is for all."""
        return self.filter(country__in=["", country], language__in=["", language])


class HelpLine(models.Model):
    condition = ParentalKey(
        "catalogue.Condition", on_delete=models.CASCADE, related_name="help_lines"
    )
    name = models.CharField(_("name"), max_length=80)
    number = models.CharField(
        _("phone number"), max_length=20, validators=[phone_number], blank=True
    )
    hours = models.CharField(
        _("when"), max_length=80, blank=True, help_text=_("E.g. Day and night, free of charge.")
    )
    url = models.URLField(_("web address"), blank=True)
    country = models.CharField(
        _("country"), max_length=2, choices=COUNTRIES, blank=True, help_text=_("Empty: any.")
    )
    language = models.CharField(
        _("language"), max_length=10, blank=True, help_text=_("E.g. en. Empty: any.")
    )
    sort_order = models.PositiveSmallIntegerField(default=0, editable=False)

    objects = HelpLineQuerySet.as_manager()

    class Meta:
        ordering = ["sort_order", "pk"]
        verbose_name = _("help line")
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(number="", url=""), name="help_line_can_be_reached"
            )
        ]

    def __str__(self) -> str:
        return self.name
