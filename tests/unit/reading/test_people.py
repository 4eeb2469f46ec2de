"""Addresses, telephone numbers and postcodes."""

from typing import Any

import pytest

from shared.core.reading.contact_kinds import Email, Phone, Postcode
from shared.core.reading.kinds import Kind
from shared.core.reading.word_kinds import Choice


@pytest.mark.parametrize(
    ("kind", "value", "row", "read", "codes"),
    [
        (Email(), "Kim <Kim.S@riders.example>", {}, "Kim.S@riders.example", []),
        (Email(), " a@b.example ", {}, "a@b.example", ["text.padded"]),
        (Email(), "not-an-address", {}, None, ["email.malformed"]),
        (Email(), "a@b.example;c@d.example", {}, None, ["email.malformed"]),
        (Phone(), "(171) 555-2222", {}, "(171) 555-2222", []),
        (Phone(), "+1 (650) 644-0102 ext. 7", {}, "+1 (650) 644-0102 ext. 7", []),
        (Phone(), 61400000123.0, {}, "61400000123", ["phone.as_number"]),
        (Phone(), "ask Bob", {}, "ask Bob", ["phone.unreadable"]),
        (
            Postcode("c"),
            2010.0,
            {"c": "United States"},
            "02010",
            ["postcode.as_number", "postcode.zero_lost"],
        ),
        (Postcode("c"), "5021", {"c": "Mexico"}, "05021", ["postcode.zero_lost"]),
        (Postcode("c"), "EC1 4SD", {"c": "UK"}, "EC1 4SD", []),
        (Postcode("c"), 2138.0, {"c": "Australia"}, "2138", ["postcode.as_number"]),
        (Postcode("c"), "1010", {"c": ""}, "1010", []),
        (Choice(("won", "lost")), "won", {}, "won", []),
        (Choice(("won", "lost")), "Parked", {}, "Parked", ["choice.no_target"]),
    ],
)
def test_a_cell_is_read(
    kind: Kind, value: Any, row: dict[str, Any], read: str | None, codes: list[str]
) -> None:
    reading = kind.read(value, row)

    assert (reading.value, [remark.code.value for remark in reading.remarks]) == (read, codes)


@pytest.mark.parametrize("word", ["Parked", "Jane Miller", "a@b.example", "555-8787"])
def test_a_word_without_a_target_is_not_repeated_but_where_to_read_it_is_said(word: str) -> None:
    refused, kept = (
        Choice((), kept=kept, most=None).read(word, {}).remarks[0].detail for kept in (False, True)
    )

    assert refused == "the map has no option for its word: read it in the record, or in the file"
    assert kept == f"{refused}; kept as text"
