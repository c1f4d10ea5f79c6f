from django.apps import AppConfig
from django.conf import settings


class ProjectConfig(AppConfig):
    name = "project"

    def ready(self) -> None:
        from project import catalogues, checks  # noqa: F401 - registers them

        catalogues.compile_all(settings.BASE_DIR / "locale")
