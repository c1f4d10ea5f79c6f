"""A mail shown on the web: its own styles work, and nothing else in it does."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.http import HttpRequest, HttpResponse

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]

# Mails carry inline styles and nothing that runs. allow-same-origin lets the page around the frame
# read the mail's height; without allow-scripts it gives the mail itself nothing.
_POLICY = {
    "default-src": [NONE],
    "script-src": [NONE],
    "style-src": [UNSAFE_INLINE],
    "img-src": [SELF, "data:"],
    "frame-ancestors": [SELF],
    "form-action": [NONE],
    "sandbox": ["allow-same-origin", "allow-top-navigation-by-user-activation"],
}


def mail_frame(view: View[P]) -> View[P]:
    """Give the view's answer the policy above, and keep it out of search engines."""

    @wraps(view)
    def framed(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response["X-Robots-Tag"] = "noindex"
        return response

    return cast("View[P]", csp_replace(_POLICY)(framed))
