"""Rows of ours as a table that statements read from, with the same answers on both databases."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db import connection

from newsletter.sending.models import DigestMark
from newsletter.sending.row_source import Type, row_source
from tests.digests import factories

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)


def read(columns, rows, what="*", where=""):
    source, params = row_source(columns, rows)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {what} FROM {source} {where}", params)
        return cursor.fetchall()


def test_numbers_come_back_as_they_were_written():
    rows = [(1, 2**62), (-5, 0), (None, 3), (True, False)]
    assert read((("a", Type.NUMBER), ("b", Type.NUMBER)), rows) == [
        (1, 2**62),
        (-5, 0),
        (None, 3),
        (1, 0),
    ]


def test_no_rows_are_a_table_without_rows():
    columns = (("a", Type.NUMBER), ("b", Type.INSTANT), ("c", Type.JSON))
    assert read(columns, []) == []


def test_thousands_of_rows_are_one_table():
    rows = [(number, [number]) for number in range(20_000)]
    columns = (("a", Type.NUMBER), ("b", Type.JSON))
    assert read(columns, iter(rows), "COUNT(*), SUM(a)") == [(20_000, sum(range(20_000)))]


@pytest.mark.parametrize(
    "instant",
    [
        AT,
        AT.replace(microsecond=1),
        AT.replace(microsecond=500_000),
        AT.astimezone(timezone(timedelta(hours=13))),
        AT.astimezone(timezone(timedelta(hours=-11, minutes=-30))),
    ],
    ids=str,
)
def test_instants_compare_with_those_that_django_wrote(instant):
    """SQLite compares them as text."""
    subscription = factories.reader(factories.DigestNewsletterFactory())
    DigestMark.objects.update_or_create(
        subscription=subscription, defaults={"next_due_at": instant}
    )
    table = connection.ops.quote_name(DigestMark._meta.db_table)
    second = timedelta(seconds=1)
    found = read(
        (("at", Type.INSTANT), ("which", Type.NUMBER)),
        [(instant - second, 1), (instant, 2), (instant + second, 3), (None, 4)],
        "which",
        f"JOIN {table} ON next_due_at <= new.at WHERE subscription_id = {subscription.pk}",
    )
    assert sorted(found) == [(2,), (3,)]


@pytest.mark.parametrize(
    "value",
    [[], [1, 2], {"a": [None, "b"]}, "plain", 'a "quote", a \\ and {braces}', "Ü %s", 7, False],
    ids=str,
)
def test_json_comes_back_as_it_was_written(value):
    import json

    [(found,)] = read((("a", Type.JSON),), [(value,)])
    assert (json.loads(found) if isinstance(found, str) else found) == value


def test_no_json_is_null():
    assert read((("a", Type.JSON),), [(None,)], "a IS NULL") in ([(1,)], [(True,)])


def test_rows_of_unequal_length_are_refused():
    with pytest.raises((ValueError, IndexError)):
        read((("a", Type.NUMBER), ("b", Type.NUMBER)), [(1, 2), (3,)])
