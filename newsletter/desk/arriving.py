"""What keeps mail from arriving, in sentences for whoever sends."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from newsletter.approval.sender_domains import answers
from newsletter.catalogue.models import Newsletter
from newsletter.desk.progress import title_of
from newsletter.outcomes.reports import blame_of, came_back_of, complaints_of
from newsletter.sending.balance import Counts, counts_of
from newsletter.sending.models import Mailing

# Gmail and Yahoo want complaints below one in a thousand (Google's sender guidelines, 2024): told a
# little before. From `outcomes.complaints.MOST` on the mailing is paused.
MOST_COMPLAINTS = 0.0008
# One complaint in a small mailing is one reader, not a rate.
FEWEST_FOR_A_RATE = 500
# So many copies that come back because of how we send are no odd server's opinion.
FEWEST_BLAMED = 5
# More refused than this is a list, or a reputation, that needs looking at.
MOST_REFUSED = 0.05
FEWEST_REFUSED = 20


@dataclass(frozen=True, slots=True)
class ArrivalWarning:
    about: str
    what: str
    url: str = ""
    serious: bool = False
    records: tuple[str, ...] = ()


def domain_warnings(newsletters: "QuerySet[Newsletter]") -> Iterator[ArrivalWarning]:
    """What the DNS said last of the domains that these newsletters come from."""
    addresses = newsletters.values_list("from_email", flat=True)
    domains = {one.rpartition("@")[2].lower() for one in addresses}
    for row in answers(domains).order_by("domain"):
        wrong = [one for one in row.findings if one["level"] in ("bad", "warning")]
        if wrong:
            yield ArrivalWarning(
                about=row.domain,
                what=" ".join(f"{one['about']}: {one['message']}" for one in wrong),
                serious=any(one["level"] == "bad" for one in wrong),
                records=tuple(one["record"] for one in wrong if one.get("record")),
            )


def mailing_warnings(mailings: Collection[Mailing]) -> Iterator[ArrivalWarning]:
    """What went wrong with each: stopped by trouble, complained about, refused, come back."""
    sent, complained = counts_of(mailings), complaints_of(mailings)
    came_back, blame = came_back_of(mailings), blame_of(mailings)
    for mailing in mailings:
        pk = mailing.pk
        yield from _warnings(mailing, sent[pk], complained[pk], came_back[pk])
        if pk in blame and blame[pk].copies >= FEWEST_BLAMED:
            yield ArrivalWarning(
                title_of(mailing),
                _("%(n)d copies came back because of how we send. One server said: %(words)s")
                % {"n": blame[pk].copies, "words": blame[pk].words},
                reverse("desk:mailing", args=(pk,)),
                serious=True,
            )


def _warnings(
    mailing: Mailing, sent: Counts, complained: int, came_back: int
) -> Iterator[ArrivalWarning]:
    url = reverse("desk:mailing", args=(mailing.pk,))
    if mailing.trouble and mailing.state == Mailing.State.PAUSED:
        yield ArrivalWarning(
            title_of(mailing), _("Paused: %s") % mailing.trouble, url, serious=True
        )
    if sent.accepted >= FEWEST_FOR_A_RATE and complained > sent.accepted * MOST_COMPLAINTS:
        yield ArrivalWarning(
            title_of(mailing),
            _("%(n)d readers called it spam. Providers want fewer than one in a thousand.")
            % {"n": complained},
            url,
            serious=True,
        )
    # At the relay's door or days later: for the list it is the same.
    refused = sent.refused + came_back
    if refused >= FEWEST_REFUSED and refused > sent.planned * MOST_REFUSED:
        what = _("%(refused)d of %(planned)d addresses were refused.")
        if came_back:
            what = _(
                "%(refused)d of %(planned)d addresses were refused, %(came_back)d of them after "
                "the mail had been accepted."
            )
        numbers = {"refused": refused, "planned": sent.planned, "came_back": came_back}
        yield ArrivalWarning(title_of(mailing), what % numbers, url)
