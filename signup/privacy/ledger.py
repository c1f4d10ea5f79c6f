"""A reader's own lines of the consent ledger."""

from django.db.models import QuerySet

from signup.models import ConsentEntry, ConsentSubject, Subscriber


def ledger_of(subscriber: Subscriber) -> QuerySet[ConsentEntry]:
    """Return the reader's lines of the ledger in their order."""
    return ConsentEntry.objects.filter(
        subject__in=ConsentSubject.objects.filter(subscriber=subscriber).values("subject")
    ).order_by("seq")
