from django.apps import AppConfig
from django.db.models.signals import post_migrate


class SignupConfig(AppConfig):
    name = "signup"

    def ready(self) -> None:
        from signup import checks  # noqa: F401 - registers the system checks
        from signup.consent.texts import ensure_texts
        from signup.privacy import registry
        from signup.privacy.holder import SignupHolder

        registry.register(SignupHolder())
        post_migrate.connect(ensure_texts, sender=self, dispatch_uid="signup.ensure_texts")
