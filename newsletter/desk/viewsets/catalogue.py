"""The catalogue: what can be signed up to."""

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import (
    FieldPanel,
    FieldRowPanel,
    InlinePanel,
    MultiFieldPanel,
    ObjectList,
    TabbedInterface,
    TitleFieldPanel,
)
from wagtail.admin.ui.tables import Column, UpdatedAtColumn
from wagtail.admin.widgets.slug import SlugInput
from wagtail.snippets.views.snippets import SnippetViewSet, SnippetViewSetGroup

from newsletter.catalogue.models import Condition, Newsletter, PublicWords
from newsletter.desk.models.limits import limits_of
from newsletter.desk.viewsets.languages import LanguageSelect
from newsletter.desk.viewsets.scoped import ScopedChooserViewSet


class ConditionViewSet(SnippetViewSet):
    model = Condition
    icon = "tag"
    menu_label = _("Conditions")
    menu_name = "conditions"
    url_prefix = "conditions"
    list_display = ["name", "group", "reviewed_on", "review_due", UpdatedAtColumn()]
    list_filter = ["group"]
    chooser_viewset_class = ScopedChooserViewSet
    search_fields = ["name", "synonyms"]
    copy_view_enabled = False

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Condition]":
        return limits_of(request.user).among(Condition.objects.all())

    edit_handler = TabbedInterface(
        [
            ObjectList(
                [
                    TitleFieldPanel("name", targets=["slug"]),
                    FieldPanel("summary"),
                    FieldPanel("overview"),
                    FieldPanel("symptoms"),
                    FieldPanel("causes"),
                    FieldPanel("risk_factors"),
                    FieldPanel("prevention"),
                ],
                heading=_("Text"),
            ),
            ObjectList(
                [
                    FieldPanel("when_to_see_a_doctor"),
                    FieldPanel("emergency_signs"),
                    InlinePanel(
                        "help_lines",
                        heading=_("Help lines"),
                        label=_("Help line"),
                        panels=[
                            FieldRowPanel([FieldPanel("name"), FieldPanel("number")]),
                            FieldRowPanel([FieldPanel("hours"), FieldPanel("url")]),
                            FieldRowPanel(
                                [
                                    FieldPanel("country"),
                                    FieldPanel(
                                        "language",
                                        widget=LanguageSelect(_("Any")),
                                        help_text=_("What is spoken there."),
                                    ),
                                ]
                            ),
                        ],
                    ),
                ],
                heading=_("When to seek help"),
            ),
            ObjectList(
                [
                    FieldPanel("reviewed_by"),
                    FieldRowPanel([FieldPanel("reviewed_on"), FieldPanel("review_due")]),
                ],
                heading=_("Medical review"),
            ),
            ObjectList(
                [
                    FieldRowPanel([FieldPanel("group"), FieldPanel("slug", widget=SlugInput)]),
                    FieldPanel("synonyms"),
                    FieldRowPanel([FieldPanel("code_system"), FieldPanel("code")]),
                    FieldPanel("sensitive"),
                    FieldRowPanel([FieldPanel("artwork"), FieldPanel("weight")]),
                    FieldPanel("retired_at"),
                ],
                heading=_("Where it is found"),
            ),
        ]
    )


def _open_or_not(newsletter: Newsletter) -> str:
    return gettext("Open") if newsletter.open_for_signup else gettext("Closed")


def _sensitive_or_not(newsletter: Newsletter) -> str:
    return gettext("Sensitive") if newsletter.sensitive else ""


class NewsletterViewSet(SnippetViewSet):
    model = Newsletter
    icon = "mail"
    menu_label = _("Newsletters")
    menu_name = "newsletters"
    url_prefix = "newsletters"
    list_display = [
        "name",
        "kind",
        # Words: Wagtail's red cross for "no" looks like something that went wrong.
        Column("open_for_signup", label=_("Open for sign-up"), accessor=_open_or_not),
        Column("sensitive", label=_("Sensitive"), accessor=_sensitive_or_not),
        UpdatedAtColumn(),
    ]
    search_fields = ["name"]
    copy_view_enabled = False
    chooser_viewset_class = ScopedChooserViewSet

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Newsletter]":
        return limits_of(request.user).among(Newsletter.objects.all())

    edit_handler = TabbedInterface(
        [
            ObjectList(
                [
                    TitleFieldPanel("name", targets=["slug"]),
                    FieldPanel("promise"),
                    FieldPanel("description"),
                    FieldRowPanel(
                        [FieldPanel("kind"), FieldPanel("language", widget=LanguageSelect())]
                    ),
                    FieldPanel("open_for_signup"),
                    FieldPanel("slug", widget=SlugInput),
                ],
                heading=_("What it is"),
            ),
            ObjectList(
                [
                    FieldRowPanel([FieldPanel("from_name"), FieldPanel("from_email")]),
                    FieldPanel("reply_to"),
                    FieldPanel("seed_addresses", widget=forms.Textarea(attrs={"rows": 3})),
                    FieldPanel("list_id_label"),
                    MultiFieldPanel(
                        [
                            FieldPanel("sensitive"),
                            FieldPanel("discreet"),
                            FieldPanel("country"),
                            FieldPanel("conditions_in_subject"),
                            FieldPanel("unknown_policy"),
                        ],
                        heading=_("Care"),
                    ),
                ],
                heading=_("How it is sent"),
            ),
            ObjectList(
                [
                    FieldPanel("logo"),
                    FieldRowPanel([FieldPanel("brand_colour"), FieldPanel("font_stack")]),
                    FieldPanel("footer"),
                    FieldPanel("postal_address"),
                ],
                heading=_("How it looks"),
            ),
        ]
    )


class PublicWordsViewSet(SnippetViewSet):
    model = PublicWords
    icon = "openquote"
    menu_label = _("Sign-up's words")
    menu_name = "public-words"
    url_prefix = "public-words"
    copy_view_enabled = False


class CatalogueGroup(SnippetViewSetGroup):
    items = (ConditionViewSet, NewsletterViewSet, PublicWordsViewSet)
    menu_label = _("Catalogue")
    menu_name = "catalogue"
    menu_icon = "list-ul"
    menu_order = 300
