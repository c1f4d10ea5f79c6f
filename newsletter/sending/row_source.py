"""Rows of ours as a table that a statement can read FROM: one statement for thousands of rows."""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from django.db import connection


class Type(Enum):
    """What a column holds, as PostgreSQL calls it."""

    NUMBER = "bigint"
    INSTANT = "timestamptz"
    JSON = "jsonb"


def row_source(
    columns: Sequence[tuple[str, Type]], rows: Iterable[Sequence[Any]]
) -> tuple[str, list[Any]]:
    """Return what to write after FROM, and its parameters: a table named `new` of these columns.

    One parameter a column on PostgreSQL (arrays), one in all on SQLite (JSON): thousands of rows
    need no thousands of placeholders. A JSON column's values are written as JSON here.
    """
    if connection.vendor == "postgresql":
        return _arrays(columns, rows)
    return _document(columns, rows)


def _arrays(
    columns: Sequence[tuple[str, Type]], rows: Iterable[Sequence[Any]]
) -> tuple[str, list[Any]]:
    # Written as PostgreSQL writes arrays, since that is one join, where the driver would turn
    # to each value of each list.
    arrays = list(zip(*rows, strict=True)) or [() for _ in columns]
    written = [
        "{" + ",".join(map(_WRITTEN[kind], values)) + "}"
        for (_, kind), values in zip(columns, arrays, strict=True)
    ]
    types = ", ".join(f"%s::{'text' if kind is Type.JSON else kind.value}[]" for _, kind in columns)
    names = ", ".join(name for name, _ in columns)
    picked = ", ".join(
        f"{name}::{kind.value}" if kind is Type.JSON else name for name, kind in columns
    )
    return f"(SELECT {picked} FROM unnest({types}) AS given({names})) AS new", written  # noqa: S608


def _number(value: int | None) -> str:
    return "NULL" if value is None else str(int(value))


def _instant(value: datetime | None) -> str:
    return "NULL" if value is None else f'"{value.isoformat()}"'


def _json(value: Any) -> str:
    if value is None:
        return "NULL"
    return '"' + json.dumps(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


_WRITTEN: dict[Type, Callable[[Any], str]] = {
    Type.NUMBER: _number,
    Type.INSTANT: _instant,
    Type.JSON: _json,
}


def _document(
    columns: Sequence[tuple[str, Type]], rows: Iterable[Sequence[Any]]
) -> tuple[str, list[Any]]:
    kinds = [kind for _, kind in columns]
    document = json.dumps(
        [
            [_as_sqlite_has_it(kind, value) for kind, value in zip(kinds, row, strict=True)]
            for row in rows
        ]
    )
    picked = ", ".join(
        f"json_extract(value, '$[{place}]') AS {name}" for place, (name, _) in enumerate(columns)
    )
    return f"(SELECT {picked} FROM json_each(%s)) AS new", [document]  # noqa: S608


def _as_sqlite_has_it(kind: Type, value: Any) -> Any:
    if value is None or kind is Type.NUMBER:
        return value
    if kind is Type.INSTANT:
        # As Django's own adapter writes it, so that the two can be compared.
        return str(value.astimezone(UTC).replace(tzinfo=None))
    return json.dumps(value)
