import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.codes import Code
from shared.core.errors import Fault, InvalidMessage
from shared.core.mapping import columns
from shared.core.mapping.columns import Option, Target, Value
from shared.core.mapping.references import RowRef
from shared.core.mapping.rows import LOGICAL_NAME, encode, read_row, selected, write_row
from shared.core.mapping.transforms.text import canonical

TABLE = columns.table(
    "thing",
    "things",
    "thingid",
    columns.text("name", "Name", 100),
    columns.memo("note", "Note", 1000),
    columns.integer("count", "Count", 0, 100),
    columns.decimal("share", "Share", -100, 100, 4),
    columns.money("price", "Price", 0, 10**14),
    columns.boolean("open", "Open"),
    columns.choice("colour", "Colour", {1: "red", 2: "blue"}),
    columns.instant("seenon", "Seen on"),
    columns.day("bornon", "Born on"),
    columns.lookup("parentid", "Parent", Target("account", "accounts", "parentid")),
    columns.lookup(
        "customerid",
        "Customer",
        Target("account", "accounts", "customerid_account"),
        Target("opportunity", "opportunities", "customerid_opportunity"),
    ),
    columns.instant("overriddencreatedon", "Created on", create_only=True),
)
A_ROW = UUID("0d4e5c43-9d5b-4a2d-8001-5f0c6b0e4d0e")

VALUES: Mapping[str, Value] = {
    "name": "Nordwind",
    "note": "a\nb",
    "count": 3,
    "share": Decimal("0.1250"),
    "price": Decimal("99999999999999.99"),
    "open": False,
    "colour": Option(2),
    "seenon": datetime(2025, 3, 9, 7, 59, 58, tzinfo=UTC),
    "bornon": date(1975, 2, 28),
    "parentid": None,
    "customerid": RowRef("opportunity", A_ROW),
}


def test_values_are_written_as_the_web_api_wants_them() -> None:
    assert json.loads(encode(write_row(TABLE, VALUES)), parse_float=Decimal) == {
        "name": "Nordwind",
        "note": "a\nb",
        "count": 3,
        "share": Decimal("0.1250"),
        "price": Decimal("99999999999999.99"),
        "open": False,
        "colour": 2,
        "seenon": "2025-03-09T07:59:58Z",
        "bornon": "1975-02-28",
        "parentid@odata.bind": None,
        "customerid_opportunity@odata.bind": f"/opportunities({A_ROW})",
    }


def test_numbers_are_written_to_the_last_digit() -> None:
    body = {"Targets": [{"price": Decimal("99999999999999.99"), "tiny": Decimal("1E-10")}], "ok": True}

    assert encode(body) == b'{"Targets":[{"price":99999999999999.99,"tiny":0.0000000001}],"ok":true}'


def test_an_instant_is_written_in_utc_to_the_second() -> None:
    there = datetime(2025, 3, 9, 7, 59, 58, 999_999, tzinfo=timezone(timedelta(hours=-5)))

    assert write_row(TABLE, {"seenon": there}) == {"seenon": "2025-03-09T12:59:58Z"}


bodies = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
)


@given(bodies)
def test_a_body_is_json_and_loses_nothing(body: Any) -> None:
    assert json.loads(encode(body), parse_float=Decimal) == exact(body)


def exact(body: Any) -> Any:
    """The same with every number that has a point as the Decimal it is written as."""
    if isinstance(body, dict):
        return {name: exact(value) for name, value in body.items()}
    if isinstance(body, list):
        return [exact(value) for value in body]
    return Decimal(repr(body)) if isinstance(body, float) else body


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [float("-inf")], {"a": {"b": float("nan")}}])
def test_a_float_that_is_no_number_is_not_written(value: Any) -> None:
    with pytest.raises(ValueError, match="JSON has no such number"):
        encode({"price": value})


@pytest.mark.parametrize(
    "value", [b"x", {1}, datetime(2025, 3, 9, tzinfo=UTC), A_ROW, RowRef("account", A_ROW)]
)
def test_what_json_has_no_type_for_is_not_written(value: Any) -> None:
    with pytest.raises(TypeError, match="JSON has no"):
        encode({"name": value})


def test_half_a_character_is_not_written() -> None:
    with pytest.raises(UnicodeEncodeError):
        encode({"name": "\ud800"})


def test_a_column_of_another_table_is_not_written() -> None:
    with pytest.raises(KeyError):
        write_row(TABLE, {"ownerid": None})


