"""Composing: issues and articles."""

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import (
    FieldPanel,
    FieldRowPanel,
    MultiFieldPanel,
    ObjectList,
    TitleFieldPanel,
)
from wagtail.admin.ui.tables import Column, UpdatedAtColumn
from wagtail.admin.widgets.slug import SlugInput
from wagtail.snippets.views.snippets import SnippetViewSet, SnippetViewSetGroup

from newsletter.desk.stages import stage_of
from newsletter.desk.viewsets.reviewed import (
    ReviewedCopyView,
    ReviewedCreateView,
    ReviewedEditView,
    ReviewedIndexView,
    ReviewedWorkflowActionView,
)
from newsletter.editions.models import Article, Issue


class StageColumn(Column):
    cell_template_name = "desk/includes/stage_cell.html"

    def __init__(self) -> None:
        super().__init__("stage", label=_("Stage"), accessor=stage_of)


class ReviewedViewSet(SnippetViewSet):
    index_view_class = ReviewedIndexView
    add_view_class = ReviewedCreateView
    edit_view_class = ReviewedEditView
    copy_view_class = ReviewedCopyView
    workflow_action_view_class = ReviewedWorkflowActionView
    list_per_page = 20


class IssueViewSet(ReviewedViewSet):
    model = Issue
    icon = "mail"
    menu_label = _("Issues")
    menu_name = "issues"
    url_prefix = "issues"
    list_display = ["title", "newsletter", StageColumn(), UpdatedAtColumn()]
    list_filter = ["newsletter"]
    search_fields = ["title", "subject"]
    edit_handler = ObjectList(
        [
            TitleFieldPanel("title", targets=["slug"], required_on_save=True),
            MultiFieldPanel(
                [FieldPanel("subject"), FieldPanel("preheader")],
                heading=_("In the inbox"),
            ),
            FieldPanel("greeting"),
            FieldPanel("body", heading=_("What is in it")),
            MultiFieldPanel(
                [
                    FieldPanel("newsletter", widget=forms.Select),
                    FieldPanel("slug", widget=SlugInput),
                ],
                heading=_("Where it belongs"),
            ),
        ]
    )

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Issue]":
        found: QuerySet[Issue] = Issue.objects.select_related("newsletter", "latest_revision")
        return found


class ArticleViewSet(ReviewedViewSet):
    model = Article
    icon = "doc-full"
    menu_label = _("Articles")
    menu_name = "articles"
    url_prefix = "articles"
    list_display = ["title", "kind", StageColumn(), "review_due", UpdatedAtColumn()]
    list_filter = ["kind", "conditions"]
    search_fields = ["title", "summary"]
    edit_handler = ObjectList(
        [
            TitleFieldPanel("title", targets=["slug"], required_on_save=True),
            MultiFieldPanel(
                [
                    FieldPanel("kind"),
                    FieldPanel("conditions", widget=forms.CheckboxSelectMultiple),
                    FieldPanel("summary"),
                ],
                heading=_("What it is about"),
            ),
            FieldPanel("body", heading=_("Text")),
            MultiFieldPanel(
                [
                    FieldRowPanel([FieldPanel("author_name"), FieldPanel("author_credentials")]),
                    FieldRowPanel(
                        [FieldPanel("reviewer_name"), FieldPanel("reviewer_credentials")]
                    ),
                    FieldRowPanel([FieldPanel("reviewed_on"), FieldPanel("review_due")]),
                    FieldPanel("sources"),
                ],
                heading=_("Who stands behind it"),
            ),
            MultiFieldPanel(
                [
                    FieldPanel("slug", widget=SlugInput),
                    FieldRowPanel([FieldPanel("artwork"), FieldPanel("weight")]),
                    FieldRowPanel(
                        [
                            FieldPanel("language"),
                            FieldPanel("translation_of", widget=forms.Select),
                        ]
                    ),
                ],
                heading=_("On the site and in digests"),
                classname="collapsed",
            ),
        ]
    )

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Article]":
        found: QuerySet[Article] = Article.objects.select_related("latest_revision")
        return found


class ComposeGroup(SnippetViewSetGroup):
    items = (IssueViewSet, ArticleViewSet)
    menu_label = _("Compose")
    menu_name = "compose"
    menu_icon = "edit"
    menu_order = 100
