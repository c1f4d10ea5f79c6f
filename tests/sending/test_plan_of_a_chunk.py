"""How PostgreSQL goes about the look at a chunk's readers, whatever it believes of their number."""

from typing import Any

import pytest
from django.db import connection

from newsletter.sending.chunk import next_chunk
from tests.sending.mailings import claimed, copies, planned

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]


def test_readers_are_looked_up_one_by_one_even_where_that_seems_dear():
    """By statistics of the wrong moment it does seem so; reading all of a table of 100,000 for each
    chunk of 500 cost ten times as much, and more for more."""
    taken = claimed(planned(3))
    asked: list[tuple[str, Any]] = []

    def remember(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.cursor() as cursor:
        cursor.execute(
            "SET LOCAL random_page_cost = 1000000; SET LOCAL min_parallel_table_scan_size = 0;"
            " SET LOCAL min_parallel_index_scan_size = 0; SET LOCAL parallel_setup_cost = 0;"
            " SET LOCAL parallel_tuple_cost = 0"
        )
        with connection.execute_wrapper(remember):
            next_chunk(taken, 2, copies(taken))
        ((sql, params),) = [one for one in asked if "FROM sending_delivery d" in one[0]]
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        (plan,) = cursor.fetchone()
    nodes = list(_nodes(plan[0]["Plan"]))

    joins = [node["Node Type"] for node in nodes if "Join Type" in node]
    assert joins == ["Nested Loop", "Nested Loop"]
    assert not any("Gather" in node["Node Type"] for node in nodes)
    assert not any("hashed" in node.get("Filter", "") for node in nodes)


def _nodes(node: dict[str, Any]) -> Any:
    yield node
    for below in node.get("Plans", ()):
        yield from _nodes(below)
