"""Look at a test mail that arrived: what the relay and the way made of it."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from newsletter.outcomes import received
from newsletter.outcomes.domain_records import Dns, DnsUnreachable, Level
from newsletter.outcomes.from_domains import from_domains
from newsletter.outcomes.received.mail import MAX_OCTETS


class Command(BaseCommand):
    help = (
        "Read a test issue as it arrived in a mailbox of yours at a big provider (“Show original”, "
        "Download .eml), and say whether its signature, its unsubscribe fields and the relay are "
        "as providers demand. Nothing of it is kept."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", metavar="FILE", nargs="?", help="The saved mail; by default standard input."
        )
        parser.add_argument("--nameserver", help="Ask this name server's address.")
        parser.add_argument("--port", type=int, default=53, help="The name server's port.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            resolver = Dns(nameserver=options["nameserver"], port=options["port"])
            looked = received.look_at(
                received.read(_octets(options["file"])),
                ours=from_domains(),
                host=urlsplit(settings.BASE_URL).hostname or "",
                resolver=resolver,
            )
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}") from error
        except (DnsUnreachable, ValueError, received.Unfit) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{looked.domain}, as {looked.receiver} took it")
        for finding in looked.findings:
            self.stdout.write(f"  {finding.level}: {finding.about}: {finding.message}")
        levels = {finding.level for finding in looked.findings}
        if Level.BAD in levels:
            raise CommandError("Mail that arrives like this will be refused or end in junk.")
        if Level.UNASKED in {one.level for one in looked.findings if one.about == "DKIM"}:
            raise CommandError("The signature could not be checked, so nothing is proved.")


def _octets(path: str | None) -> bytes:
    """Return the mail, or one octet too many of what is too large for one."""
    if path is None:
        return sys.stdin.buffer.read(MAX_OCTETS + 1)
    with Path(path).open("rb") as file:
        return file.read(MAX_OCTETS + 1)
