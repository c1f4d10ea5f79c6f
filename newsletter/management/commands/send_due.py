"""Send what is due, in this process: for trying out, and for when no worker runs."""

import os
import socket
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from newsletter.sending.alert import unplanned
from newsletter.sending.claim import claim
from newsletter.sending.deliver import deliver
from newsletter.sending.feed import feed
from newsletter.sending.models import Mailing
from newsletter.sending.plan import resume, unfinished
from newsletter.sending.recover import recover
from newsletter.transports.errors import TransportError
from newsletter.transports.select import bulk_transport, close_kept


class Command(BaseCommand):
    help = "Plan, send and recover what is due, until nothing is left that can go now."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--seconds",
            type=float,
            default=3600.0,
            help="Stop after about this long (default: an hour).",
        )

    def handle(self, *args: Any, seconds: float, **options: Any) -> None:
        if seconds <= 0:
            raise CommandError("--seconds must be more than 0.")
        until = time.monotonic() + seconds
        worker = f"send_due on {socket.gethostname()}:{os.getpid()}"
        for mailing_id in unfinished() + unplanned():
            resume(Mailing.objects.get(pk=mailing_id))
        batches = 0
        while time.monotonic() < until:
            recover()
            fed = feed()
            if not fed:
                break
            for batch_id in fed:
                claimed = claim(batch_id, worker)
                if claimed is None:
                    continue
                try:
                    transport = bulk_transport(health=claimed.mailing.is_health_data)
                    ending = deliver(claimed, transport)
                except TransportError as error:
                    raise CommandError(str(error)) from error
                batches += 1
                self.stdout.write(f"Batch {batch_id}: {ending}")
        close_kept()
        recover()
        self.stdout.write(f"{batches} batches handled.")
