"""Pages of a list; whatever somebody types as ?page= leads to one of them."""

from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest


def page_of(request: HttpRequest, rows: QuerySet[Any, Any], size: int) -> Page[Any]:
    """Return the page asked for: the first for no number, the last for one that is too large."""
    return Paginator(rows, size).get_page(request.GET.get("page"))
