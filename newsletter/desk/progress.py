"""How far a mailing is, in numbers and in words: for its page, the list and the dashboard."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, F, Sum
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter.desk import speed
from newsletter.desk.send.outlook import domain_rates
from newsletter.desk.send.turns import Ahead, ahead_of
from newsletter.desk.stages import sent_but_for
from newsletter.sending import warm_up
from newsletter.sending.balance import Counts, counts
from newsletter.sending.models import Batch, Delivery, Mailing


def title_of(mailing: Mailing) -> str:
    """Return what staff know it by: its issue, or else its newsletter."""
    return str(mailing.issue.title if mailing.issue else mailing.newsletter.name)


@dataclass(frozen=True, slots=True)
class Progress:
    """The plain numbers of one mailing."""

    mailing: Mailing
    counts: Counts
    retrying: int
    # Messages a second; None before anything can be said.
    rate: float | None
    # At that rate; None when it is not moving or nobody can know.
    left: timedelta | None
    # How many wait for a domain that is mailed more slowly, and how long the last of them will.
    slowed: int = 0
    slowed_left: timedelta | None = None
    # Today's share of a warm-up plan is used up: when it goes on.
    goes_on_at: datetime | None = None
    # Where readers' clocks decide, or it goes between certain hours only.
    ahead: Ahead | None = None
    # Of `retrying`, how many count as unknown until their second copy goes, and not as open.
    unknown_retrying: int = 0

    @property
    def done(self) -> int:
        return self.counts.planned - self.counts.open

    @property
    def percent(self) -> int:
        """Rounded down: 100 means all."""
        return self.done * 100 // self.counts.planned if self.counts.planned else 0

    @property
    def moves(self) -> bool:
        return self.mailing.state in (Mailing.State.PLANNING, Mailing.State.SENDING)

    @property
    def is_sent_but_for_retries(self) -> bool:
        """Everybody had their turn; what is left waits because a mail server asked for patience,
        for up to SENDING_GIVE_UP_DAYS. For staff that is a mailing that was sent."""
        return (
            self.mailing.state == Mailing.State.SENDING
            and self.retrying > 0
            and self.counts.open <= self.retrying - self.unknown_retrying
        )

    @property
    def stage(self) -> str:
        """What stands on the page's badge."""
        if self.is_sent_but_for_retries:
            return sent_but_for(self.retrying)
        return str(self.mailing.get_state_display()).capitalize()

    @property
    def remaining(self) -> str:
        """In words, and no more exact than it can be."""
        if not self.moves:
            return ""
        if self.mailing.state == Mailing.State.PLANNING:
            return _("Making the list of readers")
        if self.is_sent_but_for_retries:
            return _("Waiting to try again where a mail server asked for patience")
        if self.goes_on_at is not None:
            when = date_format(timezone.localtime(self.goes_on_at), "j F, H:i")
            return _("Today's share of the warm-up plan is sent. It continues on %(when)s") % {
                "when": when
            }
        if self.ahead and self.ahead.closed_until:
            return _("Goes on %(when)s") % {"when": self.ahead.closed_until}
        if self.ahead and self.ahead.ends:
            return self._last_of_all(self.ahead)
        if self.left is None:
            return _("Measuring how fast it goes")
        left = max(self.left, self.slowed_left or self.left)
        minutes = round(left.total_seconds() / 60)
        if minutes < 1:
            return _("Less than a minute left")
        if minutes < 90:
            return ngettext("About %(n)d minute left", "About %(n)d minutes left", minutes) % {
                "n": minutes
            }
        hours = round(minutes / 60)
        return ngettext("About %(n)d hour left", "About %(n)d hours left", hours) % {"n": hours}

    @staticmethod
    def _last_of_all(ahead: Ahead) -> str:
        if ahead.where:
            return _("The last readers, in %(where)s, about %(when)s") % {
                "where": ahead.where,
                "when": ahead.ends,
            }
        return _("The last readers about %(when)s") % {"when": ahead.ends}


def progress_of(mailing: Mailing) -> Progress:
    """Return it as it is at this moment, and leave a sample of how fast it goes."""
    numbers = counts(mailing)
    waiting = dict(
        Delivery.objects.filter(mailing=mailing, retry_at__isnull=False)
        .order_by()
        .values_list("state")
        .annotate(number=Count("pk"))
    )
    retrying, unknown = sum(waiting.values()), waiting.get(Delivery.State.UNKNOWN, 0)
    handled = numbers.planned - numbers.open
    rate = speed.rate_of(mailing, handled)
    left = None
    if rate and mailing.state == Mailing.State.SENDING:
        left = timedelta(seconds=max(0, numbers.open - (retrying - unknown)) / rate)
    if mailing.state != Mailing.State.SENDING:
        return Progress(mailing, numbers, retrying, rate, left, unknown_retrying=unknown)
    slowed, slowed_left = waiting_for_domains(mailing)
    today = None if mailing.kind == Mailing.Kind.ALERT else warm_up.today()
    goes_on_at = today.goes_on_at if today and not today.left else None
    ahead = ahead_of(mailing, rate)
    return Progress(
        mailing,
        numbers,
        retrying,
        rate,
        left,
        slowed,
        slowed_left,
        goes_on_at,
        ahead,
        unknown,
    )


def waiting_for_domains(mailing: Mailing) -> tuple[int, timedelta | None]:
    """Return how many of a mailing wait for a slowed domain, and until the last may go."""
    rows = list(
        Batch.objects.filter(mailing=mailing)
        .exclude(domain="")
        .exclude(state=Batch.State.DONE)
        .values_list("domain")
        .annotate(
            number=Sum(
                F("planned") - F("accepted") - F("refused") - F("skipped") - F("unknown"),
                default=0,
            )
        )
    )
    if not rows:
        return 0, None
    rates = domain_rates()
    seconds = [number / rates[domain] for domain, number in rows if rates.get(domain)]
    longest = timedelta(seconds=max(seconds)) if seconds else None
    return sum(number for _domain, number in rows), longest
