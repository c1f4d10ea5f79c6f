"""Lists, choosers and forms that keep to what a member of staff is limited to."""

from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.forms import WagtailAdminModelForm
from wagtail.admin.ui.tables import BaseColumn, Column, LiveStatusTagColumn
from wagtail.snippets.views.chooser import (
    ChooseResultsView,
    ChooseView,
    SnippetChooserViewSet,
)

from newsletter.desk.models.limits import limits_of
from newsletter.desk.scope import reaches_beyond
from newsletter.desk.stages import stage_of, with_stages
from newsletter.editions.models import Article, Issue
from newsletter.editions.models.naming import slug_for, slug_of


class StageColumn(Column):
    cell_template_name = "desk/includes/stage_cell.html"

    def __init__(self) -> None:
        super().__init__("stage", label=lazy("Stage"), accessor=stage_of)


class _ScopedFilterSet(WagtailFilterSet):
    """Offers no newsletter and no condition beyond the limits."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        limits = limits_of(self.request.user)
        for name in ("newsletter", "conditions", "translation_of"):
            if name in self.filters:
                asked = self.filters[name]
                everything = asked.field.queryset
                asked.extra["queryset"] = asked.field.queryset = limits.among(everything)


class IssueFilterSet(_ScopedFilterSet):
    class Meta:
        model = Issue
        fields = ["newsletter"]


class ArticleFilterSet(_ScopedFilterSet):
    class Meta:
        model = Article
        fields = ["kind", "conditions"]


class _Scoped:
    request: Any

    def get_object_list(self) -> "QuerySet[Any]":
        found: QuerySet[Any] = super().get_object_list()  # type: ignore[misc]
        if found.model in (Issue, Article):
            found = with_stages(found)
        return limits_of(self.request.user).among(found)

    @property
    def columns(self) -> list[BaseColumn]:
        """Our stages for Wagtail's "live": that one asks the database again for every draft."""
        return [
            StageColumn() if isinstance(column, LiveStatusTagColumn) else column
            for column in super().columns  # type: ignore[misc]
        ]


class _ScopedChooseView(_Scoped, ChooseView):
    pass


class _ScopedChooseResultsView(_Scoped, ChooseResultsView):
    pass


class ScopedChooserViewSet(SnippetChooserViewSet):
    choose_view_class = _ScopedChooseView
    choose_results_view_class = _ScopedChooseResultsView


class ScopedForm(WagtailAdminModelForm):
    """The editor's form, for its preview and its check as well: nothing can be put in that lies
    beyond the limits of who writes, whatever a browser posts. What stood there before may stay."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        limits = limits_of(self.for_user)
        for name in ("newsletter", "conditions", "translation_of"):
            if name in self.fields:
                field = self.fields[name]
                field.queryset = limits.among(field.queryset)
        if "conditions" in self.fields:
            # Hundreds stand in the form, and of each only what its box says.
            field = self.fields["conditions"]
            field.queryset = field.queryset.only("name", "slug", "group")
        if limits.conditions is not None and "conditions" in self.fields:
            self._needs_condition = True
        if isinstance(self.instance, Issue) and "language" in self.fields:
            self.fields["language"].required = False
        # As it was before this form is read into it.
        instance = self.instance
        self._before = type(instance).objects.get(pk=instance.pk) if instance.pk else None

    _needs_condition = False

    def clean_slug(self) -> str:
        """The editor fills it in from the title. A second "Spring letter" is no mistake of its
        author's, who never looked there: it gets a number. One that was thought up stays."""
        slug: str = self.cleaned_data["slug"]
        same = type(self.instance)._default_manager.exclude(pk=self.instance.pk).filter(slug=slug)
        title = self.cleaned_data.get("title", "")
        if slug and slug_of(title) == slug and same.exists():
            return slug_for(self.instance, title)
        return slug

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if self._needs_condition and not cleaned.get("conditions"):
            # Without one it would lie outside, and be lost to its own author.
            self.add_error("conditions", _("Choose at least one of the conditions you work on."))
        if "language" in cleaned and not cleaned["language"]:
            newsletter = cleaned.get("newsletter")
            cleaned["language"] = newsletter.language if newsletter else settings.LANGUAGE_CODE
        return cleaned

    def _post_clean(self) -> None:
        """By now the instance holds what was typed."""
        super()._post_clean()
        before = self._before
        if before is not None:
            before = before.get_latest_revision_as_object()
        if reaches_beyond(self.instance, before, self.for_user):
            # No chooser offers it, so it was put in by hand. Shown once more, the form would name
            # what was chosen.
            raise PermissionDenied
