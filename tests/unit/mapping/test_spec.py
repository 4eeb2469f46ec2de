from uuid import UUID

import pytest

from shared.core.codes import Code
from shared.core.errors import Fault, InvalidMessage
from shared.core.identity import RecordKey
from shared.core.mapping import columns
from shared.core.mapping.columns import Option
from shared.core.mapping.lifecycle import STATUS, Lifecycle
from shared.core.mapping.spec import Dropped, EntityMap, Field, Flow
from shared.core.mapping.transforms import integer, owner_by_email, status, text

NAME = columns.text("name", "Name", 10)
COUNT = columns.integer("count", "Count", 0, 9)
NOTE = columns.text("note", "Note", 10)
OWNER = columns.lookup(
    "ownerid", "Owner", columns.Target("systemuser", "systemusers", "ownerid"), clearable=False
)
KEY = columns.text("tandem_sourcekey", "Legacy record", 20)
THING = EntityMap(
    entity="thing",
    table=columns.table("thing", "things", "thingid", NAME, COUNT, NOTE, OWNER, KEY),
    key="id",
    fields=(
        Field("Name/of~it", NAME, text(10)),
        Field("count", COUNT, integer(0, 9), flow=Flow.INBOUND),
        Field("note", NOTE, text(10), flow=Flow.OUTBOUND),
        Field("owner", OWNER, owner_by_email()),
    ),
    dropped=(Dropped("colour", "Nobody uses it."),),
    constants={"origin": 1},
    source_key=KEY,
    row_id="dynamics_id",
)


def test_only_the_fields_that_were_sent_become_columns() -> None:
    mapped = THING.to_columns({"id": "1", "count": "2", "colour": "red", "note": "x", "dynamics_id": "y"})

    assert (mapped.values, mapped.faults) == ({"origin": 1, "count": 2}, ())


def test_every_fault_is_told_at_once_with_the_pointer_to_its_field() -> None:
    mapped = THING.to_columns({"Name/of~it": "far too long", "count": "x", "surprise": "1"})

    assert mapped.faults == (
        Fault("/data/Name~1of~0it", Code.VALUE_TOO_LONG, "at most 10 characters"),
        Fault("/data/count", Code.VALUE_NOT_A_NUMBER, "digits with a point, no thousands sign, no unit"),
        Fault("/data/surprise", Code.UNKNOWN_FIELD, "a field of thing"),
    )


def test_a_blank_clears_a_column_but_leaves_one_that_always_has_a_value() -> None:
    assert THING.to_columns({"Name/of~it": "", "owner": ""}).values == {"origin": 1, "name": None}


def test_only_lines_that_go_out_become_fields() -> None:
    assert THING.to_fields({"name": "a", "count": 2, "note": None, "other": 1}).values == {
        "Name/of~it": "a",
        "note": "",
    }


def test_a_row_tells_its_record_and_a_record_its_row() -> None:
    row = UUID(int=1)

    assert THING.identity(RecordKey("s", "thing", "1")) == {"tandem_sourcekey": "s:thing:1"}
    assert THING.row_field(row) == {"dynamics_id": str(row)}


@pytest.mark.parametrize("name", ["1" * 13, "🚲" * 7])
def test_a_key_too_long_for_its_column_is_refused(name: str) -> None:
    assert THING.identity(RecordKey("s", "thing", "1" * 12)) == {"tandem_sourcekey": "s:thing:" + "1" * 12}
    with pytest.raises(InvalidMessage) as caught:
        THING.identity(RecordKey("s", "thing", name))

    assert [(fault.field, fault.code) for fault in caught.value.faults] == [
        ("/sourceKey", Code.VALUE_TOO_LONG)
    ]


def test_two_columns_of_one_name_cannot_be_declared() -> None:
    with pytest.raises(ValueError, match="two columns of one name"):
        columns.table("thing", "things", "thingid", NAME, columns.text("name", "Again", 5))


LABEL = columns.text("tandem_status", "Status (legacy)", 50)
DEAL = EntityMap(
    entity="deal",
    table=columns.table(
        "deal",
        "deals",
        "dealid",
        columns.status({1: "In Progress", 2: "On Hold", 3: "Won"}),
        LABEL,
        lifecycle=Lifecycle(states={1: 0, 2: 0, 3: 1}, start=1),
    ),
    key="id",
    fields=(
        Field("status", columns.status({}), status({"open": (1, 2), "won": (3,)}, unknown=1)),
        Field("status", LABEL, text(50), flow=Flow.INBOUND),
    ),
)


def test_one_field_becomes_its_option_and_keeps_its_label() -> None:
    assert DEAL.to_columns({"status": "Nurture"}).values == {STATUS: 1, "tandem_status": "Nurture"}
    assert DEAL.to_fields({STATUS: 2, "tandem_status": "Nurture"}).values == {"status": "open"}


@pytest.mark.parametrize(("said", "agreed", "kept"), [(1, 2, 2), (1, 3, 1), (3, 2, 3), (1, None, 1)], ids=str)
def test_a_poorer_word_said_again_does_not_undo_the_richer_one(
    said: int, agreed: int | None, kept: int
) -> None:
    values = DEAL.as_agreed({STATUS: Option(said)}, {} if agreed is None else {STATUS: Option(agreed)})

    assert values == {STATUS: kept}
