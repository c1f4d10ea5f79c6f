"""The local mailbox, under /mailbox/ and only in the embedded mode."""

from django.urls import path

from project.local.mailbox import views

app_name = "mailbox"
urlpatterns = [
    path("", views.inbox, name="inbox"),
    path("empty/", views.empty, name="empty"),
    path("<str:key>/", views.mail, name="mail"),
    path("<str:key>/html/", views.html, name="html"),
    path("<str:key>/message.eml", views.download, name="download"),
]
