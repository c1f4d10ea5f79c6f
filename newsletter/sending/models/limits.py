"""What staff allow themselves: how fast a domain may be mailed."""

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class DomainLimit(models.Model):
    """The most that one recipient domain gets, over all workers and mailings."""

    domain = models.CharField(
        _("domain"),
        max_length=253,
        unique=True,
        validators=[RegexValidator(r"^[^\s@A-Z]+\.[^\s@A-Z.]+$", _("Write it like gmail.com."))],
        help_text=_("What stands behind the @ in readers' addresses, in small letters."),
    )
    per_second = models.FloatField(
        _("messages a second"), validators=[MinValueValidator(0.01, _("At least 0.01."))]
    )

    class Meta:
        verbose_name = _("limit for a domain")
        verbose_name_plural = _("limits for domains")
        ordering = ["domain"]

    def __str__(self) -> str:
        return self.domain
