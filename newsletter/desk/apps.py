from django.apps import AppConfig
from django.db.models.signals import post_migrate


class DeskConfig(AppConfig):
    name = "newsletter.desk"
    label = "desk"

    def ready(self) -> None:
        from newsletter.desk import checks  # noqa: F401 - registers the system checks
        from newsletter.desk.readers.holder import AccessLog
        from newsletter.desk.roles import after_migrate
        from signup.privacy.registry import register

        post_migrate.connect(after_migrate, sender=self, dispatch_uid="desk.roles")
        register(AccessLog())
