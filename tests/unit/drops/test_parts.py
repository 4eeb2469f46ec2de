"""A quote of an export says which lines it has, as its other sheet holds them."""

import pytest

from mappers.legrand.export import COMMENTS, QUOTE_ITEMS, QUOTES
from shared.core.reading.record import read
from shared.core.reading.source import Row
from shared.inbound.drops.parts import PartsOf


def _line(number: int, line: str, **cells: str) -> Row:
    held = {"Quote No": "Q-7", "Revision": "2", "Line": line, "Quantity": "1", "Unit Price": "5"}
    return Row("Sales Quotes.xlsx", number, held | cells)


def test_a_quote_names_its_lines_but_those_that_are_kept_out() -> None:
    rows = [_line(2, "1"), _line(3, "3"), _line(4, "4", Quantity="many"), _line(5, "1", Revision="1")]
    parts = PartsOf.counted("Lines", QUOTES, QUOTE_ITEMS, rows)

    named = {
        revision: parts.named(
            read(QUOTES, Row("Sales Quotes.xlsx", 2, {"Quote No": "Q-7", "Revision": revision}))
        ).data["Lines"]
        for revision in ("1", "2", "3")
    }

    assert named == {"1": "1", "2": "1,3", "3": ""}


def test_a_sheet_that_is_no_part_of_another_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="not told by the key"):
        PartsOf.counted("Lines", QUOTES, COMMENTS, [])
