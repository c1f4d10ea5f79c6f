"""The newsletter's public addresses."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("newsletter.archive.urls")),
    path("", include("newsletter.outcomes.urls")),
    path("drafts/", include("newsletter.desk.looks.shared_urls")),
]
