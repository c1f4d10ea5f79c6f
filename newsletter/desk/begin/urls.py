"""Issues that begin with another one, or with a template."""

from django.urls import path

from newsletter.desk.begin import views

urlpatterns = [
    path("issues/way/<int:pk>/duplicate/", views.duplicate, name="duplicate_issue"),
    path("issues/way/<int:pk>/template/", views.save_template, name="save_template"),
    path("templates/", views.templates, name="templates"),
    path("templates/<int:pk>/use/", views.use_template, name="use_template"),
    path("templates/<int:pk>/delete/", views.delete_template, name="delete_template"),
]
