from django.apps import AppConfig


class TransportsConfig(AppConfig):
    name = "newsletter.transports"
    label = "transports"
