"""The page in the place of what was recalled: that it was, when and why, and what is right."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from newsletter.archive.notices import Notice


def recalled_page(request: HttpRequest, notice: Notice, *, list_view: str) -> HttpResponse:
    """Answers 200: readers come here from the mail they have, and some networks put a page of
    their own in the place of an error's. Search engines are told to forget it."""
    response = render(request, "archive/recalled.html", {"notice": notice, "list_view": list_view})
    response["X-Robots-Tag"] = "noindex"
    # Whoever kept the page from before has to ask again.
    response["Cache-Control"] = "no-cache"
    return response
