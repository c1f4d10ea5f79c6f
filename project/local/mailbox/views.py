"""The mailbox' pages. Only the embedded installation has them (project.urls)."""

from pathlib import Path

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from project.local.mailbox.maildir import Mailbox
from project.local.mailbox.message import Caught, for_frame

PAGE_SIZE = 50
VIEWS = {"html": "HTML", "text": "Text", "headers": "Headers", "source": "Source"}
WIDTHS = {"600": "Desktop, 600", "375": "Phone, 375"}
# Styles of its own and pictures of this very site; nothing remote, nothing that runs.
_MAIL_POLICY = {
    "default-src": [NONE],
    "style-src": [UNSAFE_INLINE],
    "img-src": [SELF, "data:"],
    "font-src": [SELF],
    "form-action": [NONE],
    "base-uri": [NONE],
    "frame-ancestors": [SELF],
    "sandbox": ["allow-same-origin", "allow-popups", "allow-popups-to-escape-sandbox"],
}


def mailbox() -> Mailbox:
    return Mailbox(Path(settings.VAR_DIR) / "mailbox")


@never_cache
@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    words = request.GET.get("q", "").strip()[:200]
    found = mailbox().search(words)
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(
        request,
        "mailbox/inbox.html",
        {"page": page, "count": len(found), "query": words},
    )


@never_cache
@require_safe
def mail(request: HttpRequest, key: str) -> HttpResponse:
    caught = _caught(key)
    shown = request.GET.get("view", "html" if caught.html else "text")
    width = request.GET.get("width", "600")
    if shown not in VIEWS or width not in WIDTHS:
        raise Http404
    own = caught.one_click_url.startswith(settings.BASE_URL + "/")
    return render(
        request,
        "mailbox/mail.html",
        {
            "key": key,
            "caught": caught,
            "shown": shown,
            "views": VIEWS,
            "width": width,
            "widths": WIDTHS,
            "one_click_url": caught.one_click_url if own else "",
        },
    )


@never_cache
@require_safe
@csp_replace(_MAIL_POLICY)  # type: ignore[arg-type]
def html(request: HttpRequest, key: str) -> HttpResponse:
    """The HTML part alone, for the frame."""
    return HttpResponse(for_frame(_caught(key).html))


@never_cache
@require_safe
def download(request: HttpRequest, key: str) -> HttpResponse:
    return HttpResponse(
        _caught(key).content,
        content_type="message/rfc822",
        headers={"Content-Disposition": f'attachment; filename="{key}.eml"'},
    )


@require_POST
def empty(request: HttpRequest) -> HttpResponseRedirect:
    mailbox().empty()
    return redirect(reverse("mailbox:inbox"))


def _caught(key: str) -> Caught:
    try:
        return Caught.parse(key, *mailbox().read(key))
    except (KeyError, ValueError):
        raise Http404("No such mail") from None
