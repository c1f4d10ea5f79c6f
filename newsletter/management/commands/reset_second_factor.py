"""Take the second factor off an account: for the last administrator, whose phone is lost.

Whoever may run this could as well read the database; it is written to the access log all the same.
"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from newsletter.desk.access_log import names_address
from newsletter.desk.models import User
from newsletter.desk.security import factor


class Command(BaseCommand):
    help = "Take the second factor off an account; it is set up anew at the next sign-in."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--reason", required=True, help="kept in the access log")

    def handle(self, *args: Any, **options: Any) -> None:
        if names_address(options["reason"]) or len(options["reason"]) > 300:
            raise CommandError("Give a reason of at most 300 letters without an address in it.")
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"There is no account {options['username']!r}.")
        with transaction.atomic():
            factor.reset(user=user, by=user, reason=f"manage.py: {options['reason']}"[:300])
        self.stdout.write("Done. It is set up anew at the next sign-in.")
