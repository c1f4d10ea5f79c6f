"""How PostgreSQL goes about the look at a chunk's readers, whatever it believes of their number."""

import json
from typing import Any

import pytest
from django.db import connection, transaction

from newsletter.sending.chunk import next_chunk
from tests.sending.mailings import claimed, copies, planned

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]


def test_readers_are_looked_up_one_by_one_even_where_that_seems_dear():
    """By statistics of the wrong moment it does seem so; reading all of them for each chunk of 500
    cost ten times as much for 100,000, and more for more."""
    taken = claimed(planned(3))
    asked: list[tuple[str, Any]] = []

    def remember(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(remember):
        next_chunk(taken, 2, copies(taken))
    ((sql, params),) = [one for one in asked if "FROM sending_delivery d" in one[0]]

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_nestloop = off; SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        (plan,) = cursor.fetchone()
    nodes = list(_nodes((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]))

    kinds = {node["Node Type"] for node in nodes}
    assert kinds.isdisjoint({"Hash Join", "Merge Join", "Hash"})
    assert not any("hashed" in node.get("Filter", "") for node in nodes)
    looked_up = {node["Relation Name"]: node for node in nodes if "Index Cond" in node}
    for table in ("signup_subscriber", "signup_subscription", "signup_suppression"):
        assert "Index" in looked_up[table]["Node Type"], table


def _nodes(node: dict[str, Any]) -> Any:
    yield node
    for below in node.get("Plans", ()):
        yield from _nodes(below)
