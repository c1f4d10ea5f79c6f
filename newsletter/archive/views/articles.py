"""One article, with who wrote it, who checked it and when."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from newsletter.archive import published, structured
from newsletter.catalogue.models import Publisher
from newsletter.editions.models import Article

RELATED = 3


@require_safe
def article(request: HttpRequest, slug: str) -> HttpResponse:
    shown = get_object_or_404(Article.objects.published(), slug=slug)
    about = [each for each in shown.conditions.all() if each.retired_at is None]
    related = published.articles().filter(conditions__in=about).exclude(pk=shown.pk).distinct()
    publisher = Publisher.current()
    return render(
        request,
        "archive/article.html",
        {
            "publisher": publisher,
            "article": shown,
            "conditions": about,
            "related": related[:RELATED],
            "structured": structured.article_page(shown, about, publisher, path=request.path),
        },
    )
