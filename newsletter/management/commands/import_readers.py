"""Bring readers in from a CSV file, with a basis and evidence for each. Tries it out by default."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from newsletter.catalogue.models import Newsletter
from newsletter.desk import access_log
from newsletter.desk.models import AccessEntry, User
from signup.consent import importing


class Command(BaseCommand):
    help = (
        "Bring readers in from a CSV file (address, basis, date, evidence, where, language). "
        "Without --really nothing is written; the report says what would happen to each line."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--newsletter", required=True, help="the newsletter's slug")
        parser.add_argument("--by", required=True, help="the account that answers for it")
        parser.add_argument("--reason", required=True, help="kept in the access log")
        parser.add_argument("--really", action="store_true", help="do it, after a dry run")

    def handle(self, *args: Any, **options: Any) -> None:
        newsletter = Newsletter.objects.filter(slug=options["newsletter"]).first()
        user = User.objects.filter(username=options["by"], is_active=True).first()
        if newsletter is None or user is None:
            raise CommandError("There is no such newsletter, or no such account.")
        if not user.has_perm("desk.import_readers"):
            raise CommandError("This account may not import readers.")
        if len(options["reason"]) > 300:
            raise CommandError("Give a reason of at most 300 letters.")
        dry = not options["really"]
        try:
            text = options["file"].read_text(encoding="utf-8-sig")
            if not dry:
                # First the line, then the deed.
                access_log.write(
                    by=user,
                    action=AccessEntry.Action.IMPORTED,
                    reason=options["reason"],
                    detail=f"newsletter {newsletter.slug}",
                )
            report = importing.run(
                text=text, newsletter=newsletter, by=f"account {user.pk}", dry=dry
            )
        except access_log.HoldsAddress as error:
            raise CommandError("Leave addresses out of the reason.") from error
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"The file cannot be read: {error}") from error
        except importing.BadFile as error:
            raise CommandError(str(error)) from error
        for outcome in report.outcomes:
            why = f": {outcome.why}" if outcome.why else ""
            self.stdout.write(f"line {outcome.line}: {outcome.fate.value}{why}")
        counts = ", ".join(f"{report.count(fate)} {fate.name.lower()}" for fate in importing.Fate)
        tried = " Only tried out; nothing was written." if dry else ""
        self.stdout.write(f"{counts}.{tried}")
