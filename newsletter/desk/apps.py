from django.apps import AppConfig


class DeskConfig(AppConfig):
    name = "newsletter.desk"
    label = "desk"
