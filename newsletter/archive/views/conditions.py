"""Conditions: finding one, and its page with the form."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from newsletter.archive import published, search, structured
from newsletter.archive.paging import page_of
from newsletter.catalogue.models import Condition, Publisher

ARTICLES_A_PAGE = 10


@require_safe
def condition_list(request: HttpRequest) -> HttpResponse:
    query = search.clean(request.GET.get("q", ""))
    conditions = list(published.conditions().order_by("group", "name"))
    return render(
        request,
        "archive/condition_list.html",
        {
            "query": query,
            "conditions": conditions,
            "found": search.find(query, conditions) if query else [],
        },
    )


@require_safe
def condition(request: HttpRequest, slug: str) -> HttpResponse:
    shown = get_object_or_404(Condition.objects.open(), slug=slug)
    publisher = Publisher.current()
    return render(
        request,
        "archive/condition.html",
        {
            "publisher": publisher,
            "condition": shown,
            "articles": page_of(request, published.articles_about(shown), ARTICLES_A_PAGE),
            "structured": structured.condition_page(shown, publisher, path=request.path),
        },
    )
