"""Addresses of the pages about digests, under /admin/digests/."""

from django.urls import path

from newsletter.desk.digests import alerts, conditions, overview, retire

urlpatterns = [
    path("", overview.overview, name="digests"),
    path("conditions/", conditions.condition_dashboard, name="digest_conditions"),
    path("conditions/<int:pk>/retire/", retire.retire_condition, name="retire_condition"),
    path("alerts/", alerts.alert_list, name="alerts"),
    path("alerts/mark/<int:pk>/", alerts.mark_alert, name="mark_alert"),
    path("alerts/<int:pk>/", alerts.alert_page, name="alert"),
    path(
        "alerts/<int:pk>/preview/<int:newsletter>/<str:language>/",
        alerts.alert_preview,
        name="alert_preview",
    ),
    path("alerts/<int:pk>/sign/", alerts.sign_alert, name="sign_alert"),
    path("alerts/<int:pk>/drop/", alerts.drop_alert, name="drop_alert"),
    path("alerts/<int:pk>/recall/", alerts.recall_alert, name="recall_alert"),
    path("alerts/<int:pk>/unreached/", alerts.list_unreached, name="unreached"),
]
