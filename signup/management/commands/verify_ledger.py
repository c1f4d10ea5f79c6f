"""Check the consent ledger from its first line to its last."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from signup import consent
from signup.models import ConsentEntry, ConsentSubject

SHOWN = 50


class Command(BaseCommand):
    help = "Verify the consent ledger: hashes, order, heads, triggers. Exit code 1 for any fault."

    def handle(self, *args: Any, **options: Any) -> None:
        faults = consent.verify()
        for fault in faults[:SHOWN]:
            self.stderr.write(str(fault))
        if faults:
            more = f", the first {SHOWN} shown" if len(faults) > SHOWN else ""
            raise CommandError(f"The ledger does not hold: {len(faults)} faults{more}.")
        self.stdout.write(
            f"The ledger holds: {ConsentEntry.objects.count()} entries "
            f"in {ConsentSubject.objects.count()} chains."
        )
