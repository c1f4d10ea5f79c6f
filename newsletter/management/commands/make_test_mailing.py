"""A large mailing to readers who do not exist."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from newsletter.management import test_mailing
from newsletter.sending.balance import counts

MOST = 2_000_000


class Command(BaseCommand):
    help = "Plan a mailing to invented readers at .example addresses, for trying out and measuring."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--readers", type=int, default=2000, help="How many (default: 2000).")

    def handle(self, *args: Any, readers: int, **options: Any) -> None:
        if not (settings.EMBEDDED or settings.DEBUG):
            raise CommandError(
                "This would put invented readers among real ones. It runs only where EMBEDDED or "
                "DEBUG is set."
            )
        if not 1 <= readers <= MOST:
            raise CommandError(f"--readers is a number from 1 to {MOST}.")
        mailing = test_mailing.make(readers)
        self.stdout.write(
            f"Mailing {mailing.pk} is {mailing.get_state_display()}: "
            f"{counts(mailing).planned} readers planned."
        )
