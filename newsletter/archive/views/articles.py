"""One article, with who wrote it, who checked it and when."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from newsletter.archive import notices, published, structured
from newsletter.archive.views.recalled import recalled_page
from newsletter.catalogue.models import Publisher
from newsletter.editions.models import Article

RELATED = 3


@require_safe
def article(request: HttpRequest, slug: str) -> HttpResponse:
    shown = Article.objects.published().filter(slug=slug).first()
    if shown is None:
        return _recalled(request, slug)
    recall = published.recall_of(shown)
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
            # It was mended since: readers of the former text learn that this is another.
            "recall": recall,
            "structured": structured.article_page(shown, about, publisher, path=request.path),
        },
    )


def _recalled(request: HttpRequest, slug: str) -> HttpResponse:
    gone = get_object_or_404(published.recalled_articles(), slug=slug)
    notice = notices.of_article(gone)
    if notice is None:
        raise Http404
    return recalled_page(request, notice, list_view="archive:condition_list")