def answered(body: Mapping[str, Any], *, by_flow: bool) -> dict[str, Any]:
    """What Dataverse would answer after the body was written: in a flow's trigger, or over the Web API."""
    row: dict[str, Any] = {"@odata.etag": 'W/"1"', "thingid": str(A_ROW), "statecode": 0}
    for name, value in json.loads(encode(body)).items():
        navigation, is_binding, _ = name.partition("@odata.bind")
        if not is_binding:
            row[name] = value
            continue
        lookup, _, _ = navigation.partition("_")
        entity_set, _, rest = (value or "/").removeprefix("/").partition("(")
        row[f"_{lookup}_value"] = rest.removesuffix(")") or None
        if value and by_flow:
            row[f"_{lookup}_type"] = entity_set
        elif value:
            names = {"accounts": "account", "opportunities": "opportunity"}
            row[f"_{lookup}_value{LOGICAL_NAME}"] = names[entity_set]
    return row


def nullable(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"])).map(canonical)
seconds = st.datetimes(datetime(1754, 1, 1), datetime(9998, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone itself
rows = st.fixed_dictionaries(
    {},
    optional={
        "name": texts,
        "note": texts,
        "count": nullable(st.integers(0, 100)),
        "share": nullable(st.decimals(-100, 100, places=4)),
        "price": nullable(st.decimals(0, 10**12, places=2)),
        "open": nullable(st.booleans()),
        "colour": nullable(st.sampled_from([Option(1), Option(2)])),
        "seenon": nullable(seconds.map(lambda at: at.replace(microsecond=0))),
        "bornon": nullable(st.dates(date(1754, 1, 1))),
        "parentid": nullable(st.builds(RowRef, st.just("account"), st.uuids())),
        "customerid": nullable(st.builds(RowRef, st.sampled_from(["account", "opportunity"]), st.uuids())),
    },
)


@given(rows, st.booleans())
def test_what_was_written_is_what_is_read_in_either_shape(values: Mapping[str, Value], by_flow: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
    assert read_row(TABLE, answered(write_row(TABLE, values), by_flow=by_flow)) == values


def test_a_lookup_without_its_table_points_at_the_first_and_braces_do_not_matter() -> None:
    row = {"_customerid_value": f"{{{str(A_ROW).upper()}}}"}

    assert read_row(TABLE, row) == {"customerid": RowRef("account", A_ROW)}


def test_text_is_read_as_it_is_kept() -> None:
    assert read_row(TABLE, {"name": "  Zoe\u0308 ", "note": " "}) == {"name": "Zoë", "note": None}


def test_a_column_with_more_digits_than_ours_is_read_as_it_is() -> None:
    assert read_row(TABLE, {"price": 10.1234, "share": 1}) == {
        "price": Decimal("10.1234"),
        "share": Decimal("1.0000"),
    }


def test_the_midnight_of_a_service_endpoint_message_is_its_day() -> None:
    assert read_row(TABLE, {"bornon": "1975-02-28T00:00:00Z"}) == {"bornon": date(1975, 2, 28)}


def test_what_dataverse_makes_of_a_create_only_column_is_not_read() -> None:
    assert read_row(TABLE, {"overriddencreatedon": "2025-03-09T07:59:58Z"}) == {}
    assert "overriddencreatedon" not in selected(TABLE)


def test_everything_that_can_be_read_is_asked_for() -> None:
    assert selected(TABLE)[:3] == ("thingid", "name", "note")
    assert selected(TABLE)[-1] == "_customerid_value"


def test_every_value_of_another_type_is_named_at_once() -> None:
    with pytest.raises(InvalidMessage) as caught:
        read_row(
            TABLE,
            {
                "name": 5,
                "count": 1.5,
                "price": "12",
                "open": "yes",
                "colour": "red",
                "seenon": "2025-03-09T07:59:58",
                "bornon": "2025-03-09T07:59:58Z",
                "_parentid_value": "not a guid",
                "_customerid_value": str(A_ROW),
                "_customerid_type": "systemusers",
            },
        )

    assert caught.value.faults == (
        Fault("/data/name", Code.VALUE_NOT_TEXT, "text"),
        Fault("/data/count", Code.VALUE_NOT_A_NUMBER, "a whole number"),
        Fault("/data/price", Code.VALUE_NOT_A_NUMBER, "a number"),
        Fault("/data/open", Code.VALUE_NOT_YES_OR_NO, "true or false"),
        Fault("/data/colour", Code.VALUE_NOT_A_NUMBER, "digits with a point, no thousands sign, no unit"),
        Fault("/data/seenon", Code.VALUE_NOT_A_TIME, "YYYY-MM-DDThh:mm:ssZ"),
        Fault("/data/bornon", Code.VALUE_NOT_A_DATE, "YYYY-MM-DD"),
        Fault("/data/_parentid_value", Code.VALUE_UNKNOWN_REFERENCE, "the GUID of a row of account"),
        Fault(
            "/data/_customerid_value",
            Code.VALUE_UNKNOWN_REFERENCE,
            "the GUID of a row of account or opportunity",
        ),
    )
