"""The readers' pages, under /admin/readers/. Their names belong to `desk`."""

from django.urls import path

from newsletter.desk.readers import deeds, inquiry, reports, views

urlpatterns = [
    path("", views.readers, name="readers"),
    path("find/", views.find, name="find_reader"),
    path("by-health/open/", views.list_by_health, name="list_by_health"),
    path("by-health/", views.readers_by_health, name="readers_by_health"),
    path("access-log/", reports.access_log, name="access_log"),
    path("breach/", inquiry.breach_query, name="breach"),
    path("forms/", reports.forms, name="form_counts"),
    path("retention/", reports.retention, name="retention"),
    path("<int:pk>/", views.reader, name="reader"),
    path("<int:pk>/look/", views.look, name="look_at_reader"),
    path("<int:pk>/export/", deeds.export_reader, name="export_reader"),
    path("<int:pk>/erase/", deeds.erase_reader, name="erase_reader"),
]
