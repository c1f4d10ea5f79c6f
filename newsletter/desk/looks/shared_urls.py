"""Under /drafts/: what a colleague without an account opens."""

from django.urls import path

from newsletter.desk.looks import shared

app_name = "drafts"
urlpatterns = [
    path("<str:token>/", shared.draft, name="draft"),
    path("<str:token>/<str:form>/", shared.mail, name="mail"),
]
