"""Where the consent pages stand in the desk's menu."""

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.menu import MenuItem

from newsletter.desk.viewsets.consent_texts import WORDINGS


class ConsentMenuItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(WORDINGS))


@hooks.register("register_admin_menu_item")
def consent_menu_item() -> MenuItem:
    return ConsentMenuItem(
        _("Consent"), reverse("desk:consent"), name="consent", icon_name="doc-full", order=220
    )
