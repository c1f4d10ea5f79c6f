"""Back issues: the list, one issue's page, and the mail itself inside it."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from newsletter.archive import published, structured, webview
from newsletter.archive.mail_frame import mail_frame
from newsletter.archive.paging import page_of
from newsletter.catalogue.models import Publisher

ISSUES_A_PAGE = 20


@require_safe
def issue_list(request: HttpRequest) -> HttpResponse:
    numbers = published.sent().values_list("pk", flat=True)
    page = published.page_of_issues(page_of(request, numbers, ISSUES_A_PAGE))
    return render(request, "archive/issue_list.html", {"issues": page})


@require_safe
def issue(request: HttpRequest, slug: str) -> HttpResponse:
    shown = get_object_or_404(published.issues(), slug=slug)
    publisher = Publisher.current()
    return render(
        request,
        "archive/issue.html",
        {
            "issue": shown,
            "publisher": publisher,
            "structured": structured.issue_page(shown, publisher, path=request.path),
        },
    )


@mail_frame
@require_safe
def issue_mail(request: HttpRequest, slug: str) -> HttpResponse:
    """The frozen mail as a document of its own, which the issue's page shows in a frame."""
    mailing = published.latest_mailing(get_object_or_404(published.issues(), slug=slug))
    try:
        message = webview.frozen_message(mailing)
    except webview.NothingFrozen as error:
        raise Http404 from error
    return HttpResponse(webview.page_of(message.fill(webview.neutral_values(message))))
