"""Where the desk's preview meets what renders it.

Content knows nothing of rendering, which comes later in the line: rendering registers what it
shows for each model when it is ready.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as now
from django.utils.translation import gettext_lazy as _
from wagtail.models import PreviewableMixin

# From the object as it stands in the form and the name of a mode to the document and its type.
Renderer = Callable[[Any, str], tuple[str, str]]

_RENDERERS: dict[str, Renderer] = {}

HTML, TEXT, DARK, NO_IMAGES = "", "text", "dark", "no-images"
_IN_LANGUAGE = "in-"

# The document is what an author typed, shown inside the desk: nothing in it may run.
POLICY = (
    "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; sandbox "
    "allow-same-origin allow-popups"
)


def contained(document: str, content_type: str) -> HttpResponse:
    """Answer with a document so that nothing in it runs; `content_type` without a charset."""
    response = HttpResponse(document, content_type=f"{content_type}; charset=utf-8")
    response["Content-Security-Policy"] = POLICY
    return response


def register(model_label: str, renderer: Renderer) -> None:
    """Let `renderer` show the model, named as in `editions.issue`."""
    _RENDERERS[model_label] = renderer


def language_of(mode: str) -> str | None:
    """Return the language that a mode asks for; None for the content's own."""
    return mode.removeprefix(_IN_LANGUAGE) if mode.startswith(_IN_LANGUAGE) else None


class PreviewedMixin(PreviewableMixin):
    """A model whose preview is the mail that readers would get."""

    # The widths that count: a phone, and a mail's own with air on both sides.
    preview_sizes = [
        {
            "name": "phone",
            "icon": "mobile-alt",
            "device_width": 375,
            "label": _("As wide as a phone"),
        },
        {
            "name": "desktop",
            "icon": "desktop",
            "device_width": 720,
            "label": _("As wide as on a desk"),
        },
    ]

    @property
    def preview_modes(self) -> list[tuple[str, Any]]:
        return [
            (HTML, _("Mail")),
            (DARK, _("Mail in dark mode")),
            (NO_IMAGES, _("Mail without pictures")),
            (TEXT, _("Plain text")),
            *self._language_modes(),
        ]

    def _language_modes(self) -> list[tuple[str, str]]:
        """What is ours in the mail, in the other languages that readers may have chosen."""
        if self._meta.model_name != "issue":
            return []
        return [
            (f"{_IN_LANGUAGE}{code}", now("Mail, our words in %(language)s") % {"language": name})
            for code, name in settings.LANGUAGES
            if code != self.language
        ]

    def serve_preview(self, request: HttpRequest, mode_name: str) -> HttpResponse:
        renderer = _RENDERERS[self._meta.label_lower]
        return contained(*renderer(self, mode_name))
