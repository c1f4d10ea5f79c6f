"""From an approved issue to readers."""

from django.urls import path

from newsletter.desk.send import dry_run, views

urlpatterns = [
    path("issues/way/<int:pk>/dry-run/", dry_run.dry_run, name="issue_dry_run"),
    path(
        "issues/way/<int:pk>/dry-run/<str:reader>/<str:form>/", dry_run.sample, name="issue_sample"
    ),
    path("issues/way/<int:pk>/send/", views.send_now, name="send_now"),
    path("issues/way/<int:pk>/send/outlook/", views.send_outlook, name="send_outlook"),
    path("issues/way/<int:pk>/send/waiting/", views.waiting, name="send_waiting"),
    path("issues/way/<int:pk>/schedule/", views.schedule, name="schedule"),
    path("issues/way/<int:pk>/schedule/cancel/", views.cancel_schedule, name="cancel_schedule"),
]
