"""The questions asked all the time are answered from an index, however much is kept."""

import pytest
import sqlalchemy as sa

from shared.connectors.sqlstore import heads, lanes
from shared.connectors.sqlstore.engine import engine_for
from shared.connectors.sqlstore.operations import failures, groups
from shared.connectors.sqlstore.schema import prepare


def plan(statement: sa.Select[tuple[object, ...]]) -> str:
    engine = engine_for(sa.make_url("sqlite://"), None, 1)
    prepare(engine)
    compiled = statement.compile(engine, compile_kwargs={"render_postcompile": False})
    with engine.connect() as connection:
        text = str(compiled).replace("__[POSTCOMPILE_param_1]", "1")
        rows = connection.exec_driver_sql(
            f"EXPLAIN QUERY PLAN {text}", tuple("x" for _ in compiled.positiontup or ())
        ).all()
    engine.dispose()
    return "\n".join(str(row[-1]) for row in rows)


def test_the_head_of_a_lane_is_read_in_order_from_its_index() -> None:
    found = plan(heads.HEAD)

    assert "ix_lane_item_head" in found
    assert "TEMP B-TREE" not in found
    assert "SCAN lane" not in found


def test_due_lanes_are_looked_for_among_open_items_only() -> None:
    found = plan(lanes._DUE)

    assert "SEARCH other USING INDEX ix_lane_item_head" in found
    assert "SCAN message" not in found
    assert "SCAN lane USING" not in found
    assert "SCAN lane_item USING INDEX ix_lane_item_open" in found


@pytest.mark.parametrize("statement", [failures._numbers(7), groups._ALL], ids=["failures", "groups"])
def test_failures_are_read_from_an_index_of_failures(statement: sa.Select[tuple[object, ...]]) -> None:
    found = plan(statement)

    assert "ix_lane_item_failing" in found
    assert "ix_message_refused" in found
