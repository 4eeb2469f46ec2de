"""The message contract."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core import envelope
from shared.core.change import Change, Direction, Drain, Message, Operation
from shared.core.codes import Code
from shared.core.errors import Fault, InvalidMessage
from shared.core.identity import RecordKey

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ROW = UUID("bfa79e3c-27d0-52f4-b9fb-cf657abf369a")

INBOUND: dict[str, Any] = {
    "schemaVersion": "1.0",
    "source": "allegory",
    "entity": "deal",
    "sourceKey": "D-7",
    "operation": "upsert",
    "changedOn": "2026-03-01T09:00:00+01:00",
    "data": {"amount": "1"},
}
OUTBOUND: dict[str, Any] = {
    "schemaVersion": "1.0",
    "source": "dataverse",
    "table": "opportunity",
    "recordId": str(ROW),
    "operation": "Update",
    "changedOn": "2026-03-01T08:00:00Z",
    "rowVersion": "4711",
    "initiatedBy": "dc9e9160-8931-5a30-bdc1-ef3778c09e70",
    "data": {"name": "Turbine"},
}
CONTEXT: dict[str, Any] = {
    "MessageName": "Update",
    "PrimaryEntityName": "contact",
    "PrimaryEntityId": str(ROW),
    "InitiatingUserId": "dc9e9160-8931-5a30-bdc1-ef3778c09e70",
    "CorrelationId": "c-1",
    "OperationCreatedOn": "/Date(1740996930000+0000)/",
    "InputParameters": [
        {
            "key": "Target",
            "value": {
                "__type": "Entity:http://schemas.microsoft.com/xrm/2011/Contracts",
                "Attributes": [
                    {"key": "emailaddress1", "value": "a@b.example"},
                    {"key": "modifiedon", "value": "/Date(1740996931000)/"},
                    {"key": "revenue", "value": {"__type": "Money:http://x", "Value": 5}},
                    {
                        "key": "parentcustomerid",
                        "value": {
                            "__type": "EntityReference:http://x",
                            "Id": str(ROW),
                            "LogicalName": "account",
                        },
                    },
                ],
            },
        }
    ],
}


def read(body: object, session: str | None = "allegory:deal:D-7") -> Change | Drain:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return envelope.read(Message("m-1", "inbound", session, raw), NOW, timedelta(minutes=5))


def faults(body: object, session: str | None = "allegory:deal:D-7") -> tuple[Fault, ...]:
    with pytest.raises(InvalidMessage) as refusal:
        read(body, session)
    return refusal.value.faults


def test_an_inbound_envelope_becomes_a_change_in_utc() -> None:
    assert read(INBOUND) == Change(
        message_id="m-1",
        subject=RecordKey("allegory", "deal", "D-7"),
        operation=Operation.UPSERT,
        changed_at=datetime(2026, 3, 1, 8, 0, tzinfo=UTC),
        data={"amount": "1"},
    )


def test_a_flow_payload_becomes_an_outbound_change() -> None:
    change = read(OUTBOUND, str(ROW).upper())

    assert change == Change(
        message_id="m-1",
        subject=RecordKey("dataverse", "opportunity", str(ROW)),
        operation=Operation.UPSERT,
        changed_at=datetime(2026, 3, 1, 8, 0, tzinfo=UTC),
        version=4711,
        data={"name": "Turbine"},
        row_id=ROW,
        actor="dc9e9160-8931-5a30-bdc1-ef3778c09e70",
    )
    assert change.direction is Direction.OUTBOUND


def test_a_remote_execution_context_is_accepted_and_known_to_be_partial() -> None:
    change = read(CONTEXT, "{" + str(ROW) + "}")

    assert isinstance(change, Change)
    assert change.partial
    assert change.subject == RecordKey("dataverse", "contact", str(ROW))
    assert change.changed_at == datetime(2025, 3, 3, 10, 15, 31, tzinfo=UTC)
    assert change.data == {
        "emailaddress1": "a@b.example",
        "modifiedon": "2025-03-03T10:15:31Z",
        "revenue": 5,
        "_parentcustomerid_value": str(ROW),
        "_parentcustomerid_type": "account",
    }


def test_a_remote_execution_context_without_its_images_is_read_again() -> None:
    """Dataverse leaves out what would make the message larger than 192 KB, of a create, too."""
    create = CONTEXT | {"MessageName": "Create"}
    cut = {name: value for name, value in create.items() if name != "InputParameters"}

    whole, without = read(create, str(ROW)), read(cut, str(ROW))

    assert isinstance(whole, Change)
    assert isinstance(without, Change)
    assert (whole.partial, without.partial) == (False, True)


def test_a_drain_message_names_a_record() -> None:
    assert read({"schemaVersion": "1.0", "kind": "drain", "record": str(ROW)}, str(ROW)) == Drain(ROW)


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"schemaVersion": "9.0"}, "/schemaVersion", Code.SCHEMA_VERSION),
        ({"schemaVersion": None}, "/schemaVersion", Code.SCHEMA_VERSION),
        ({"changedOn": "yesterday"}, "/changedOn", Code.BAD_TIMESTAMP),
        ({"changedOn": "2026-03-01T09:00:00"}, "/changedOn", Code.BAD_TIMESTAMP),
        ({"operation": "melt"}, "/operation", Code.BAD_FIELD),
        ({"operation": "merge"}, "/mergedInto", Code.MISSING_FIELD),
        ({"operation": "merge", "mergedInto": 7}, "/mergedInto", Code.BAD_FIELD),
        ({"mergedInto": "D-8"}, "/mergedInto", Code.UNKNOWN_FIELD),
        ({"data": []}, "/data", Code.BAD_FIELD),
        ({"data": {}}, "/data", Code.BAD_FIELD),
        ({"sourceKey": None}, "/sourceKey", Code.MISSING_FIELD),
        ({"sourceKey": 7}, "/sourceKey", Code.BAD_FIELD),
        ({"dataverseId": "D-7"}, "/dataverseId", Code.BAD_FIELD),
        ({"shape": "round"}, "/shape", Code.UNKNOWN_FIELD),
    ],
)
def test_a_bad_field_is_named_with_its_rule(change: dict[str, Any], pointer: str, code: Code) -> None:
    assert [(fault.field, fault.code) for fault in faults(INBOUND | change)] == [(pointer, code)]


def test_a_sender_who_begins_with_nothing_is_told_all_that_is_needed() -> None:
    needed = ("schemaVersion", "source", "entity", "sourceKey", "operation", "changedOn")

    found = [(fault.field, fault.code) for fault in faults({})]

    assert found == [
        *((f"/{name}", Code.MISSING_FIELD) for name in needed),
        ("/data", Code.BAD_FIELD),
    ]


@pytest.mark.parametrize("whose", [{"kind": "drain", "record": str(ROW)}, {"source": "dataverse"}])
def test_no_message_but_a_senders_is_read_without_a_version(whose: dict[str, Any]) -> None:
    assert [(fault.field, fault.code) for fault in faults(whose, str(ROW))] == [
        ("/schemaVersion", Code.MISSING_FIELD)
    ]


@pytest.mark.parametrize("name", ["changedOn", "rowVersion", "recordId", "table"])
def test_a_flow_payload_that_leaves_out_when_or_what_is_refused_by_name(name: str) -> None:
    """E-02: without its own time and version a change has no place among the others."""
    told = {key: value for key, value in OUTBOUND.items() if key != name}

    assert [(fault.field, fault.code) for fault in faults(told, str(ROW))] == [
        (f"/{name}", Code.MISSING_FIELD)
    ]


def test_a_time_that_has_not_come_is_marked_and_not_refused() -> None:
    body = {**INBOUND, "changedOn": "2999-01-01T00:00:00Z"}

    assert isinstance(change := read(body), Change)
    assert change.is_early
    assert isinstance(
        sane := read({**INBOUND, "changedOn": (NOW + timedelta(minutes=4)).isoformat()}), Change
    )
    assert not sane.is_early


def test_a_write_of_our_own_is_never_early_because_its_time_was_told_when_it_was_made() -> None:
    body = {**INBOUND, "changedOn": "2999-01-01T00:00:00Z", "changedBy": "Tandem"}
    message = Message("m-1", "inbound", str(ROW), json.dumps(body).encode())

    change = envelope.read(message, NOW, timedelta(minutes=5), frozenset({"tandem"}))

    assert isinstance(change, Change)
    assert (change.is_own, change.is_early) == (True, False)


def test_who_made_and_who_changed_a_record_are_told_by_the_names_the_sender_has_for_them() -> None:
    told = read({**INBOUND, "changedBy": " Ida ", "createdBy": "Bo Lind"})
    plain = read(INBOUND)

    assert isinstance(told, Change)
    assert isinstance(plain, Change)
    assert (told.changed_by, told.created_by, told.actor) == ("Ida", "Bo Lind", "Ida")
    assert (plain.changed_by, plain.created_by) == (None, None)


def test_a_name_that_has_no_place_is_a_fault() -> None:
    found = faults(INBOUND | {"changedBy": "x" * 201, "createdBy": 7})

    assert {(fault.field, fault.code) for fault in found} == {
        ("/changedBy", Code.VALUE_TOO_LONG),
        ("/createdBy", Code.VALUE_NOT_TEXT),
    }


def test_all_faults_are_told_at_once() -> None:
    found = faults(INBOUND | {"operation": "x", "changedOn": "y", "extra": 1})

    assert {fault.field for fault in found} == {"/operation", "/changedOn", "/extra"}


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"\xff\xfe", b"", b'"x"', b'{"a": NaN}', b"[" * 100_000, b'{"a": "\\ud800"}']
)
def test_a_body_that_is_no_json_object_is_named_so(body: bytes) -> None:
    assert faults(body) == (Fault("", Code.NOT_JSON, "one JSON object in UTF-8"),)


def by_the_letter(body: bytes) -> dict[str, Any] | None:
    """The object that a body is by the standard library, and with no half of a character; None for none."""
    try:
        value = json.loads(body.decode("utf-8-sig"), parse_constant=int)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


CARRIED = (
    b'{"a": [1, -2.5e3, "\\u00e9\\n\xc3\xa9", null], "b": {"c": "\xf0\x9f\x9a\xb2\\ud83d\\ude00", "d": 0.1}}'
)
SLIPS = st.sampled_from(
    [bytes([value]) for value in b'0123456789eE+-."\\u{}[],: \t\n\x00\x1f\x7f\x80\xc3\xed\xf4tfnNI']
    + [
        b"",
        b"\\ud800",
        b"\xed\xa0\x80",
        b"NaN",
        b"-Infinity",
        b"1e999",
        b"9" * 30,
        b"\xef\xbb\xbf",
        b'"a": 1, "a": 2',
    ]
)


@given(st.lists(st.tuples(st.integers(0, len(CARRIED)), st.integers(0, 3), SLIPS), max_size=3))
def test_a_body_means_what_it_means_by_the_letter(slips: list[tuple[int, int, bytes]]) -> None:
    carried = CARRIED
    for at, cut, slip in slips:
        carried = carried[:at] + slip + carried[at + cut :]
    body = json.dumps(INBOUND | {"data": 0}).encode().replace(b'"data": 0', b'"data": ' + carried)

    meant = by_the_letter(body)
    if meant is None:
        assert faults(body) == (Fault("", Code.NOT_JSON, "one JSON object in UTF-8"),)
    elif meant.keys() <= INBOUND.keys() and isinstance(meant["data"], dict):
        assert repr(cast("Change", read(body)).data) == repr(meant["data"])


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b" \r\n"])
def test_a_byte_order_mark_and_blanks_are_no_part_of_a_body(before: bytes) -> None:
    assert read(before + json.dumps(INBOUND).encode()) == read(INBOUND)


@pytest.mark.parametrize("session", ["allegory:deal:OTHER", str(UUID(int=1)) + "x", "x"])
def test_a_session_of_another_record_is_refused(session: str) -> None:
    assert [fault.code for fault in faults(INBOUND, session)] == [Code.SESSION_MISMATCH]


def test_a_message_without_a_session_is_refused() -> None:
    assert [fault.code for fault in faults(INBOUND, None)] == [Code.SESSION_MISSING]


def test_a_session_is_compared_without_regard_to_case() -> None:
    assert isinstance(read(INBOUND, "ALLEGORY:Deal:d-7"), Change)


def test_a_message_that_names_its_row_belongs_to_the_rows_session() -> None:
    body = INBOUND | {"dataverseId": str(ROW)}

    assert isinstance(read(body, "{" + str(ROW).upper() + "}"), Change)
    assert isinstance(read(body, "allegory:deal:D-7"), Change)
    assert [fault.code for fault in faults(body, str(UUID(int=5)))] == [Code.SESSION_MISMATCH]


def test_no_error_repeats_a_value() -> None:
    with pytest.raises(InvalidMessage) as refusal:
        read(INBOUND | {"changedOn": "secret-value", "sourceKey": "  "})

    assert "secret-value" not in "".join(str(fault) for fault in refusal.value.faults)


def test_a_session_is_found_for_a_posted_body() -> None:
    assert envelope.session_for(json.dumps(INBOUND).encode()) == "allegory:deal:D-7"
    assert envelope.session_for(json.dumps(INBOUND | {"dataverseId": str(ROW)}).encode()) == str(ROW)
    assert envelope.session_for(b"{") is None
    assert envelope.session_for(b'{"source": "allegory"}') is None
