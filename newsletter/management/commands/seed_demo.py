"""Put the demonstration's content into this Wellread: `manage.py seed_demo`."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from newsletter.management.demo import staff
from newsletter.management.demo.seed import seed


class Command(BaseCommand):
    help = (
        "Write the demo: ten conditions, twenty articles, two newsletters, a sent issue and a "
        "draft, 300 invented readers and five staff accounts. Running it again changes nothing."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if not (settings.EMBEDDED or settings.DEBUG):
            raise CommandError(
                "This is not a demo: neither EMBEDDED nor DEBUG is set. Demo staff have a password "
                "that anybody can read, and demo readers would get your mailings. Run `make run` "
                "for a demo with a database of its own."
            )
        aloud = options["verbosity"] > 0
        total = 0
        for made in seed():
            total += made.number
            if aloud and made.number:
                self.stdout.write(f"{made.number:>5} {made.what}")
        if not aloud:
            return
        if total == 0:
            self.stdout.write("The demo's content is there already. Nothing was changed.")
        else:
            self.stdout.write(f"Staff log in with the password {staff.password_in_use()}")
