"""Addresses of our own pages, whole, as a mail needs them."""

from django.conf import settings
from django.urls import reverse

_PLACE = "TOKEN"


def issue(slug: str) -> str:
    return settings.BASE_URL + reverse("archive:issue", args=[slug])


def article(slug: str) -> str:
    return settings.BASE_URL + reverse("archive:article", args=[slug])


def feedback(slug: str) -> str:
    """Where readers say what they think of an issue; the answer follows. It names no reader."""
    return settings.BASE_URL + reverse("outcomes:feedback", args=[slug])


def conditions() -> str:
    return settings.BASE_URL + reverse("archive:condition_list")


def condition(slug: str) -> str:
    return settings.BASE_URL + reverse("archive:condition", args=[slug])


def preferences_request() -> str:
    """The page that mails a fresh link: a mail's own may end, but never show (invariant 17)."""
    return settings.BASE_URL + reverse("signup:preferences_request")


def unsubscribe_parts() -> tuple[str, str]:
    """What stands before and after the token, so that a copy costs no look-up of addresses."""
    return _parts("signup:unsubscribe")


def withdraw_parts() -> tuple[str, str]:
    """The same for the page on which a consent is withdrawn."""
    return _parts("signup:withdraw")


def stop_section_parts() -> tuple[str, str]:
    """The same for the page on which one section of a digest is stopped."""
    return _parts("signup:stop_section")


def _parts(name: str) -> tuple[str, str]:
    before, _, after = reverse(name, args=[_PLACE]).partition(_PLACE)
    return settings.BASE_URL + before, after
