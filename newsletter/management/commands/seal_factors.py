"""Put every second factor's secret under the newest of FACTOR_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from newsletter.desk.security.factor import seal_all


class Command(BaseCommand):
    help = (
        "Seal the secrets of the staff's second factors under the newest key of FACTOR_KEYS. "
        "Afterwards older keys may be taken out. Safe to repeat."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        sealed, lost = seal_all()
        self.stdout.write(f"Sealed anew: {sealed}.")
        if lost:
            accounts = ", ".join(map(str, lost))
            raise CommandError(
                f"Cannot be opened with the keys listed, accounts {accounts}. Bring the old key "
                "back, or take these factors off with reset_second_factor."
            )
