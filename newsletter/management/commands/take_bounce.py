"""Take one mail that came to a return path, from a mail server's pipe."""

import logging
import os
import sys
from argparse import ArgumentParser
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from newsletter.outcomes.bounces.parts import MAX_OCTETS
from newsletter.outcomes.bounces.take import take

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = (
        "Read one mail from standard input that came to RECIPIENT, the envelope's, and write down "
        "what it says of the copy whose return path that is. Ends with 0 when it was taken or says "
        "nothing, and with 75 when the mail server has to keep it and try again."
    )
    # What is set wrongly would end it with 1, and lose the mail; `check` tells of that.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("recipient", metavar="RECIPIENT", help="The envelope's recipient.")

    def handle(self, *args: Any, recipient: str, **options: Any) -> None:
        raw = _first_of(sys.stdin.buffer)
        try:
            take(raw, recipient=recipient)
        except DatabaseError as error:
            # Its words could hold what was to be written.
            raise CommandError(
                f"The database did not take it: {type(error).__name__}", returncode=os.EX_TEMPFAIL
            ) from error


def _first_of(stream: IO[bytes]) -> bytes:
    """Return what is read of a mail, and read the rest away: a mail server that cannot write all
    of it may take that for a failure."""
    first = stream.read(MAX_OCTETS)
    while stream.read(MAX_OCTETS):
        pass
    return first
