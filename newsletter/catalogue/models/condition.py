"""A health topic that a reader can follow, and the page that explains it."""

import re
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.fields import RichTextField

if TYPE_CHECKING:
    # Modelcluster is untyped: to the checker a model made of it would have no manager.
    from django.db.models import Model as ClusterableModel
else:
    from modelcluster.models import ClusterableModel

# ICD-10: a letter, two characters, and up to four behind a point. SNOMED CT: 6 to 18 digits.
_CODES = {
    "icd10": re.compile(r"[A-Z][0-9][0-9A-Z](\.[0-9A-Z]{1,4})?"),
    "snomed": re.compile(r"[1-9][0-9]{5,17}"),
}
# The names this process read last, for the page that says that the database does not answer.
_names: dict[str, str] = {}

PROSE = ["h3", "bold", "italic", "ol", "ul", "link"]


class ConditionQuerySet(models.QuerySet["Condition"]):
    def open(self) -> Self:
        """The conditions that can be followed today."""
        return self.filter(retired_at__isnull=True)


class Condition(ClusterableModel):
    class CodeSystem(models.TextChoices):
        ICD10 = "icd10", _("ICD-10")
        SNOMED = "snomed", _("SNOMED CT")

    name = models.CharField(_("name"), max_length=100)
    slug = models.SlugField(_("slug"), unique=True)
    group = models.CharField(
        _("group"), max_length=60, help_text=_("Where a reader looks for it, e.g. Back and joints.")
    )
    synonyms = models.CharField(
        _("synonyms"), max_length=400, blank=True, help_text=_("Separated by commas.")
    )
    code_system = models.CharField(
        _("coded in"), max_length=10, choices=CodeSystem, blank=True, default=""
    )
    code = models.CharField(
        _("code"), max_length=20, blank=True, help_text=_("E.g. M51.1 in ICD-10.")
    )
    sensitive = models.BooleanField(
        _("especially sensitive"),
        default=False,
        help_text=_("To be known as its reader could do harm, e.g. HIV, addiction, mental health."),
    )
    summary = models.CharField(_("summary"), max_length=300)
    overview = RichTextField(_("overview"), features=PROSE)
    symptoms = RichTextField(_("symptoms"), features=PROSE)
    causes = RichTextField(_("causes"), features=PROSE)
    risk_factors = RichTextField(_("risk factors"), features=PROSE)
    prevention = RichTextField(_("prevention"), features=PROSE)
    when_to_see_a_doctor = RichTextField(_("when to see a doctor"), features=PROSE)
    emergency_signs = models.TextField(_("emergency signs"), help_text=_("One sign a line."))
    artwork = models.CharField(
        _("artwork"), max_length=60, blank=True, help_text=_("Name of a drawing in static/art/.")
    )
    reviewed_by = models.CharField(_("medically reviewed by"), max_length=120, blank=True)
    reviewed_on = models.DateField(_("reviewed on"), null=True, blank=True)
    review_due = models.DateField(_("review due"), null=True, blank=True)
    # What a digest shows first when a reader follows several conditions; larger is earlier.
    weight = models.SmallIntegerField(_("weight"), default=0)
    retired_at = models.DateTimeField(_("retired at"), null=True, blank=True)

    objects = ConditionQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def from_db(
        cls, db: str | None, field_names: Collection[str], values: Collection[Any], **named: Any
    ) -> Self:
        condition = super().from_db(db, field_names, values, **named)
        if {"slug", "name"} <= condition.__dict__.keys():
            _names[condition.slug] = condition.name
        return condition

    @classmethod
    def last_read_name(cls, slug: str) -> str | None:
        """Return the name that this process read last, asking no database; None if it never did."""
        return _names.get(slug)

    def clean(self) -> None:
        super().clean()
        self.code = self.code.strip().upper()
        if bool(self.code) != bool(self.code_system):
            raise ValidationError(
                {"code": _("A code needs the system it is from, and vice versa.")}
            )
        if self.code and not _CODES[self.code_system].fullmatch(self.code):
            raise ValidationError(
                {
                    "code": _("“%(code)s” is no code of %(system)s.")
                    % {"code": self.code, "system": self.get_code_system_display()}
                }
            )

    @property
    def language(self) -> str:
        """Conditions are written in the service's own language; pages in another say so."""
        return str(settings.LANGUAGE_CODE)

    @property
    def emergency_sign_list(self) -> list[str]:
        return [line.strip() for line in self.emergency_signs.splitlines() if line.strip()]
