"""The people and addresses on an activity: rows of activityparty behind `<activity>_activity_parties`."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from local.dataverse.errors import Refusal, bad_payload
from local.dataverse.rows.payload import Draft
from local.dataverse.schema.table import Table
from local.dataverse.store.row import Reference, Row

if TYPE_CHECKING:
    from local.dataverse.rows.writer import Writer

# participationtypemask: 1 sender, 2 to, 3 cc, 4 bcc, 5 required, 6 optional, 7 organizer, 8 regarding,
# 9 owner, 10 resource, 11 customer.
_MASKS = {
    "email": {1, 2, 3, 4, 8, 9},
    "phonecall": {1, 2, 8, 9},
    "appointment": {5, 6, 7, 8, 9},
    "task": {8, 9},
    "campaignresponse": {1, 2, 8, 9, 10, 11},
}


def put_parties(
    writer: "Writer", activity: Table, activity_id: str, bodies: Iterable[dict[str, Any]]
) -> None:
    """Add parties to an activity; Refusal when a party has no place on this kind of activity."""
    table = writer.catalog.tables["activityparty"]
    for body in bodies:
        draft = writer.read(table, body)
        mask = draft.values.get("participationtypemask")
        if mask is None:
            raise bad_payload("An activity party needs a participationtypemask.")
        if mask not in _MASKS.get(activity.name, {mask}):
            raise Refusal(
                400,
                "0x80043506",
                f"The party type {mask} is not allowed on an activity of type {activity.name}.",
            )
        if draft.values.get("partyid") is None and draft.values.get("addressused") is None:
            raise bad_payload("An activity party needs a partyid or an addressused.")
        _put(writer, draft, Reference(activity.name, activity_id))


def replace_parties(
    writer: "Writer", activity: Table, activity_id: str, bodies: Iterable[dict[str, Any]]
) -> None:
    """Exchange all parties of an activity."""
    table = writer.catalog.tables["activityparty"]
    for row in list(writer.transaction.rows("activityparty")):
        if row.get("activityid") == Reference(activity.name, activity_id):
            writer.transaction.delete(table, row[table.id_column])
    put_parties(writer, activity, activity_id, bodies)


def _put(writer: "Writer", draft: Draft, activity: Reference) -> None:
    table = draft.table
    row: Row = {name: value for name, value in draft.values.items() if value is not None}
    row[table.id_column] = row.get(table.id_column) or writer.new_id()
    row["activityid"] = activity
    party = row.get("partyid")
    if party is not None:
        target = writer.catalog.tables[party[0]]
        found = writer.transaction.get(party[0], party[1]) or {}
        name = found.get(target.name_column or "")
        if name is not None:
            row["partyidname"] = name
    writer.transaction.put(table, row, draft.columns)
