"""What staff allow themselves: how fast a domain may be mailed, and how much a day at first."""

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from newsletter.transports.select import relays_in_settings


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


def daily_caps(text: str) -> list[int]:
    """Return the numbers of a warm-up plan. Raises ValidationError."""
    words = text.replace(",", " ").split()
    if not words or not all(word.isascii() and word.isdigit() and int(word) for word in words):
        raise ValidationError(_("Write whole numbers with blanks between them: 500 1000 2000"))
    return [int(word) for word in words]


def check_caps(text: str) -> None:
    daily_caps(text)


class WarmUp(models.Model):
    """A new domain or IP address earns its name slowly: so many messages on the first day on which
    anything is sent, so many on the second. The newest plan that has begun counts."""

    DOUBLING = "500 1000 2000 4000 8000 16000 32000 64000"

    name = models.CharField(
        _("what for"), max_length=80, help_text=_("Such as: new address of the relay.")
    )
    relay = models.CharField(
        _("relay"),
        max_length=270,
        blank=True,
        help_text=_(
            "Host and port, as the page Sending names it, if only what leaves by this relay is "
            "limited. Left empty, the plan is for everything that leaves."
        ),
    )
    begins_on = models.DateField(_("begins on"), default=timezone.localdate)
    caps = models.CharField(
        _("messages a day"),
        max_length=300,
        default=DOUBLING,
        validators=[check_caps],
        help_text=_(
            "One number for each day on which something is sent. After the last one nothing is "
            "limited any more."
        ),
    )

    class Meta:
        verbose_name = _("warm-up plan")
        verbose_name_plural = _("warm-up plans")
        ordering = ["-begins_on", "-pk"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        known = relays_in_settings()
        if self.relay and self.relay not in known:
            raise ValidationError(
                {"relay": _("Mail leaves by: %(relays)s.") % {"relays": ", ".join(known) or "–"}}
            )


class SendingDay(models.Model):
    """How much of mailings was handed to workers on one day, while a warm-up plan counts."""

    day = models.DateField()
    # As in the plan; empty for everything that leaves.
    relay = models.CharField(max_length=270, blank=True)
    taken = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["day", "relay"], name="one_count_a_day_and_relay")
        ]
