"""What a page tells other sites about where its visitor was: nothing."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


class PublicPages:
    """Send `Referrer-Policy: no-referrer` with every page but the staff's.

    A reader's address can say what the reader suffers from, or hold a token (standard F7). The
    staff's side keeps SECURE_REFERRER_POLICY: under no-referrer browsers send `Origin: null` with
    a form, which the CSRF check there refuses; public forms need no such check (docs/privacy.md).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not request.path_info.startswith("/admin/"):
            response.headers.setdefault("Referrer-Policy", "no-referrer")
        return response
