"""Rows written by plain statements, where hundreds of strangers may arrive in a second.

Django builds each statement anew and waits for its answer, which costs far more than the rows
do. Here a statement's text is built once, from the models' own columns and defaults, and several
go to the database in one journey. Constraints and triggers are the database's as ever.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection, models

# What a column is given: its attribute's name and the SQL for its value, mostly "%s".
Given = tuple[tuple[str, str], ...]
_AS_THEY_ARE = frozenset({str, int, bool, bytes, type(None)})


class Trip:
    """Statements that travel together, each seeing what those before it did.

    One message to PostgreSQL and one answer, instead of one for each statement. On SQLite, and
    where the server binds the values (`server_side_binding`), they go one after another.
    """

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._values: list[list[Any]] = []

    def add(self, text: str, values: Sequence[Any] = ()) -> None:
        """Append a statement. Values: str, int, bytes, None, aware datetimes, UUIDs, choices."""
        self._texts.append(text)
        self._values.append([_adapted(value) for value in values])

    def go(self) -> list[list[tuple[Any, ...]]]:
        """Send them all; return each one's rows, none for what returns nothing.

        For use inside a transaction. Raises what Django raises for a failing statement; those
        behind it were not run.
        """
        together = connection.vendor == "postgresql" and not getattr(
            connection.features, "uses_server_side_binding", False
        )
        with connection.cursor() as cursor:
            if not together:
                return [
                    _rows(cursor, cursor.execute(text, values))
                    for text, values in zip(self._texts, self._values, strict=True)
                ]
            # Bound one by one: the driver remembers how to take a statement apart, if it is not
            # as long as all of them together. What comes out has no placeholder any more.
            bound = map(cursor.mogrify, self._texts, self._values)
            cursor.execute(";\n".join(bound))
            found = [_rows(cursor)]
            while cursor.nextset():
                found.append(_rows(cursor))
            return found


def table(model: type[models.Model]) -> str:
    """Return the quoted name of the model's table."""
    return connection.ops.quote_name(model._meta.db_table)


def given(*names: str, **expressions: str) -> Given:
    """Return what `insert_into` takes: columns with a value each, then such with an expression."""
    return (*((name, "%s") for name in names), *expressions.items())


@cache
def insert_into(
    vendor: str,
    model: type[models.Model],
    columns: Given,
    *,
    rows: int = 1,
    where: str = "",
    conflict: str = "",
    returning: str = "",
) -> str:
    """Return the text of an INSERT of `rows` rows; columns not given have the model's default.

    `where` makes it a SELECT that inserts its one row only if the condition holds; `conflict` is
    what follows ON CONFLICT. `vendor` is the connection's, for what is remembered of the text.
    """
    named = dict(columns)
    fixed = {
        str(field.attname): _literal(field)
        for field in model._meta.concrete_fields
        if field.attname not in named and not isinstance(field, models.AutoField)
    }
    quote = connection.ops.quote_name
    names = ", ".join(
        quote(str(model._meta.get_field(name).column))  # type: ignore[union-attr]
        for name in (*named, *fixed)
    )
    row = ", ".join((*named.values(), *fixed.values()))
    source = f"SELECT {row} WHERE {where}" if where else f"VALUES {', '.join([f'({row})'] * rows)}"
    text = f"INSERT INTO {table(model)} ({names}) {source}"
    if conflict:
        text += f" ON CONFLICT {conflict}"
    if returning:
        text += f" RETURNING {returning}"
    return text


def _literal(field: "models.Field[Any, Any]") -> str:
    """Return the field's default as SQL. Raises TypeError for one that is no constant."""
    default = field.get_default()
    if default is None and field.null:
        return "NULL"
    if isinstance(default, bool):
        return "TRUE" if default else "FALSE"
    if isinstance(default, int):
        return str(int(default))
    if isinstance(default, str):
        # Choices too; a percent sign would be read as a placeholder.
        return "'" + str(default).replace("'", "''").replace("%", "%%") + "'"
    raise TypeError(f"{field} has no constant default: give its value.")


def _adapted(value: Any) -> Any:
    """Return `value` as the database's driver takes it."""
    if type(value) in _AS_THEY_ARE:
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    if isinstance(value, UUID):
        return value if connection.features.has_native_uuid_field else value.hex
    raise TypeError(f"A {type(value).__qualname__} is no plain value.")


def _rows(cursor: Any, _sent: None = None) -> list[tuple[Any, ...]]:
    return cursor.fetchall() if cursor.description is not None else []
