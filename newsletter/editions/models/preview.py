"""Where the desk's preview meets what renders it.

Content knows nothing of rendering, which comes later in the line: rendering registers what it
shows for each model when it is ready.
"""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from wagtail.models import PreviewableMixin

# From the object as it stands in the form and the name of a mode to the document and its type.
Renderer = Callable[[Any, str], tuple[str, str]]

_RENDERERS: dict[str, Renderer] = {}

HTML, TEXT = "", "text"


def register(model_label: str, renderer: Renderer) -> None:
    """Let `renderer` show the model, named as in `editions.issue`."""
    _RENDERERS[model_label] = renderer


class PreviewedMixin(PreviewableMixin):
    """A model whose preview is the mail that readers would get."""

    @property
    def preview_modes(self) -> list[tuple[str, Any]]:
        return [(HTML, _("Mail")), (TEXT, _("Plain text"))]

    def serve_preview(self, request: HttpRequest, mode_name: str) -> HttpResponse:
        renderer = _RENDERERS[self._meta.label_lower]
        document, content_type = renderer(self, mode_name)
        response = HttpResponse(document, content_type=f"{content_type}; charset=utf-8")
        # The document is what an author typed, shown inside the desk: nothing in it may run.
        response["Content-Security-Policy"] = (
            "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; sandbox "
            "allow-same-origin allow-popups"
        )
        return response
