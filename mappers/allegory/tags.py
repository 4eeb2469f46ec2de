"""Allegory tag -> a row of our own, and an entry in the tags of the record it was put on.

The record keeps the whole string as well (A-11); a tag joins and leaves it without touching the others, so
tags may arrive in any order, and twice.
"""

from collections.abc import Mapping
from uuid import UUID

from mappers.allegory import words
from mappers.dataverse import account, contact, lead, opportunity, synced, tag
from shared.core.change import Json
from shared.core.codes import Code
from shared.core.errors import Fault
from shared.core.identity import RecordKey
from shared.core.mapping.columns import Column, Value
from shared.core.mapping.composed import Composed
from shared.core.mapping.satellites import Element, Following
from shared.core.mapping.spec import EntityMap, Field, Flow, pointer
from shared.core.mapping.transforms import text

SEPARATOR = ";"
TAGGED: Mapping[str, Column[str]] = {
    "company": account.tandem_tags,
    "contact": contact.tandem_tags,
    "lead": lead.tandem_tags,
    "deal": opportunity.tandem_tags,
}
"""Where each kind of record keeps its tags."""


def sound(data: Mapping[str, Json]) -> tuple[Fault, ...]:
    """What is wrong with a tag as a whole."""
    faults = []
    kind, name = data.get("object_type"), data.get("tag")
    if isinstance(kind, str) and kind.strip() not in TAGGED:
        expected = "one of " + ", ".join(TAGGED)
        faults.append(Fault(pointer("object_type"), Code.VALUE_NO_OPTION, expected))
    if isinstance(name, str) and SEPARATOR in name:
        expected = f"a tag without {SEPARATOR}, which stands between tags"
        faults.append(Fault(pointer("tag"), Code.VALUE_FORBIDDEN_CHARACTER, expected))
    return tuple(faults)


def entry(_row_id: UUID, values: Mapping[str, Value]) -> Following:
    """The entry that a tag is in its record's own string."""
    kind, record, name = (
        values.get(column.name) for column in (tag.tandem_recordtype, tag.tandem_recordid, tag.tandem_name)
    )
    if not isinstance(kind, str) or not isinstance(record, str) or not isinstance(name, str):
        return Following()
    key = RecordKey(words.SYSTEM, kind, record)
    return Following(elements=(Element(key, TAGGED[kind], name, SEPARATOR),))


TAG = EntityMap(
    entity="tag",
    table=tag.TABLE,
    key="tag_id",
    source_key=synced.tandem_sourcekey,
    one_way="What people change in the tags of a record goes back with the record.",
    fields=(
        Field("object_type", tag.tandem_recordtype, text(50, required=True), flow=Flow.INBOUND),
        Field("object_id", tag.tandem_recordid, text(100, required=True), flow=Flow.INBOUND),
        Field(
            "tag",
            tag.tandem_name,
            text(100, required=True),
            flow=Flow.INBOUND,
            description=(
                "Joins the tags of its record, too, and leaves them when it is deleted; what the "
                "record's own tags have beside the list stays."
            ),
            alias="tags",
        ),
    ),
    composed=(Composed("tag_id", ("object_type", "object_id", "tag")),),
    satellites=(entry,),
    check=sound,
)
