from django.apps import AppConfig


class RenderingConfig(AppConfig):
    name = "newsletter.rendering"
    label = "rendering"
