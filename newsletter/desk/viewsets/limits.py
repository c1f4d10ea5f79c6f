"""How much may go out: limits for domains, and warm-up plans."""

from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel
from wagtail.snippets.views.snippets import SnippetViewSet, SnippetViewSetGroup

from newsletter.sending.models import DomainLimit, WarmUp


class DomainLimitViewSet(SnippetViewSet):
    model = DomainLimit
    icon = "minus"
    menu_label = _("Limits for domains")
    menu_name = "domain-limits"
    url_prefix = "domain-limits"
    list_display = ["domain", "per_second"]
    search_fields = ["domain"]
    copy_view_enabled = False
    panels = [FieldPanel("domain"), FieldPanel("per_second")]


class WarmUpViewSet(SnippetViewSet):
    model = WarmUp
    icon = "calendar-alt"
    menu_label = _("Warm-up plans")
    menu_name = "warm-up-plans"
    url_prefix = "warm-up-plans"
    list_display = ["name", "relay", "begins_on", "caps"]
    copy_view_enabled = False
    panels = [
        FieldPanel("name"),
        FieldPanel("relay"),
        FieldPanel("begins_on"),
        FieldPanel("caps"),
    ]


class LimitsGroup(SnippetViewSetGroup):
    items = (DomainLimitViewSet, WarmUpViewSet)
    menu_label = _("Limits")
    menu_name = "limits"
    menu_icon = "minus"
    menu_order = 320
