"""Which of many things in review any second person may decide on, for lists of what waits.

The exact answer renders a draft's medical blocks, which is fine for one page about one draft and
not for a dashboard with forty. So answers are kept for some minutes. A list that errs meanwhile
does no harm: the page behind it, and signing off itself, ask anew.
"""

import logging
from collections.abc import Sequence

import redis
from django.core.cache import cache
from django.db.models import Max

from newsletter.approval import sign_off
from newsletter.approval.models import Approval
from newsletter.catalogue.models import Publisher
from newsletter.desk.models import MedicalReview
from newsletter.editions.models import Article, Issue

log = logging.getLogger(__name__)

KEPT_SECONDS = 600

Thing = Issue | Article


def open_to_second_person(things: Sequence[Thing]) -> set[Thing]:
    """Return those whose medical words a doctor's approval still covers."""
    bases: dict[Thing, Approval] = {}
    for model in (Issue, Article):
        of_it = [one for one in things if isinstance(one, model)]
        signed = sign_off.signed_medically(of_it)
        bases.update({one: signed[one.pk] for one in of_it if one.pk in signed})
    if not bases:
        return set()  # as on most days: nothing of all this went out under a doctor's name before
    keys = _keys(bases)
    known = _known(list(keys.values()))
    found = {
        thing: not MedicalReview.needs_doctor(thing) for thing in keys if keys[thing] not in known
    }
    if found:
        _keep({keys[thing]: open_ for thing, open_ in found.items()})
    return {thing for thing in keys if known.get(keys[thing], found.get(thing, False))}


def _keys(bases: dict[Thing, Approval]) -> dict[Thing, str]:
    """What the answer hangs on: the draft, the doctor's approval, and what drafts show of others,
    which changes by a newer approval or by the publisher's number to call."""
    newest = Approval.objects.aggregate(newest=Max("pk"))["newest"]
    number = Publisher.current().emergency_number.encode().hex()
    return {
        thing: f"second-person-{thing._meta.model_name}-{thing.pk}-{thing.latest_revision_id}"
        f"-{basis.pk}-{newest}-{number}"
        for thing, basis in bases.items()
    }


def _known(keys: list[str]) -> dict[str, bool]:
    try:
        return dict(cache.get_many(keys))
    except redis.RedisError as error:
        log.info("What a second person may decide on is worked out anew: %s", error)
        return {}


def _keep(answers: dict[str, bool]) -> None:
    try:
        cache.set_many(answers, timeout=KEPT_SECONDS)
    except redis.RedisError as error:
        log.info("What a second person may decide on could not be kept: %s", error)
