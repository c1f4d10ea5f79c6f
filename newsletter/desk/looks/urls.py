"""Under /admin/looks/."""

from django.urls import path

from newsletter.desk.looks import as_reader, sharing, views

urlpatterns = [
    path("<str:kind>/<int:pk>/", views.looks, name="looks"),
    path("<str:kind>/<int:pk>/share/", sharing.share, name="share_draft"),
    path("links/<int:pk>/revoke/", sharing.revoke, name="revoke_draft"),
    path("issue/<int:pk>/reader/", as_reader.choose, name="as_reader"),
    path("issue/<int:pk>/reader/<str:form>/", as_reader.mail, name="as_reader_mail"),
]
