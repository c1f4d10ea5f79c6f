"""The signed hidden field: that a form came from here, where it stood, which words it showed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum

from signup import tokens
from signup.models import ConsentText


class Place(IntEnum):
    """Where a form stood, so that the ledger can name the page."""

    SIGN_UP_PAGE = 1
    CONDITION_PAGE = 2
    CONDITION_SIGN_UP_PAGE = 3
    PREFERENCES_PAGE = 4
    # On another web site, or shown by its script; the address it is sent to says which form.
    EMBEDDED = 5


@dataclass(frozen=True, slots=True)
class FormToken:
    """What a form of ours carries back: where it stood and which wordings it showed."""

    place: Place
    text_ids: tuple[int, ...]
    age: timedelta


def form_token(place: Place, texts: Mapping[ConsentText.Purpose, ConsentText]) -> str:
    """Return the hidden field's value. It takes the place of a CSRF cookie (docs/privacy.md).

    A public page sets no cookie (invariant 14), and there is nothing to ride on: a sign-up acts
    for nobody who is logged in. The token shows that the form came from here and which exact
    wordings stood beside its boxes. It never expires, since pages are cached and left open.
    """
    ids = [texts[purpose].pk if purpose in texts else 0 for purpose in ConsentText.Purpose]
    return tokens.make(tokens.Purpose.FORM, place, *ids)


def read_form_token(raw: str) -> FormToken | None:
    """Return what the hidden field says, or None when it is not ours."""
    try:
        claims = tokens.read(tokens.Purpose.FORM, raw)
        place = Place(claims.ids[0])
    except ValueError:
        return None
    age = datetime.now(UTC) - (claims.issued_at or datetime.now(UTC))
    return FormToken(place, tuple(filter(None, claims.ids[1:])), age)
