"""Clear away the pictures that no mail shows."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from newsletter.archive.sweep_pictures import KEPT, NoFolder, sweep_pictures

FEWEST_DAYS = 30


class Command(BaseCommand):
    help = (
        "Delete pictures that were last drawn long ago and that nothing approved, sent or "
        "scheduled names. The beat does so on Sundays. Safe to repeat."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, default=KEPT.days, help="Kept for so many days.")
        parser.add_argument("--pretend", action="store_true", help="Only say which.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["days"] < FEWEST_DAYS:
            raise CommandError(f"At least {FEWEST_DAYS} days: tests and drafts show them too.")
        kept = timedelta(days=options["days"])
        try:
            names = sweep_pictures(kept=kept, pretend=options["pretend"])
        except NoFolder as refusal:
            raise CommandError(
                "The pictures do not lie in a folder. Let the store itself end them."
            ) from refusal
        if options["pretend"]:
            for name in names:
                self.stdout.write(name)
        self.stdout.write(f"{'Would delete' if options['pretend'] else 'Deleted'}: {len(names)}.")
