"""Look up what mail providers look up before they take our mail."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from newsletter.outcomes.domain_records import Dns, DnsUnreachable, Level, look_at, look_at_envelope
from newsletter.outcomes.from_domains import from_domains


class Command(BaseCommand):
    help = "Check SPF, DKIM and DMARC of every domain that mail is sent from, bounces' included."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--selector",
            action="append",
            default=[],
            help="The name of a DKIM key, as your relay or provider calls it. May be repeated.",
        )
        parser.add_argument("--domain", action="append", default=[], help="Only this domain.")
        parser.add_argument("--nameserver", help="Ask this name server's address.")
        parser.add_argument("--port", type=int, default=53, help="The name server's port.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            resolver = Dns(nameserver=options["nameserver"], port=options["port"])
        except (DnsUnreachable, ValueError) as error:
            raise CommandError(str(error)) from error
        levels = set()
        for domain in options["domain"] or from_domains():
            self.stdout.write(domain)
            for finding in look_at(domain, options["selector"], resolver):
                levels.add(finding.level)
                self.stdout.write(f"  {finding.level}: {finding.about}: {finding.message}")
        if settings.BOUNCE_DOMAIN and not options["domain"]:
            self.stdout.write(f"{settings.BOUNCE_DOMAIN} (BOUNCE_DOMAIN, where bounces go)")
            finding = look_at_envelope(settings.BOUNCE_DOMAIN, resolver)
            levels.add(finding.level)
            self.stdout.write(f"  {finding.level}: {finding.about}: {finding.message}")
        if Level.BAD in levels:
            raise CommandError("Mail from here will be refused or end in junk.")
        if levels == {Level.UNASKED}:
            raise CommandError("The DNS could not be asked, so nothing is known.")
