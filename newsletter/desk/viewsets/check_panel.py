"""Preflight beside the form, in the place of Wagtail's own checks of web pages."""

from typing import Any

from django.forms import Media
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from wagtail.admin.staticfiles import versioned_static
from wagtail.admin.ui.components import MediaContainer
from wagtail.admin.ui.side_panels import BaseSidePanel, ChecksSidePanel

from newsletter.editions.models import Article, Issue


class CheckSidePanel(BaseSidePanel):
    class SidePanelToggle(BaseSidePanel.SidePanelToggle):
        aria_label = _("Toggle check")
        icon_name = "success"
        counter_classname = "w-bg-critical-200"

    name = "desk-check"
    title = _("Check")
    template_name = "desk/includes/check_panel.html"
    order = 350

    def get_context_data(self, parent_context: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(parent_context)
        context["check_url"] = check_url(self.object)
        return context

    @property
    def media(self) -> Media:
        return Media(js=[versioned_static("desk/check-panel.js")])


def check_url(thing: Issue | Article) -> str:
    kind = "issue" if isinstance(thing, Issue) else "article"
    if thing.pk is None:
        return reverse(f"desk:check_new_{kind}")
    return reverse(f"desk:check_{kind}", args=(thing.pk,))


def with_check(panels: MediaContainer, thing: Issue | Article, request: HttpRequest) -> Any:
    """The editor's side panels with ours in the place of Wagtail's."""
    kept = [panel for panel in panels if not isinstance(panel, ChecksSidePanel)]
    return MediaContainer([*kept, CheckSidePanel(thing, request)])
