"""Forms for other web sites: what they offer, and the HTML to copy into a page."""

from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from wagtail.admin.forms import WagtailAdminModelForm
from wagtail.admin.panels import FieldPanel, FieldRowPanel, HelpPanel, MultiFieldPanel, ObjectList
from wagtail.admin.ui.tables import BooleanColumn, Column
from wagtail.snippets.views.snippets import SnippetViewSet

from newsletter.desk.access import require_any
from newsletter.desk.frame import frame
from newsletter.desk.viewsets.condition_boxes import ConditionBoxes
from signup import consent
from signup.embed import snippet
from signup.embed.address import url_of
from signup.embed.offer import offer_of
from signup.models import EmbedForm

CHANGE, ADD = "signup.change_embedform", "signup.add_embedform"


def _languages() -> list[tuple[str, str]]:
    """Those in which one may sign up: the others have no approved wording."""
    offered = consent.languages_offered()
    return [(code, name) for code, name in settings.LANGUAGES if code in offered]


class EmbedFormForm(WagtailAdminModelForm):
    """Refuses a form that could take nobody in."""

    language = forms.ChoiceField(choices=_languages, label=lazy("Language"))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        newsletters = list(cleaned.get("newsletters") or [])
        conditions = list(cleaned.get("conditions") or [])
        if not newsletters and not conditions:
            self.add_error("newsletters", _("Choose a newsletter, or a condition below."))
        elif not conditions and all(one.is_digest for one in newsletters):
            self.add_error("conditions", _("A digest needs conditions to be about."))
        return cleaned


class CodeColumn(Column):
    cell_template_name = "desk/embed/code_cell.html"


class EmbedFormViewSet(SnippetViewSet):
    model = EmbedForm
    icon = "code"
    menu_label = lazy("Forms for other sites")
    menu_name = "embed-forms"
    menu_order = 310
    add_to_admin_menu = True
    url_prefix = "embed-forms"
    list_display = [
        "name",
        "language",
        BooleanColumn("is_open", label=lazy("Open")),
        CodeColumn("code", label=lazy("HTML")),
    ]
    search_fields = ["name"]
    copy_view_enabled = False
    edit_handler = ObjectList(
        [
            HelpPanel(template="desk/embed/code_panel.html"),
            FieldPanel("name"),
            MultiFieldPanel(
                [
                    FieldPanel("newsletters", widget=forms.CheckboxSelectMultiple),
                    FieldPanel("conditions", widget=ConditionBoxes),
                ],
                heading=lazy("What it offers"),
                help_text=lazy(
                    "One thing: the form is about it. Several: each has an unticked box. "
                    "Conditions come by the digest, whether you tick it or not."
                ),
            ),
            FieldPanel("return_pages"),
            FieldRowPanel([FieldPanel("language"), FieldPanel("is_open")]),
        ],
        base_form_class=EmbedFormForm,
    )

    def get_urlpatterns(self) -> list[URLPattern]:
        return [*super().get_urlpatterns(), path("html/<int:pk>/", code, name="code")]


@never_cache
@require_safe
def code(request: HttpRequest, pk: int) -> HttpResponse:
    """The HTML of one form, with the wordings of today, and where it may lead back to."""
    require_any(request, CHANGE, ADD)
    form = get_object_or_404(EmbedForm, pk=pk)
    offer = offer_of(form)
    pages = form.pages
    wanted = request.GET.get("return_to")
    return_to = wanted if wanted in pages else next(iter(pages), None)
    viewset = EmbedForm.snippet_viewset  # type: ignore[attr-defined]  # given by Wagtail
    return TemplateResponse(
        request,
        "desk/embed/code.html",
        {
            "form_row": form,
            "offer": offer,
            "html": snippet.render(form, offer, return_to=return_to),
            "pages": pages,
            "return_to": return_to,
            "address": url_of(form),
            "api": f"{settings.BASE_URL}/api/v1/form?form={form.public_id}",
            "is_worded": form.language in consent.languages_offered(),
            **frame(
                _("HTML to copy: %(name)s") % {"name": form.name},
                icon="code",
                between=[
                    (viewset.menu_label, reverse(viewset.get_url_name("list"))),
                    (form.name, reverse(viewset.get_url_name("edit"), args=[pk])),
                ],
                here=_("HTML to copy"),
            ),
        },
    )
