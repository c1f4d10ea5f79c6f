"""Pages of readers, newest first: by keyset, so that the thousandth costs what the first did.

Nothing is counted. Each page is a few reads of an index that ends with the reader's number, so
its cost does not depend on how many readers there are.
"""

import heapq
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from newsletter.catalogue.models import Condition, Newsletter
from signup.address import BadAddress, normalise
from signup.models import Follow, Subscriber, Subscription

PER_PAGE = 50
# So many readers are looked at for one page when two things are asked at once. Then the page ends
# and offers to look further, rather than keep staff and database waiting.
MOST_LOOKED_AT = 6_000
_STRIDE = 1_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the list is asked for. `state` and `newsletter` speak of one and the same row."""

    state: str = ""
    newsletter: Newsletter | None = None
    condition: Condition | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: with readers below `before`, or with those above `after`."""

    before: int | None = None
    after: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """`older` and `newer` are the numbers to go on from; None: that is the end."""

    readers: list[Subscriber]
    older: int | None
    newer: int | None
    # The search stopped before the page was full; `older` or `newer` goes on from there.
    unfinished: bool = False


def by_address(typed: str) -> Subscriber | None:
    """Return the reader with this very address, however it is spelled. Raises BadAddress."""
    return Subscriber.objects.filter(email_key=normalise(typed).key).first()


def key_of(typed: str) -> str:
    """Return what every spelling of this address shares. Raises BadAddress."""
    return normalise(typed).key


def by_address_or_number(typed: str) -> Subscriber | None:
    """As `by_address`; a plain number is the reader's own. Raises BadAddress."""
    typed = typed.strip()
    number = typed.removeprefix("#")
    if number.isascii() and number.isdigit() and len(number) <= 18:
        return Subscriber.objects.filter(pk=int(number)).first()
    if not typed:
        raise BadAddress("Enter an address or a number.")
    return by_address(typed)


def page_of(wanted: Wanted, place: Place) -> Page:
    """Return one page of readers."""
    upwards = place.after is not None
    start = place.after if upwards else place.before
    ids, stopped_at = _ids(wanted, start, upwards)
    more = len(ids) > PER_PAGE
    ids = ids[:PER_PAGE]
    if upwards:
        ids.reverse()
    readers = _rows(ids)
    first = ids[0] if ids else start
    last = ids[-1] if ids else start
    if upwards:
        newer = first if more else stopped_at
        return Page(readers, last, newer, stopped_at is not None)
    older = last if more else stopped_at
    newer = first if start is not None else None
    return Page(readers, older, newer, stopped_at is not None)


def _rows(ids: list[int]) -> list[Subscriber]:
    found = Subscriber.objects.prefetch_related("subscriptions__newsletter").in_bulk(ids)
    return [found[pk] for pk in ids if pk in found]


def _ids(wanted: Wanted, start: int | None, upwards: bool) -> tuple[list[int], int | None]:
    """One more than a page of numbers, and where the search gave up, if it did."""
    narrowed = bool(wanted.state or wanted.newsletter)
    if wanted.condition is not None and narrowed:
        return _both(wanted, start, upwards)
    if wanted.condition is not None:
        follows = Follow.objects.filter(condition=wanted.condition)
        return _next(follows, start, upwards, PER_PAGE + 1), None
    if narrowed:
        return _subscribed(wanted, start, upwards, PER_PAGE + 1), None
    rows = Subscriber.objects.order_by("pk" if upwards else "-pk")
    if start is not None:
        rows = rows.filter(**{"pk__gt" if upwards else "pk__lt": start})
    return list(rows.values_list("pk", flat=True)[: PER_PAGE + 1]), None


def _subscribed(wanted: Wanted, start: int | None, upwards: bool, most: int) -> list[int]:
    """Merge one read per newsletter and state: each is a stretch of one index, in order."""
    newsletters = (
        [wanted.newsletter.pk]
        if wanted.newsletter
        else list(Newsletter.objects.order_by("pk").values_list("pk", flat=True))
    )
    states = [wanted.state] if wanted.state else Subscription.State.values
    stretches = [
        _next(Subscription.objects.filter(newsletter=newsletter, state=state), start, upwards, most)
        for newsletter in newsletters
        for state in states
    ]
    ids: list[int] = []
    for pk in heapq.merge(*stretches, reverse=not upwards):
        if not ids or ids[-1] != pk:
            ids.append(pk)
        if len(ids) >= most:
            break
    return ids


def _both(wanted: Wanted, start: int | None, upwards: bool) -> tuple[list[int], int | None]:
    """Who follows the condition and has such a subscription.

    Each time a stretch of both is read; the one that reaches further is the rarer there, so its
    readers are looked up in the other. A stretch that is empty ends the search at once.
    """
    follows = Follow.objects.filter(condition=wanted.condition)
    such = Subscription.objects.all()
    if wanted.state:
        such = such.filter(state=wanted.state)
    if wanted.newsletter:
        such = such.filter(newsletter=wanted.newsletter)
    ids: list[int] = []
    looked_at = 0
    while len(ids) <= PER_PAGE:
        if looked_at >= MOST_LOOKED_AT:
            return ids, start
        following = _next(follows, start, upwards, _STRIDE)
        subscribed = _subscribed(wanted, start, upwards, _STRIDE)
        if not following or not subscribed:
            break
        further = max if upwards else min
        rarer = following
        other: QuerySet[Any] = such
        # A stretch that is not full reaches to the end: nobody of its kind comes after it.
        if len(subscribed) < _STRIDE or (
            len(following) == _STRIDE and further(following[-1], subscribed[-1]) == subscribed[-1]
        ):
            rarer, other = subscribed, follows
        kept = set(other.filter(subscriber__in=rarer).values_list("subscriber", flat=True))
        ids += [pk for pk in rarer if pk in kept]
        looked_at += len(rarer)
        if len(rarer) < _STRIDE:
            break
        start = rarer[-1]
    return ids[: PER_PAGE + 1], None


def _next(
    rows: "QuerySet[Follow] | QuerySet[Subscription]", start: int | None, upwards: bool, most: int
) -> list[int]:
    rows = rows.order_by("subscriber" if upwards else "-subscriber")
    if start is not None:
        rows = rows.filter(**{"subscriber__gt" if upwards else "subscriber__lt": start})
    return list(rows.values_list("subscriber", flat=True)[:most])
