"""Sessions of PostgreSQL that wait for each other."""

from django.db import connection


def somebody_waits() -> bool:
    """True while some session of this database waits for a lock."""
    with connection.cursor() as cursor:
        # A transaction reads who is there once, and keeps it unless told to look again.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT 1 FROM pg_locks JOIN pg_stat_activity USING (pid)"
            " WHERE NOT granted AND datname = current_database()"
        )
        return cursor.fetchone() is not None
