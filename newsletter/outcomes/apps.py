from django.apps import AppConfig


class OutcomesConfig(AppConfig):
    name = "newsletter.outcomes"
    label = "outcomes"

    def ready(self) -> None:
        from anymail.signals import tracking

        from newsletter.outcomes import checks  # noqa: F401 - registers itself
        from newsletter.outcomes.privacy import Events
        from newsletter.outcomes.webhooks import note
        from signup.privacy import registry

        registry.register(Events())
        # The signal is anymail's way of handing over; all that happens on it is writing down.
        tracking.connect(note, dispatch_uid="outcomes.note", weak=False)
