"""Who writes many marks of a newsletter in one transaction does so while nobody else does."""

from django.db import connection

# Ours among the advisory locks of the database: "dm" for digest marks.
_KIND = 0x646D


def take_turn(newsletter_id: int) -> None:
    """Wait until no other transaction holds this newsletter's turn; keep it to this one's end.

    A run claims marks in whatever order the database finds them, and a sender gives them back in
    another. Without turns each could wait for a row of the other's, and PostgreSQL would end one
    of the two. What writes one reader's mark needs none: it waits for nobody while it holds it.
    On SQLite there is one writer at a time anyway.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(%s, %s)", [_KIND, newsletter_id & 0x7FFFFFFF]
            )
