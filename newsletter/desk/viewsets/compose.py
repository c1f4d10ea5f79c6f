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
from wagtail.admin.ui.tables import UpdatedAtColumn
from wagtail.admin.widgets.slug import SlugInput
from wagtail.snippets.views.snippets import SnippetViewSet, SnippetViewSetGroup

from newsletter.desk.models.limits import limits_of
from newsletter.desk.stages import with_stages
from newsletter.desk.viewsets.condition_boxes import ConditionBoxes
from newsletter.desk.viewsets.languages import LanguageSelect
from newsletter.desk.viewsets.reviewed import (
    ReviewedCopyView,
    ReviewedCreateView,
    ReviewedEditView,
    ReviewedIndexView,
    ReviewedWorkflowActionView,
)
from newsletter.desk.viewsets.scoped import (
    ArticleFilterSet,
    IssueFilterSet,
    ScopedChooserViewSet,
    ScopedForm,
    StageColumn,
)
from newsletter.editions import merge_tags
from newsletter.editions.models import Article, Issue


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
    filterset_class = IssueFilterSet
    chooser_viewset_class = ScopedChooserViewSet
    search_fields = ["title", "subject"]
    edit_handler = ObjectList(
        [
            TitleFieldPanel("title", targets=["slug"], required_on_save=True),
            # First of all: what the mail looks like hangs on it, so without it there is no preview.
            FieldRowPanel(
                [
                    FieldPanel("newsletter", widget=forms.Select),
                    FieldPanel("language", widget=LanguageSelect(_("The newsletter's"))),
                ],
                heading=_("Where it belongs"),
            ),
            MultiFieldPanel(
                [FieldPanel("subject"), FieldPanel("preheader")],
                heading=_("In the inbox"),
            ),
            FieldPanel("greeting", widget=forms.TextInput(attrs=merge_tags.field_attributes())),
            FieldPanel(
                "body",
                heading=_("What is in it"),
                help_text=_("Piece by piece: press plus, and choose what comes next."),
            ),
            FieldPanel("slug", widget=SlugInput, heading=_("Its address on the website")),
        ],
        base_form_class=ScopedForm,
    )

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Issue]":
        found: QuerySet[Issue] = with_stages(
            Issue.objects.select_related("newsletter", "latest_revision").defer(
                "body", "latest_revision__content"
            )
        )
        return limits_of(request.user).among(found)


class ArticleViewSet(ReviewedViewSet):
    model = Article
    icon = "doc-full"
    menu_label = _("Articles")
    menu_name = "articles"
    url_prefix = "articles"
    list_display = ["title", "kind", StageColumn(), "review_due", UpdatedAtColumn()]
    filterset_class = ArticleFilterSet
    chooser_viewset_class = ScopedChooserViewSet
    search_fields = ["title", "summary"]
    edit_handler = ObjectList(
        [
            TitleFieldPanel("title", targets=["slug"], required_on_save=True),
            MultiFieldPanel(
                [
                    FieldPanel("kind"),
                    FieldPanel("conditions", widget=ConditionBoxes),
                    FieldPanel("summary"),
                    FieldPanel("concerns_symptoms"),
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
                    # A chooser: a list of all articles would be megabytes of form.
                    FieldRowPanel(
                        [
                            FieldPanel("language", widget=LanguageSelect()),
                            FieldPanel("translation_of"),
                        ]
                    ),
                ],
                heading=_("On the site and in digests"),
                classname="collapsed",
            ),
        ],
        base_form_class=ScopedForm,
    )

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Article]":
        found: QuerySet[Article] = with_stages(
            Article.objects.select_related("latest_revision").defer(
                "body", "sources", "latest_revision__content"
            )
        )
        return limits_of(request.user).among(found)


class ComposeGroup(SnippetViewSetGroup):
    items = (IssueViewSet, ArticleViewSet)
    menu_label = _("Compose")
    menu_name = "compose"
    menu_icon = "edit"
    menu_order = 100
