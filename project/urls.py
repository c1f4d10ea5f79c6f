"""Where each address leads. The public paths are a contract (docs/architecture.md)."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path
from django.views.static import serve
from wagtail.admin import urls as wagtailadmin_urls

from project import health

# The templates 400.html, 403.html, 404.html and 500.html are Django's own handlers' to find.
urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    # Pictures that staff uploaded. A busy site lets its proxy serve them from VAR_DIR/media.
    path("media/<path:path>", serve, {"document_root": settings.MEDIA_ROOT}),
    # Before Wagtail's own: the log-in page stands at its address, with a second step.
    path("admin/", include("newsletter.desk.security.urls")),
    path("admin/", include(wagtailadmin_urls)),
    path("", include("signup.urls")),
    path("", include("newsletter.urls")),
]

if settings.EMBEDDED:
    urlpatterns += [path("mailbox/", include("project.local.mailbox.urls"))]
