"""A hand in the database that may do anything: what the ledger must give away."""

from typing import Any

from django.db import connection

from signup.consent.verify import TRIGGERS


def lift_guards() -> None:
    """Drop the triggers inside the test's transaction, as an intruder with rights could."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for table in ("consententry", "consenttext", "consentsubject"):
                cursor.execute(f"ALTER TABLE signup_{table} DISABLE TRIGGER USER")
        else:
            for name in TRIGGERS:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")


def sql(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def stored(subject: Any) -> Any:
    """A subject as this database keeps it."""
    return subject if connection.vendor == "postgresql" else subject.hex
