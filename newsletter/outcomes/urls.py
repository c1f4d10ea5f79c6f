"""Where ESPs report to: /webhooks/<esp>/."""

from django.urls import path

from newsletter.outcomes import webhooks

app_name = "outcomes"
urlpatterns = [path("webhooks/<slug:esp>/", webhooks.receive, name="webhook")]
