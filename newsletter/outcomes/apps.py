from django.apps import AppConfig


class OutcomesConfig(AppConfig):
    name = "newsletter.outcomes"
    label = "outcomes"
