"""Pause, resume, cancel: one conditional UPDATE, which claim and every chunk look at."""

import logging
from typing import Any

from django.utils.translation import gettext as _

from newsletter.sending.errors import NotPossible
from newsletter.sending.models import Batch, Mailing
from newsletter.transports.values import without_addresses

log = logging.getLogger(__name__)
_State = Mailing.State


def pause(*, mailing: Mailing) -> None:
    """Stop sending within a chunk. Raises NotPossible unless it is being sent."""
    _move(mailing, _State.PAUSED)


def resume(*, mailing: Mailing) -> None:
    """Go on. Raises NotPossible unless it is paused."""
    _move(mailing, _State.SENDING, origins=[_State.PAUSED], trouble="")
    # Their ids came to workers while it was paused, and did nothing: the feeder must not wait
    # until it would believe them lost. One that comes twice is harmless.
    Batch.objects.filter(mailing=mailing, state=Batch.State.READY).exclude(fed_at=None).update(
        fed_at=None
    )


def cancel(*, mailing: Mailing) -> None:
    """Send nothing more of it, for good. Raises NotPossible when it has ended or is cancelled.

    What was not handed over becomes skipped in the next sweep (`settle`), which may take a
    moment for a large mailing; nothing of it goes out meanwhile.
    """
    _move(mailing, _State.CANCELLED)


def stop_for_trouble(mailing_id: int, trouble: str) -> None:
    """Pause because of something that only a person can mend, and keep why for the staff."""
    trouble = without_addresses(trouble)
    stopped = Mailing.objects.filter(pk=mailing_id, state=_State.SENDING).update(
        state=_State.PAUSED, trouble=trouble[:300]
    )
    if stopped:
        log.error("Mailing %s was paused: %s", mailing_id, trouble)


def _move(
    mailing: Mailing, state: Mailing.State, origins: list[Mailing.State] | None = None, **also: Any
) -> None:
    origins = Mailing.origins_of(state) if origins is None else origins
    moved = Mailing.objects.filter(pk=mailing.pk, state__in=origins).update(state=state, **also)
    mailing.refresh_from_db()
    if not moved:
        raise NotPossible(
            _("This mailing is “%(now)s” and cannot become “%(wanted)s”.")
            % {"now": mailing.get_state_display(), "wanted": state.label}
        )
