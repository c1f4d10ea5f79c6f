"""The way from the editor to the page of all looks; registers its own hook."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.snippets.action_menu import ActionMenuItem

from newsletter.editions.models import Article, Issue


class LooksMenuItem(ActionMenuItem):
    name = "action-looks"
    label = _("All looks, share the draft")
    icon_name = "view"

    def is_shown(self, context: dict[str, Any]) -> bool:
        return bool(context["view"] == "edit")

    def get_url(self, context: dict[str, Any]) -> str:
        instance = context["instance"]
        return reverse("desk:looks", args=[instance._meta.model_name, instance.pk])


@hooks.register("register_snippet_action_menu_item")
def looks_menu_item(model: type) -> ActionMenuItem | None:
    return LooksMenuItem(order=6) if model in (Issue, Article) else None
