from django.apps import AppConfig


class ArchiveConfig(AppConfig):
    name = "newsletter.archive"
    label = "archive"
