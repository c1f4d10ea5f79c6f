"""Addresses of the feeds' own pages; the list and the form are Wagtail's."""

from django.urls import path

from newsletter.desk.feeds import views

urlpatterns = [
    path("<int:pk>/", views.feed_page, name="feed"),
    path("<int:pk>/fetch/", views.fetch_now, name="fetch_feed"),
    path("items/<int:pk>/", views.item_action, name="feed_item"),
]
