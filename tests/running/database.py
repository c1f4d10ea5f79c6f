"""The test database as migrations left it: made once, copied, and gone back to after tests.

Migrating takes a dozen seconds of a core. One worker process of a pass does it and the others copy
what it made.

Django's own flush empties what migrations wrote (Wagtail's root collection, the release counter)
and breaks on tables that triggers guard. So the rows are noted once, guards are lifted while the
tables are emptied, and the noted rows are put back.
"""

import contextlib
import fcntl
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

_KEPT = {"django_migrations"}


@contextlib.contextmanager
def made(shared: Path | None) -> Iterator[None]:
    """Have a migrated test database of this process' own while the block runs.

    `shared` is a folder that all processes of a pass see, None for a process that is alone.
    """
    before = connection.settings_dict["NAME"]
    template = _Template(shared) if shared else None
    owner = False
    with template.alone() if template else contextlib.nullcontext():
        if template and template.is_there:
            template.copy()
        else:
            connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
            if template:
                template.make()
                owner = True
    try:
        yield
    finally:
        if template and owner:
            with template.alone():
                template.remove()
        connection.creation.destroy_test_db(before, verbosity=0)


@dataclass
class _Template:
    """The migrated database that nobody works on: a file, or a database of the same server."""

    shared: Path

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        with (self.shared / "migrating").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @property
    def is_there(self) -> bool:
        return self._name.exists()

    @property
    def _name(self) -> Path:
        return self.shared / "migrated"

    def make(self) -> None:
        """Copy what this process has just migrated."""
        connection.close()
        database = connection.settings_dict["NAME"]
        if connection.vendor == "sqlite":
            copy_file(database, self._name)
        else:
            name = f"migrated_{database}"
            _create(name, database)
            self._name.write_text(name)

    def copy(self) -> None:
        """Make this process' database of it, and connect there from now on."""
        name = connection.creation._get_test_db_name()
        connection.close()
        if connection.vendor == "sqlite":
            shutil.copyfile(self._name, name)
        else:
            _create(name, self._name.read_text())
        settings.DATABASES[connection.alias]["NAME"] = name
        connection.settings_dict["NAME"] = name

    def remove(self) -> None:
        if connection.vendor == "postgresql":
            _drop(self._name.read_text())
        self._name.unlink()


def copy_file(source: str, target: Path) -> None:
    """Copy a SQLite database, however much of it still lies beside it."""
    with (
        contextlib.closing(sqlite3.connect(source)) as found,
        contextlib.closing(sqlite3.connect(target)) as made_of_it,
    ):
        found.backup(made_of_it)


def _create(name: str, template: str) -> None:
    _drop(name)
    with connection.creation._nodb_cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {_quoted(name)} TEMPLATE {_quoted(template)}")


def _drop(name: str) -> None:
    with connection.creation._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {_quoted(name)}")


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
        """Empty the tables that have come to hold something else, and put their rows back."""
        try:
            if connection.vendor == "postgresql":
                self._restore_postgresql()
            else:
                self._restore_sqlite()
        except BaseException:
            # Half of it may be done: no later test goes on in this session.
            connection.close()
            raise
        from django.contrib.contenttypes.models import ContentType

        ContentType.objects.clear_cache()

    def _changed(self) -> list[str]:
        """Most tests touch ten tables of two hundred; to ask is cheaper than to empty all."""
        empty = [table for table in self.tables if table not in self.rows]
        question = " UNION ALL ".join(
            f"SELECT {number} WHERE EXISTS (SELECT 1 FROM {_quoted(table)})"
            for number, table in enumerate(empty)
        )
        with connection.cursor() as cursor:
            cursor.execute(question)
            changed = [empty[number] for (number,) in cursor.fetchall()]
            for table, (_columns, rows) in self.rows.items():
                cursor.execute(f"SELECT * FROM {_quoted(table)}")
                if Counter(cursor.fetchall()) != Counter(rows):
                    changed.append(table)
        return changed

    def _restore_postgresql(self) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            # A worker that the test left behind must be an error, not a wait for ever.
            cursor.execute("SET LOCAL lock_timeout = '60s'")
            cursor.execute(
                f"LOCK TABLE {', '.join(map(_quoted, self.tables))} IN SHARE ROW EXCLUSIVE MODE"
            )
            # No trigger fires in this role: neither the ledger's guards nor foreign keys.
            cursor.execute("SET LOCAL session_replication_role = replica")
            changed = self._changed()
            # Not TRUNCATE, which wants every table that points here, and makes new files for each.
            for table in changed:
                cursor.execute(f"DELETE FROM {_quoted(table)}")
            self._insert(cursor, changed)

    def _restore_sqlite(self) -> None:
        changed = self._changed()
        if not changed:
            return
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
            for table in changed:
                cursor.execute(f"DELETE FROM {_quoted(table)}")
            self._insert(cursor, changed)
            for _, sql in guards:
                cursor.execute(sql)
            cursor.execute("COMMIT")
            cursor.execute("PRAGMA foreign_keys = ON")

    def _insert(self, cursor: object, changed: list[str]) -> None:
        for table in changed:
            if table not in self.rows:
                continue
            columns, rows = self.rows[table]
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
