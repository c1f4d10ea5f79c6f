"""The first page: what this is, what it costs (nothing), and what one can follow."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from newsletter.archive import published

ARTICLES = 3
ISSUES = 3
CONDITIONS = 9


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    conditions = list(published.conditions().order_by("-weight", "name")[: CONDITIONS + 1])
    return render(
        request,
        "archive/home.html",
        {
            "conditions": conditions[:CONDITIONS],
            "more_conditions": len(conditions) > CONDITIONS,
            "articles": published.articles()[:ARTICLES],
            "issues": published.issues()[:ISSUES],
            "newsletters": published.newsletters(),
        },
    )
