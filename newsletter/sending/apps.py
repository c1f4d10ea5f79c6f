from django.apps import AppConfig


class SendingConfig(AppConfig):
    name = "newsletter.sending"
    label = "sending"

    def ready(self) -> None:
        from newsletter.sending.digest_marks import time_anew
        from newsletter.sending.last_mail import mailed_since
        from newsletter.sending.privacy import Deliveries
        from signup import cadence
        from signup.consent import expiry
        from signup.privacy import registry

        registry.register(Deliveries())
        cadence.on_change(time_anew)
        expiry.on_last_mail(mailed_since)
