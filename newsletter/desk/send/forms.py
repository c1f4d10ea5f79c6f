"""When an issue goes out, as a sender chooses it."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from newsletter.approval.clocks import instant_of
from newsletter.approval.models import Schedule
from newsletter.approval.timing import Timing, Window

# The clocks of the world are at most so far behind UTC.
_LAST_CLOCK = timedelta(hours=12)
HOURS = [(hour, f"{hour:02d}:00") for hour in range(25)]


class SendForm(forms.Form):
    """Now, at an instant, or by readers' clocks; and between which hours.

    `timing` is what was chosen. Of a schedule that is changed it shows what stands.
    """

    approval = forms.IntegerField(widget=forms.HiddenInput, required=False)
    how = forms.ChoiceField(
        label=gettext_lazy("When"), choices=(), widget=forms.RadioSelect, required=False
    )
    send_at = forms.CharField(
        label=gettext_lazy("Day and time"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    hours = forms.BooleanField(
        label=gettext_lazy("Only between certain hours of the day"), required=False
    )
    opens = forms.TypedChoiceField(
        label=gettext_lazy("From"), choices=HOURS[:-1], coerce=int, initial=8, required=False
    )
    closes = forms.TypedChoiceField(
        label=gettext_lazy("Until"), choices=HOURS[1:], coerce=int, initial=20, required=False
    )
    by_reader = forms.ChoiceField(
        label=gettext_lazy("By whose clock"), choices=(), required=False, initial=""
    )

    timing: Timing

    def __init__(self, *args: Any, usual: str = Schedule.How.NOW, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Wagtail has switched to the zone in the member of staff's own account by now.
        self.zone = timezone.get_current_timezone_name()
        self._usual = usual
        undo = round(settings.SENDING_UNDO_SECONDS)
        self.fields["how"].choices = [  # type: ignore[attr-defined]
            (
                Schedule.How.NOW,
                ngettext(
                    "Now, with %(n)d second to undo it", "Now, with %(n)d seconds to undo it", undo
                )
                % {"n": undo}
                if undo
                else _("Now"),
            ),
            (Schedule.How.INSTANT, _("At a day and time")),
            (Schedule.How.LOCAL, _("At a day and time by each reader's own clock")),
        ]
        self.fields["how"].initial = self.fields["how"].initial or usual
        self.fields["send_at"].help_text = _(
            "By the clock in %(zone)s, or by each reader's own if you chose that."
        ) % {"zone": self.zone}
        self.fields["by_reader"].choices = [  # type: ignore[attr-defined]
            ("", _("Yours (%(zone)s)") % {"zone": self.zone}),
            ("1", _("Each reader's own")),
        ]

    @staticmethod
    def initial_of(schedule: Schedule) -> dict[str, Any]:
        wall = schedule.wall or timezone.localtime(schedule.send_at)
        return {
            "how": Schedule.How.INSTANT if schedule.how == Schedule.How.NOW else schedule.how,
            "send_at": wall.strftime("%Y-%m-%dT%H:%M"),
            "hours": schedule.window is not None,
            "opens": 8 if schedule.opens is None else schedule.opens,
            "closes": 20 if schedule.closes is None else schedule.closes,
            "by_reader": "1" if schedule.by_reader else "",
        }

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if self.errors:
            return cleaned
        now = timezone.now()
        how = cleaned["how"] = cleaned.get("how") or self._usual
        window = self._window(cleaned, local=how == Schedule.How.LOCAL)
        if how == Schedule.How.NOW:
            send_at = now + timedelta(seconds=settings.SENDING_UNDO_SECONDS)
            self.timing = Timing(send_at, self.zone, now, None, window)
            return cleaned
        wall = self._typed(cleaned.get("send_at", ""))
        if wall is None:
            return cleaned
        if how == Schedule.How.LOCAL:
            if instant_of(wall, UTC) + _LAST_CLOCK < now:
                self.add_error("send_at", _("That time has passed on every clock there is."))
                return cleaned
            self.timing = Timing(now, self.zone, now, wall, window)
            return cleaned
        try:
            send_at = forms.utils.from_current_timezone(wall)
        except ValidationError as error:
            # A time that the clock skips, or shows twice: which one is meant, only a person knows.
            self.add_error("send_at", error)
            return cleaned
        if send_at < now:
            # The verb refuses it too, with a little tolerance; here is where it can be mended.
            self.add_error("send_at", _("That time has passed. Choose one that is still to come."))
            return cleaned
        self.timing = Timing(send_at, self.zone, now, None, window)
        return cleaned

    def _window(self, cleaned: dict[str, Any], *, local: bool) -> Window | None:
        if not cleaned.get("hours"):
            return None
        opens = cleaned["opens"] if cleaned.get("opens") != "" else 8
        closes = cleaned["closes"] if cleaned.get("closes") != "" else 20
        if closes <= opens:
            self.add_error("closes", _("The hours have to end after they begin."))
            return None
        # Who goes by readers' clocks means their evenings too.
        return Window(opens, closes, local or bool(cleaned.get("by_reader")))

    def _typed(self, typed: str) -> datetime | None:
        for pattern in ("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"):
            try:
                return datetime.strptime(typed.strip(), pattern)  # a wall's clock
            except ValueError:
                continue
        self.add_error(
            "send_at",
            _("Choose a day and a time.")
            if not typed.strip()
            else _("That is no day and time. Write it like 2026-11-23 08:00."),
        )
        return None


def tomorrow_morning() -> str:
    """What stands in the field at first."""
    day = timezone.localdate() + timedelta(days=1)
    return datetime.combine(day, time(8)).strftime("%Y-%m-%dT%H:%M")
