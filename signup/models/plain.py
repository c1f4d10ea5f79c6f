"""Rows written by plain statements, where hundreds of strangers may arrive in a second.

Django builds each statement anew, which costs far more than sending it. Here its text is built
once; defaults, conversions and constraints are Django's and the database's as ever.
"""

from collections.abc import Callable, Sequence
from functools import cache, reduce
from typing import Any, TypeVar

from django.db import connection, models

RowT = TypeVar("RowT", bound=models.Model)


def insert(rows: Sequence[models.Model], *, ignore_conflicts: bool = False) -> None:
    """Insert rows of one model. Unless conflicts are ignored, they learn their keys."""
    if not rows:
        return
    model = type(rows[0])
    sql = _insert_sql(connection.vendor, model, len(rows))
    values = [value for row in rows for value in _values(row)]
    with connection.cursor() as cursor:
        if ignore_conflicts:
            cursor.execute(f"{sql} ON CONFLICT DO NOTHING", values)
            return
        key = connection.ops.quote_name(str(model._meta.pk.column))
        cursor.execute(f"{sql} RETURNING {key}", values)
        for row, (found,) in zip(rows, cursor.fetchall(), strict=True):
            row.pk = found
            row._state.adding, row._state.db = False, connection.alias


def insert_or_lock(row: RowT, *, unique: str) -> RowT:
    """Insert `row`, or find the one that has its `unique` column; return it as it stands, locked.

    The lock is the one of an UPDATE that changes no key, and lasts as the transaction does. The
    same single statement either way, so its time does not tell which it was (invariant 13).
    """
    model = type(row)
    with connection.cursor() as cursor:
        cursor.execute(_insert_or_lock_sql(connection.vendor, model, unique), _values(row))
        found = cursor.fetchone()
    return model.from_db(connection.alias, *_read(model, found))


@cache
def _fields(model: type[models.Model]) -> "list[models.Field[Any, Any]]":
    """What is written: every column but a key that the database counts itself."""
    return [f for f in model._meta.concrete_fields if not isinstance(f, models.AutoField)]


def _values(row: models.Model) -> list[Any]:
    return [
        field.get_db_prep_save(field.pre_save(row, True), connection)
        for field in _fields(type(row))
    ]


@cache
def _insert_sql(_vendor: str, model: type[models.Model], rows: int) -> str:
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in _fields(model))
    one = f"({', '.join(['%s'] * len(_fields(model)))})"
    table = quote(model._meta.db_table)
    return f"INSERT INTO {table} ({columns}) VALUES {', '.join([one] * rows)}"  # noqa: S608 - ours


@cache
def _insert_or_lock_sql(vendor: str, model: type[models.Model], unique: str) -> str:
    quote = connection.ops.quote_name
    table, column = quote(model._meta.db_table), quote(unique)
    everything = ", ".join(
        f"{table}.{quote(str(field.column))}"
        if vendor == "postgresql"
        else quote(str(field.column))
        for field in model._meta.concrete_fields
    )
    return (
        f"{_insert_sql(vendor, model, 1)} "
        f"ON CONFLICT ({column}) DO UPDATE SET {column} = {table}.{column} RETURNING {everything}"
    )


def _read(model: type[models.Model], values: Sequence[Any]) -> tuple[list[str], list[Any]]:
    """Return names and values as `from_db` takes them."""
    fields, vendor = model._meta.concrete_fields, connection.vendor
    return (
        [field.attname for field in fields],
        [
            reduce(
                lambda got, convert: convert(got, None, connection),
                _converters(vendor, field),
                value,
            )
            for field, value in zip(fields, values, strict=True)
        ],
    )


@cache
def _converters(_vendor: str, field: "models.Field[Any, Any]") -> list[Callable[..., Any]]:
    column = field.get_col(field.model._meta.db_table)
    return [*connection.ops.get_db_converters(column), *field.get_db_converters(connection)]
