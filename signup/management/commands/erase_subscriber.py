"""Erase one reader (GDPR Art. 17)."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from signup.management.reader import reader_at
from signup.models import ConsentEntry
from signup.privacy.erase import erase


class Command(BaseCommand):
    help = "Erase one reader for good. The address is suppressed; counts and the ledger stay."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("address", help="the reader's e-mail address")
        parser.add_argument(
            "--yes", action="store_true", help="do it; without this, only say what would be done"
        )

    def handle(self, *args: Any, address: str, yes: bool, **options: Any) -> None:
        subscriber = reader_at(address)
        if not yes:
            raise CommandError(
                f"Reader {subscriber.pk} would be erased for good. Add --yes to do it; "
                "`export_subscriber` gives a copy first."
            )
        erase(
            subscriber=subscriber,
            method=ConsentEntry.Method.COMMAND,
            source="erase_subscriber",
        )
        self.stdout.write(f"Reader {subscriber.pk} is erased.")
