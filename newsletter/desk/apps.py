from django.apps import AppConfig
from django.db.models.signals import post_migrate


class DeskConfig(AppConfig):
    name = "newsletter.desk"
    label = "desk"

    def ready(self) -> None:
        from newsletter.desk.roles import after_migrate

        post_migrate.connect(after_migrate, sender=self, dispatch_uid="desk.roles")
