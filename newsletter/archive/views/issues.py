"""Back issues: the list, one issue's page, and the mail itself inside it."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from newsletter.archive import notices, published, structured, webview
from newsletter.archive.mail_frame import mail_frame
from newsletter.archive.paging import page_of
from newsletter.archive.views.recalled import recalled_page
from newsletter.catalogue.models import Publisher

ISSUES_A_PAGE = 20


@require_safe
def issue_list(request: HttpRequest) -> HttpResponse:
    numbers = published.sent().values_list("pk", flat=True)
    page = published.page_of_issues(page_of(request, numbers, ISSUES_A_PAGE))
    return render(request, "archive/issue_list.html", {"issues": page})


@require_safe
def issue(request: HttpRequest, slug: str) -> HttpResponse:
    shown = published.issues().filter(slug=slug).first()
    if shown is None:
        return _recalled(request, slug)
    publisher = Publisher.current()
    return render(
        request,
        "archive/issue.html",
        {
            "issue": shown,
            "notice": notices.of_issue(shown),
            "publisher": publisher,
            "structured": structured.issue_page(shown, publisher, path=request.path),
        },
    )


@mail_frame
@require_safe
def issue_mail(request: HttpRequest, slug: str) -> HttpResponse:
    """The frozen mail as a document of its own, which the issue's page shows in a frame.

    On a page of its own it begins with the notice of its correction; in the frame (`?in=page`)
    the page around it has that. A recalled one is gone: 410, with why.
    """
    shown = published.issues().filter(slug=slug).first()
    if shown is None:
        gone = get_object_or_404(published.recalled_issues(), slug=slug)
        return HttpResponse(notices.as_document(notices.of_recalled(gone)), status=410)
    try:
        message = webview.frozen_message(published.latest_mailing(shown))
    except webview.NothingFrozen as error:
        raise Http404 from error
    html = webview.page_of(message.fill(webview.neutral_values(message)))
    notice = None if request.GET.get("in") == "page" else notices.of_issue(shown)
    return HttpResponse(notices.before(html, notice) if notice else html)


def _recalled(request: HttpRequest, slug: str) -> HttpResponse:
    gone = get_object_or_404(published.recalled_issues(), slug=slug)
    return recalled_page(request, notices.of_recalled(gone), list_view="archive:issue_list")
