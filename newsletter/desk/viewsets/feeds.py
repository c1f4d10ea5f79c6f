"""Feeds: the list, the form, and where they stand in the menu."""

from functools import cached_property
from typing import Any

from django import forms
from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.menu import MenuItem
from wagtail.admin.panels import (
    FieldPanel,
    FieldRowPanel,
    HelpPanel,
    InlinePanel,
    MultiFieldPanel,
    ObjectList,
)
from wagtail.admin.ui.tables import (
    BaseColumn,
    BulkActionsCheckboxColumn,
    Column,
    DateColumn,
)
from wagtail.snippets.views.snippets import IndexView, SnippetViewSet

from newsletter.desk.feeds import notices
from newsletter.desk.feeds.views import after_save
from newsletter.desk.feeds.words import health_of
from newsletter.desk.models.limits import limits_of
from newsletter.desk.viewsets.condition_boxes import ConditionBoxes
from newsletter.editions.models import Feed


class HealthColumn(Column):
    cell_template_name = "desk/feeds/health_cell.html"

    def __init__(self) -> None:
        super().__init__("health", label=_("State"), accessor=health_of)


class _StatePanel(HelpPanel):
    """Stands in the form of a feed that is there already."""

    class BoundPanel(HelpPanel.BoundPanel):
        def is_shown(self) -> bool:
            return bool(self.instance.pk and super().is_shown())

        def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
            context: dict[str, Any] = super().get_context_data(parent_context)
            return {**context, "feed": self.instance, "health": health_of(self.instance)}


class FeedIndexView(IndexView):
    @cached_property
    def columns(self) -> list[BaseColumn]:
        """Without the tick boxes: feeds are looked after one by one."""
        return [
            column
            for column in super().columns
            if not isinstance(column, BulkActionsCheckboxColumn)
        ]


class FeedViewSet(SnippetViewSet):
    model = Feed
    index_view_class = FeedIndexView
    icon = "download"
    menu_label = _("Feeds")
    menu_name = "feeds"
    url_prefix = "feeds"
    list_display = [
        "name",
        HealthColumn(),
        DateColumn("fetched_at", label=_("Last fetched"), sort_key="fetched_at"),
    ]
    search_fields = ["name", "url"]
    copy_view_enabled = False
    edit_handler = ObjectList(
        [
            _StatePanel(template="desk/feeds/state_panel.html"),
            MultiFieldPanel(
                [
                    FieldPanel("name"),
                    FieldPanel("url"),
                    FieldRowPanel([FieldPanel("every_hours"), FieldPanel("enabled")]),
                ],
                heading=_("Where it is"),
            ),
            MultiFieldPanel(
                [
                    FieldPanel("take", widget=forms.RadioSelect),
                    FieldRowPanel(
                        [
                            FieldPanel("kind"),
                            FieldPanel("language", widget=forms.Select(choices=settings.LANGUAGES)),
                        ]
                    ),
                    FieldRowPanel([FieldPanel("author_name"), FieldPanel("author_credentials")]),
                ],
                heading=_("What its drafts are like"),
            ),
            MultiFieldPanel(
                [FieldPanel("conditions", widget=ConditionBoxes), FieldPanel("only_matching")],
                heading=_("What it is about"),
            ),
            InlinePanel(
                "rules",
                heading=_("Rules"),
                label=_("Rule"),
                panels=[
                    FieldRowPanel([FieldPanel("words"), FieldPanel("where")]),
                    FieldPanel("condition"),
                ],
                help_text=_(
                    "Any of the words means this condition. diabet* is also diabetes and diabetic."
                ),
            ),
        ]
    )

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Feed]":
        # Feeds bring what is about anything: whoever is limited gets their drafts, not them.
        return Feed.objects.none() if limits_of(request.user) else Feed.objects.all()


class FeedsMenuItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(notices.CHANGE)) and not limits_of(request.user)


@hooks.register("register_admin_menu_item")
def feeds_menu_item() -> MenuItem:
    url = reverse(Feed.snippet_viewset.get_url_name("list"))  # type: ignore[attr-defined]
    return FeedsMenuItem(_("Feeds"), url, name="feeds", icon_name="download", order=110)


hooks.register("after_create_snippet", after_save)
hooks.register("after_edit_snippet", after_save)
