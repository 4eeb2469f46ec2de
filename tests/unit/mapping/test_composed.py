from dataclasses import replace

import pytest

from mappers.legrand import words
from mappers.legrand.campaign_members import CAMPAIGN_MEMBER
from mappers.legrand.quote_items import QUOTE_ITEM
from mappers.legrand.quotes import QUOTE
from shared.core.change import Json
from shared.core.codes import Code
from shared.core.identity import RecordKey
from shared.core.mapping.composed import composed_id
from shared.core.mapping.references import RecordRef
from shared.core.mapping.spec import Unfit

LINE: dict[str, Json] = {"Quote No": "Q-7", "Revision": "2", "Line": "1"}


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (["Q-7", " 2 "], "Q-7/2"),
        (["a/b", "c"], "a~1b/c"),
        (["a", "b/c"], "a/b~1c"),
        (["~", 1], "~0/1"),
        (["Q-7", ""], ""),
        (["Q-7", None], ""),
    ],
)
def test_an_id_of_several_parts_is_told_from_every_other(parts: list[Json], said: str) -> None:
    assert composed_id(parts) == said


def test_a_record_may_name_another_by_several_of_its_fields() -> None:
    values = QUOTE_ITEM.to_columns(LINE).values

    assert values["quoteid"] == RecordRef(RecordKey("legrand", "quote", "Q-7/2"))


def test_a_record_that_leaves_out_one_of_the_fields_is_told_which() -> None:
    faults = QUOTE_ITEM.to_columns({"Quote No": "Q-7", "Line": "1"}).faults

    assert [str(fault) for fault in faults] == [
        "/data/Revision: message.missing_field: the whole of Quote Item: Quote No, Revision, Line",
        "/data/Revision: message.missing_field: the whole of Quote: Quote No, Revision",
    ]


def test_a_field_that_is_put_together_cannot_be_sent() -> None:
    faults = QUOTE.to_columns({"Quote": "Q-7/2"}).faults

    assert [fault.code for fault in faults] == [Code.UNKNOWN_FIELD]


@pytest.mark.parametrize(
    ("record_id", "data", "codes"),
    [
        ("Q-7/2/1", LINE, []),
        ("Q-7/2/1", {"Description": "Bell"}, []),
        ("Q-7/1/2", LINE, [Code.IDENTITY_MISMATCH]),
    ],
)
def test_a_record_says_the_same_id_as_its_envelope_or_none(
    record_id: str, data: dict[str, Json], codes: list[Code]
) -> None:
    assert [fault.code for fault in QUOTE_ITEM.key_faults(record_id, data)] == codes


@pytest.mark.parametrize(
    ("kind", "contact", "lead"),
    [
        ("Contact", RecordRef(RecordKey("legrand", "contact", "M/1")), None),
        ("lead", None, RecordRef(RecordKey("legrand", "lead", "M/1"))),
    ],
)
def test_a_member_is_linked_in_the_column_of_its_kind(
    kind: str, contact: RecordRef | None, lead: RecordRef | None
) -> None:
    values = CAMPAIGN_MEMBER.to_columns({"Member Type": kind, "Member ID": "M/1", "Campaign ID": "1"}).values

    assert (values["tandem_contactid"], values["tandem_leadid"]) == (contact, lead)


def test_a_member_of_a_kind_nobody_knows_is_refused() -> None:
    data: dict[str, Json] = {"Campaign ID": "1", "Member Type": "Company", "Member ID": "7"}

    assert {fault.code for fault in CAMPAIGN_MEMBER.to_columns(data).faults} == {Code.VALUE_NO_OPTION}


def test_a_quote_names_the_lines_it_waits_for() -> None:
    assert QUOTE.parts is not None
    quote = RecordKey("legrand", "quote", "Q-7/2")

    named = {said: [key.id for key in QUOTE.parts.keys(quote, {"Lines": said})] for said in ("1, 3", "")}

    assert named == {"1, 3": ["Q-7/2/1", "Q-7/2/3"], "": []}
    assert list(QUOTE.parts.keys(quote, {})) == []
    assert list(replace(QUOTE.parts, entity="line").keys(quote, {"Lines": "1"})) == [
        RecordKey("legrand", "line", "Q-7/2/1")
    ]


@pytest.mark.parametrize(
    ("quantity", "price", "percent", "amount"),
    [("30", "31.2", "12.5", "117.00"), ("1", "0.05", "10", "0.01"), ("3", "9", "0", ""), ("3", "9", "", "")],
)
def test_a_discount_is_told_to_the_cent(quantity: str, price: str, percent: str, amount: str) -> None:
    assert words.discount([quantity, price, percent]) == amount


def test_a_discount_beyond_all_counting_is_refused_and_not_rounded() -> None:
    with pytest.raises(Unfit, match=r"value\.out_of_range: an amount of at most 26 digits before the point"):
        words.discount(["9" * 30, "1", "10"])
