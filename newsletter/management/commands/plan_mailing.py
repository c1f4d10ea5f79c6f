"""Plan the mailing of an approved issue from the command line."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from newsletter.approval.sign_off import valid_approval
from newsletter.editions.models import Issue
from newsletter.sending.balance import counts
from newsletter.sending.errors import NotApproved
from newsletter.sending.plan import plan_issue, resume


class Command(BaseCommand):
    help = "Plan the mailing of an approved issue; the workers then send it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("issue", help="The issue's slug.")

    def handle(self, *args: Any, issue: str, **options: Any) -> None:
        found = Issue.objects.filter(slug=issue).select_related("newsletter").first()
        if found is None:
            raise CommandError(f"There is no issue with the slug {issue!r}.")
        approval = valid_approval(found)
        if approval is None:
            raise CommandError("This issue is not approved as it stands. Nothing was planned.")
        try:
            mailing = resume(plan_issue(issue=found, approval=approval, by=None))
        except NotApproved as error:
            raise CommandError(str(error)) from error
        planned = counts(mailing)
        self.stdout.write(
            f"Mailing {mailing.pk} is {mailing.get_state_display()}: {planned.planned} planned, "
            f"{planned.open} open."
        )
