"""What of Wagtail's own furniture stays. It is made for sites of pages; there are none here."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from wagtail.admin.search import SearchArea
from wagtail.snippets.action_menu import (
    PublishMenuItem,
    RestartWorkflowMenuItem,
    UnpublishMenuItem,
    WorkflowMenuItem,
)

from newsletter.editions.models import Article, Issue

# Names of Wagtail's menu items. Help leads out of the house.
MAIN_MENU = frozenset({"explorer", "documents", "help", "snippets"})
SETTINGS_MENU = frozenset(
    {"sites", "workflows", "workflow-tasks", "redirects", "users", "collections"}
)
REPORTS_MENU = frozenset({"locked-pages", "aging-pages", "page-types-usage"})


def drop(items: list[Any], names: frozenset[str]) -> None:
    items[:] = [item for item in items if item.name not in names]


class IssueSearchArea(SearchArea):
    def __init__(self) -> None:
        super().__init__(
            _("Issues"),
            reverse(Issue.snippet_viewset.get_url_name("list")),
            name="issues",
            icon_name="mail",
            order=1,
        )

    def is_shown(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("editions.view_issue"))


def trim_action_menu(items: list[Any], context: dict[str, Any]) -> None:
    """Nothing is published from the editor, and the reviewer decides on the way page, where the
    mail can be read as readers get it."""
    if context["model"] not in (Issue, Article):
        return
    unwanted: tuple[type, ...] = (PublishMenuItem, WorkflowMenuItem, RestartWorkflowMenuItem)
    if context["model"] is Issue:
        # An issue is not taken off the web by hand; what was sent stays in the archive.
        unwanted = (*unwanted, UnpublishMenuItem)
    items[:] = [item for item in items if not isinstance(item, unwanted)]
