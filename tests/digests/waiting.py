"""Sessions of PostgreSQL that wait for each other."""

from django.db import connection


def somebody_waits() -> bool:
    """True while some session waits for a lock. Not by pg_stat_activity, which a transaction
    reads once and then keeps."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_locks WHERE NOT granted")
        return cursor.fetchone() is not None
