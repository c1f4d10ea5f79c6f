"""Readers whom a safety alert or a correction did not reach, as they are listed."""

from typing import NamedTuple


class Unreached(NamedTuple):
    """One reader without it; why in the words of Delivery.State or Delivery.SkipReason."""

    # What the list is ordered by: its next page begins behind this number.
    place: int
    subscriber: int
    address: str | None
    reason: str
    reply: str
    will_be_tried: bool = False
