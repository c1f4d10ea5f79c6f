"""What a database file still holds of rows that are gone."""

import logging

from django.db import connection

log = logging.getLogger(__name__)

# How long erasing may wait for others who read the database just now.
WAIT_MILLISECONDS = 2_000


def wipe() -> bool:
    """Take what was deleted out of SQLite's log file too; True when nothing is left there.

    SQLite overwrites deleted content in the database itself (secure_delete, project/settings.py),
    but the log beside it keeps older pages until it is emptied. That waits for whoever reads
    meanwhile, so it may fail; the nightly purge does it again. PostgreSQL reuses the space by
    itself (autovacuum), and its log and backups are the operator's: see docs/privacy.md.
    """
    if connection.vendor != "sqlite":
        return True
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        (usual,) = cursor.fetchone()
        cursor.execute(f"PRAGMA busy_timeout = {WAIT_MILLISECONDS:d}")
        try:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            (busy, _frames, _moved) = cursor.fetchone()
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {int(usual):d}")
    if busy:
        log.warning("The database's log could not be emptied now; the nightly purge will do it.")
    return not busy
