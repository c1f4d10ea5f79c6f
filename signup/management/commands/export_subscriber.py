"""Everything kept about one reader, as JSON (GDPR Art. 15 and 20)."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from signup.management.reader import reader_at
from signup.privacy.export import export


class Command(BaseCommand):
    help = "Write everything kept about one reader to standard output, as JSON."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("address", help="the reader's e-mail address")

    def handle(self, *args: Any, address: str, **options: Any) -> None:
        document = export(subscriber=reader_at(address))
        self.stdout.write(json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True))
