"""Allegory custom_field -> a row that says the field has a place, or a refusal that says which it lacks.

The definition is held against the map of its object: type, options and length must fit the column the map
gives it. A field without a column is refused with what is to be created, before any record carries it.
"""

from collections.abc import Mapping
from typing import Any

from mappers.allegory.companies import COMPANY
from mappers.allegory.contacts import CONTACT
from mappers.allegory.deals import DEAL
from mappers.allegory.leads import LEAD
from mappers.dataverse import custom_field, synced
from shared.core.change import Json
from shared.core.codes import Code
from shared.core.errors import Fault
from shared.core.mapping.columns import Kind
from shared.core.mapping.composed import Composed
from shared.core.mapping.spec import EntityMap, Field, Flow, Line, Transform, Unfit, pointer
from shared.core.mapping.transforms import integer, memo, text, yes_no


def listed(max_length: int) -> Transform[Json, str]:
    """A list of labels, one a line."""
    plain = memo(max_length)

    def to_dataverse(value: Json) -> str | None:
        return plain.to_dataverse("\n".join(_listed(value)))

    examples: tuple[Json, ...] = (["Gold", "Silver"], "Gold\nSilver", [], "", None)
    return Transform(to_dataverse, plain.to_legacy, examples, f"labels, one a line, up to {max_length}")


OBJECTS: Mapping[str, EntityMap] = {entry.entity: entry for entry in (COMPANY, CONTACT, LEAD, DEAL)}

KINDS: Mapping[str, tuple[Kind, ...]] = {
    "text": (Kind.TEXT, Kind.MEMO),
    "url": (Kind.TEXT,),
    "json": (Kind.MEMO,),
    "number": (Kind.INTEGER, Kind.DECIMAL, Kind.MONEY),
    "date": (Kind.DATE,),
    "datetime": (Kind.DATETIME,),
    "checkbox": (Kind.BOOLEAN,),
    "dropdown": (Kind.CHOICE,),
}
"""The kinds of column that can hold each type of custom field; the first is the one to create."""


def fitting(data: Mapping[str, Json]) -> tuple[Fault, ...]:
    """Why a definition has no place, if it has none."""
    said = {name: data.get(name) for name in ("object", "key", "type")}
    kind = str(said["type"] or "").strip()
    if any(not isinstance(value, str) for value in said.values()):
        # A change of the label alone says nothing about the place.
        return ()
    entry = OBJECTS.get(str(said["object"]).strip())
    if entry is None:
        expected = "a custom field of " + ", ".join(OBJECTS)
        return (Fault(pointer("object"), Code.UNKNOWN_ENTITY, expected),)
    if kind not in KINDS:
        return (Fault(pointer("type"), Code.VALUE_NO_OPTION, "one of " + ", ".join(KINDS)),)
    key = str(said["key"]).strip()
    line = next((line for line in entry.fields if line.legacy == key), None)
    if line is None:
        expected = (
            f"a field with a column: create one of type {KINDS[kind][0]} on {entry.table.name} "
            f"and a line for it in the map of {entry.entity}"
        )
        return (Fault(pointer("key"), Code.UNKNOWN_FIELD, expected),)
    return tuple(_misfits(line, kind, data))


def _misfits(line: Line, kind: str, data: Mapping[str, Json]) -> list[Fault]:
    column, faults = line.column, []
    if column.kind not in KINDS[kind]:
        expected = f"a type that {column.name} of type {column.kind} can hold, or another column"
        faults.append(Fault(pointer("type"), Code.VALUE_NO_OPTION, expected))
    if kind == "dropdown" and not all(_has_place(line, option) for option in _listed(data.get("options"))):
        expected = f"options that {column.name} has: create the others there and in the map's words"
        faults.append(Fault(pointer("options"), Code.VALUE_NO_OPTION, expected))
    longest = data.get("max_length")
    if column.max_length and str(longest or "").isdigit() and int(str(longest)) > column.max_length:
        expected = f"at most {column.max_length}: lengthen {column.name} first"
        faults.append(Fault(pointer("max_length"), Code.VALUE_TOO_LONG, expected))
    return faults


def _listed(value: Any) -> list[str]:
    parts = value if isinstance(value, list) else str(value or "").split("\n")
    return [str(part).strip() for part in parts if str(part).strip()]


def _has_place(line: Line, option: str) -> bool:
    try:
        return line.via.to_dataverse(option) is not None
    except Unfit:
        return False


CUSTOM_FIELD = EntityMap(
    entity="custom_field",
    table=custom_field.TABLE,
    key="field_id",
    source_key=synced.tandem_sourcekey,
    fields=(
        Field("object", custom_field.tandem_recordtype, text(50, required=True), flow=Flow.INBOUND),
        Field("key", custom_field.tandem_name, text(100, required=True), flow=Flow.INBOUND, alias="__c"),
        Field("label", custom_field.tandem_label, text(200), flow=Flow.INBOUND),
        Field("type", custom_field.tandem_fieldtype, text(50, required=True), flow=Flow.INBOUND),
        Field("options", custom_field.tandem_options, listed(20_000), flow=Flow.INBOUND),
        Field("max_length", custom_field.tandem_maxlength, integer(0, 1_048_576), flow=Flow.INBOUND),
        Field("required", custom_field.tandem_required, yes_no(), flow=Flow.INBOUND),
    ),
    composed=(Composed("field_id", ("object", "key")),),
    check=fitting,
)
