"""Plan the digests that are due, in this process; or only say what would be planned."""

from argparse import ArgumentParser
from collections import Counter
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from newsletter.sending.digest_run import Run, run_due
from newsletter.sending.models import Delivery


class Command(BaseCommand):
    help = (
        "Plan the digests of every reader who is due. Workers then send them, or `send_due`. "
        "Says numbers only: what somebody follows is nobody else's to read."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--now",
            metavar="TIME",
            help="As of this time, e.g. 2026-11-23T08:00+01:00 (default: now).",
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="Plan, say what was planned, and take all of it back.",
        )

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        now = _moment(options["now"])
        if now > timezone.now() and not dry_run:
            raise CommandError("That time is still to come. Only a --dry-run can look ahead.")
        with transaction.atomic():
            before = Delivery.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
            runs = run_due(now) if dry_run else []
            sizes = _sizes(before)
            # The very same run as the real one, so that it cannot promise something else.
            transaction.set_rollback(True)
        if not dry_run:
            # Outside, because each slice of a real run commits by itself.
            runs, sizes = run_due(now), _sizes(before)
        self._say(runs, sizes, dry_run=dry_run)

    def _say(self, runs: list[Run], sizes: Counter[int], *, dry_run: bool) -> None:
        if not runs:
            self.stdout.write("Nobody is due.")
        verb = "would get" if dry_run else "get"
        for run in runs:
            self.stdout.write(
                f"{run.newsletter}: {run.due} readers due, {run.planned} {verb} a mail, "
                f"{run.due - run.planned} have nothing new or may not be mailed "
                f"(articles up to number {run.cutoff_seq})."
            )
        for articles, readers in sorted(sizes.items()):
            self.stdout.write(f"  {articles} articles: {readers} readers")


def _sizes(after: int) -> Counter[int]:
    """How many mails hold how many articles."""
    found: Counter[int] = Counter()
    lists = Delivery.objects.filter(pk__gt=after, article_ids__isnull=False)
    for articles in lists.values_list("article_ids", flat=True).iterator():
        found[len(articles or ())] += 1
    return found


def _moment(given: str | None) -> datetime:
    if given is None:
        return timezone.now()
    try:
        moment = parse_datetime(given)
    except ValueError:
        moment = None
    if moment is None:
        raise CommandError(f"--now {given!r} is no time. Write it like 2026-11-23T08:00+01:00.")
    if timezone.is_naive(moment):
        raise CommandError("--now needs a zone: end it with Z or an offset like +01:00.")
    return moment
