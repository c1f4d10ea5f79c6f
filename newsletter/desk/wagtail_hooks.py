"""What Wagtail is told about the desk when it starts."""

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import URLPattern, URLResolver, include, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.menu import MenuItem
from wagtail.admin.search import SearchArea
from wagtail.contrib.settings.registry import registry
from wagtail.models import WorkflowState
from wagtail.signals import workflow_approved, workflow_rejected, workflow_submitted
from wagtail.snippets.action_menu import ActionMenuItem
from wagtail.snippets.models import register_snippet

from newsletter.catalogue.models import Publisher
from newsletter.desk import furniture, home
from newsletter.desk.access import APPROVE, MARK_ALERT, MAY_WATCH, SEND, VIEW_MAILING
from newsletter.desk.addresses import way_url
from newsletter.desk.looks import menu as looks_menu  # noqa: F401 - registers its own hook
from newsletter.desk.viewsets import consent_menu, merge_tag_menu  # noqa: F401 - register hooks
from newsletter.desk.viewsets.catalogue import CatalogueGroup
from newsletter.desk.viewsets.compose import ComposeGroup
from newsletter.desk.viewsets.embed_forms import EmbedFormViewSet
from newsletter.desk.viewsets.feeds import FeedViewSet
from newsletter.desk.viewsets.limits import LimitsGroup
from newsletter.editions.models import Article, Issue

STYLES = ("css/fonts.css", "desk/desk.css", "desk/digests.css", "desk/compose.css")

register_snippet(ComposeGroup)
register_snippet(CatalogueGroup)
register_snippet(EmbedFormViewSet)
register_snippet(FeedViewSet)
register_snippet(LimitsGroup)
if Publisher not in registry:
    registry.register(Publisher, icon="home")

# Wagtail mails staff from a signal inside the transaction that approves: a slow relay would hold
# that transaction open, and with SQLite every other writer too. Staff see their work on the
# dashboard instead.
for _signal, _event in (
    (workflow_submitted, "submitted"),
    (workflow_rejected, "rejected"),
    (workflow_approved, "approved"),
):
    _signal.disconnect(
        sender=WorkflowState, dispatch_uid=f"workflow_state_{_event}_email_notification"
    )


@hooks.register("register_admin_urls")
def desk_urls() -> list[URLPattern | URLResolver]:
    return [path("", include("newsletter.desk.urls"))]


class MailingsMenuItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return any(map(request.user.has_perm, MAY_WATCH))


@hooks.register("register_admin_menu_item")
def mailings_menu_item() -> MenuItem:
    return MailingsMenuItem(
        _("Mailings"), reverse("desk:mailings"), name="mailings", icon_name="mail", order=200
    )


class DigestsMenuItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        user = request.user
        return any(map(user.has_perm, (SEND, VIEW_MAILING, APPROVE, MARK_ALERT)))


@hooks.register("register_admin_menu_item")
def digests_menu_item() -> MenuItem:
    return DigestsMenuItem(
        _("Digests"), reverse("desk:digests"), name="digests", icon_name="calendar-alt", order=205
    )


class SendingMenuItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return any(map(request.user.has_perm, (SEND, VIEW_MAILING)))


@hooks.register("register_admin_menu_item")
def sending_menu_item() -> MenuItem:
    return SendingMenuItem(
        _("Sending"), reverse("desk:sending"), name="sending", icon_name="rotate", order=206
    )


class ReadersMenuItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("desk.view_readers"))


@hooks.register("register_admin_menu_item")
def readers_menu_item() -> MenuItem:
    return ReadersMenuItem(
        _("Readers"), reverse("desk:readers"), name="readers", icon_name="group", order=210
    )


class PeopleMenuItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("desk.change_user"))


@hooks.register("register_settings_menu_item")
def people_menu_item() -> MenuItem:
    return PeopleMenuItem(
        _("People"), reverse("desk:people"), name="people", icon_name="group", order=600
    )


@hooks.register("register_account_menu_item")
def own_factor_item(request: HttpRequest) -> dict[str, Any]:
    return {
        "url": reverse("desk:own_factor"),
        "label": _("Second factor"),
        "help_text": _("Protect your account with an authenticator app."),
    }


class WayMenuItem(ActionMenuItem):
    """From the editor to the page where preflight, review and sending are."""

    name = "action-way"
    label = _("Check, review, send")
    icon_name = "success"

    def is_shown(self, context: dict[str, Any]) -> bool:
        return bool(context["view"] == "edit")

    def get_url(self, context: dict[str, Any]) -> str:
        return way_url(context["instance"])


@hooks.register("register_snippet_action_menu_item")
def way_menu_item(model: type) -> ActionMenuItem | None:
    return WayMenuItem(order=5) if model in (Issue, Article) else None


@hooks.register("construct_snippet_action_menu")
def trim_action_menu(items: list[Any], request: HttpRequest, context: dict[str, Any]) -> None:
    furniture.trim_action_menu(items, context)


@hooks.register("construct_main_menu")
def trim_main_menu(request: HttpRequest, items: list[Any]) -> None:
    furniture.drop(items, furniture.MAIN_MENU)


@hooks.register("construct_settings_menu")
def trim_settings_menu(request: HttpRequest, items: list[Any]) -> None:
    furniture.drop(items, furniture.SETTINGS_MENU)


@hooks.register("construct_reports_menu")
def trim_reports_menu(request: HttpRequest, items: list[Any]) -> None:
    furniture.drop(items, furniture.REPORTS_MENU)


@hooks.register("register_admin_search_area")
def search_issues() -> SearchArea:
    """The search in the sidebar is that of the first area: of issues, before images and pages."""
    return furniture.IssueSearchArea()


@hooks.register("construct_homepage_panels")
def home_panels(request: HttpRequest, panels: list[Any]) -> None:
    panels[:] = home.panels()


@hooks.register("construct_homepage_summary_items")
def no_page_counts(request: HttpRequest, items: list[Any]) -> None:
    items.clear()


@hooks.register("insert_global_admin_css")
def desk_css() -> SafeString:
    return format_html_join(
        "", '<link rel="stylesheet" href="{}">', ((static(name),) for name in STYLES)
    )


@hooks.register("insert_global_admin_js")
def desk_js() -> SafeString:
    return format_html('<script src="{}"></script>', static("desk/names.js"))


@hooks.register("insert_editor_js")
def saving_js() -> SafeString:
    return format_html('<script src="{}"></script>', static("desk/saving.js"))


@hooks.register("register_log_actions")
def deeds_on_accounts(actions: Any) -> None:
    for name, label, message in (
        ("desk.invited", _("Invite"), _("Invited")),
        ("desk.joined", _("Take up an invitation"), _("Took up the invitation")),
        ("desk.changed", _("Change an account"), _("Changed name, roles or limits")),
        ("desk.left", _("Close an account"), _("Closed the account")),
    ):
        actions.register_action(name, label, message)
