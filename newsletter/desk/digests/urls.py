"""Addresses of the pages about digests, under /admin/digests/."""

from django.urls import path

from newsletter.desk.digests import alerts, canaries, conditions, overview, preview, retire

urlpatterns = [
    path("", overview.overview, name="digests"),
    path("conditions/", conditions.condition_dashboard, name="digest_conditions"),
    path("conditions/<int:pk>/retire/", retire.retire_condition, name="retire_condition"),
    path("preview/", preview.profiles, name="profiles"),
    path("preview/<int:pk>/", preview.profiles, name="profile"),
    path("preview/<int:pk>/drop/", preview.drop_profile, name="drop_profile"),
    path("preview/<int:pk>/mail/<int:newsletter>/", preview.profile_mail, name="profile_mail"),
    path("next-run/", preview.dry_run, name="dry_run"),
    path("next-run/<int:newsletter>/sample/", preview.dry_run_sample, name="dry_run_sample"),
    path("watched/", canaries.canaries, name="canaries"),
    path("watched/<int:pk>/drop/", canaries.drop_canary, name="drop_canary"),
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
