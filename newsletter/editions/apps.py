from django.apps import AppConfig


class EditionsConfig(AppConfig):
    name = "newsletter.editions"
    label = "editions"
