from django.apps import AppConfig


class SendingConfig(AppConfig):
    name = "newsletter.sending"
    label = "sending"
