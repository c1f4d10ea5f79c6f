"""The proof of one reader's consent, as JSON (GDPR Art. 7(1))."""

import json
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from signup.consent import proof
from signup.management.reader import reader_at


class Command(BaseCommand):
    help = "Write the proof of one reader's consent to standard output, as JSON."

    def add_arguments(self, parser: ArgumentParser) -> None:
        whose = parser.add_mutually_exclusive_group(required=True)
        whose.add_argument("address", nargs="?", help="the reader's e-mail address")
        whose.add_argument("--subject", type=UUID, help="a subject of the ledger instead")

    def handle(self, *args: Any, address: str | None, subject: UUID | None, **options: Any) -> None:
        try:
            if subject is not None:
                found = proof.of_subject(subject)
            else:
                found = proof.of_reader(reader_at(address or ""))
        except proof.NoSuchChain as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(proof.as_json(found), indent=2, ensure_ascii=False))
