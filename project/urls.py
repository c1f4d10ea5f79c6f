"""Where each address leads. The public paths are a contract (docs/architecture.md)."""

from django.conf import settings
from django.urls import include, path
from wagtail.admin import urls as wagtailadmin_urls

urlpatterns = [
    path("", include("signup.urls")),
    path("", include("newsletter.urls")),
    path("admin/", include(wagtailadmin_urls)),
]

if settings.EMBEDDED:
    urlpatterns += [path("mailbox/", include("project.local.mailbox.urls"))]
