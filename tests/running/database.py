"""The test database as migrations left it, and back to it after tests that commit.

Django's own flush empties what migrations wrote (Wagtail's root collection, the release counter)
and breaks on tables that triggers guard. So the rows are noted once, guards are lifted while the
tables are emptied, and the noted rows are put back.
"""

from dataclasses import dataclass, field

from django.db import connection

_KEPT = {"django_migrations"}


@dataclass
class Migrated:
    """The rows of every table right after migrating."""

    tables: list[str] = field(default_factory=list)
    rows: dict[str, tuple[list[str], list[tuple[object, ...]]]] = field(default_factory=dict)

    def note(self) -> None:
        with connection.cursor() as cursor:
            self.tables = [
                name
                for name in connection.introspection.table_names(cursor)
                if name not in _KEPT and not _is_search_index(name)
            ]
            for table in self.tables:
                cursor.execute(f"SELECT * FROM {_quoted(table)}")
                columns = [column[0] for column in cursor.description or ()]
                if rows := cursor.fetchall():
                    self.rows[table] = (columns, rows)

    def restore(self) -> None:
        if connection.vendor == "postgresql":
            self._restore_postgresql()
        else:
            self._restore_sqlite()
        from django.contrib.contenttypes.models import ContentType

        ContentType.objects.clear_cache()

    def _restore_postgresql(self) -> None:
        with connection.cursor() as cursor:
            # A worker that the test left behind must be an error, not a wait for ever.
            cursor.execute("SET lock_timeout = '20s'")
            # No trigger fires in this role: neither the ledger's guards nor foreign keys.
            cursor.execute("SET session_replication_role = replica")
            cursor.execute(f"TRUNCATE {', '.join(map(_quoted, self.tables))}")
            self._insert(cursor)
            cursor.execute("SET session_replication_role = DEFAULT")
            cursor.execute("SET lock_timeout = DEFAULT")

    def _restore_sqlite(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA foreign_keys = OFF")
            cursor.execute(
                "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND sql LIKE %s",
                ["%RAISE%"],
            )
            guards = cursor.fetchall()
            cursor.execute("BEGIN IMMEDIATE")
            for name, _ in guards:
                cursor.execute(f"DROP TRIGGER {_quoted(name)}")
            for table in self.tables:
                cursor.execute(f"DELETE FROM {_quoted(table)}")
            self._insert(cursor)
            for _, sql in guards:
                cursor.execute(sql)
            cursor.execute("COMMIT")
            cursor.execute("PRAGMA foreign_keys = ON")

    def _insert(self, cursor: object) -> None:
        for table, (columns, rows) in self.rows.items():
            names = ", ".join(map(_quoted, columns))
            places = ", ".join(["%s"] * len(columns))
            cursor.executemany(  # type: ignore[attr-defined]
                f"INSERT INTO {_quoted(table)} ({names}) VALUES ({places})", rows
            )


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def _is_search_index(name: str) -> bool:
    """SQLite's full-text tables: kept by triggers of their own."""
    return connection.vendor == "sqlite" and "_fts" in name
