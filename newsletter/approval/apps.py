from django.apps import AppConfig


class ApprovalConfig(AppConfig):
    name = "newsletter.approval"
    label = "approval"
