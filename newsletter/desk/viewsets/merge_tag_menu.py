"""The menu from which authors insert merge tags; registers its own hooks."""

from typing import Any

from django.templatetags.static import static
from django.utils.html import format_html, json_script
from django.utils.safestring import SafeString
from wagtail import hooks
from wagtail.admin.rich_text.editors.draftail.features import ControlFeature

from newsletter.editions import merge_tags
from newsletter.editions.blocks.rich_text import MERGE_TAGS_FEATURE


@hooks.register("register_rich_text_features")
def merge_tags_in_rich_text(features: Any) -> None:
    features.register_editor_plugin(
        "draftail", MERGE_TAGS_FEATURE, ControlFeature({"type": "MERGE_TAGS"})
    )


@hooks.register("insert_editor_js")
def merge_tag_script() -> SafeString:
    return format_html(
        '{}<script src="{}"></script>',
        json_script(merge_tags.menu(), "desk-merge-tags"),
        static("desk/merge-tags.js"),
    )
