"""Seal the consent ledger outside the database, now."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from signup.consent import seals


class Command(BaseCommand):
    help = "Write the next seal of the consent ledger to LEDGER_SEAL_DIR, as beat does every night."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            made = seals.seal()
        except seals.CannotSeal as error:
            raise CommandError(str(error)) from error
        if made is None:
            raise CommandError("Another seal is being made right now.")
        self.stdout.write(f"Seal {made.number} holds {made.chains} chains: {seals.folder()}")
