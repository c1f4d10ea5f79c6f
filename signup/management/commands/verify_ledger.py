"""Check the consent ledger from its first line to its last."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from signup.consent.verify import faults
from signup.models import ConsentEntry, ConsentSubject, LedgerSeal

SHOWN = 50


class Command(BaseCommand):
    help = (
        "Verify the consent ledger: hashes, order, heads, seals, triggers, and the consent behind "
        "every live subscription. Says where it does not hold. Exit code 1 for any fault."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        found = 0
        for fault in faults():
            found += 1
            if found <= SHOWN:
                self.stderr.write(str(fault))
        if found:
            more = f", the first {SHOWN} shown" if found > SHOWN else ""
            raise CommandError(f"The ledger does not hold: {found} faults{more}.")
        seal = LedgerSeal.objects.order_by("-number").first()
        sealed = f"sealed up to {seal.made_at:%Y-%m-%d %H:%M}" if seal else "not sealed yet"
        self.stdout.write(
            f"The ledger holds: {ConsentEntry.objects.count()} entries "
            f"in {ConsentSubject.objects.count()} chains, {sealed}."
        )
