"""Where ESPs report to, and where readers say what they think of an issue."""

from django.urls import path

from newsletter.outcomes import feedback, webhooks

app_name = "outcomes"
urlpatterns = [
    path("webhooks/<slug:esp>/", webhooks.receive, name="webhook"),
    path("feedback/<slug:slug>/", feedback.feedback, {"answer": ""}, name="feedback"),
    path("feedback/<slug:slug>/<slug:answer>/", feedback.feedback, name="feedback_answer"),
]
