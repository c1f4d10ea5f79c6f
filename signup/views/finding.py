"""Searching among the conditions by loading the page anew, for who has no JavaScript."""

from django.http import HttpRequest


def is_search(request: HttpRequest) -> bool:
    """True when the search's button was pressed, or Enter after new words were typed there."""
    asked, shown = request.POST.get("q", ""), request.POST.get("q_shown", "")
    return "find" in request.POST or ("enter" in request.POST and bool(asked) and asked != shown)
