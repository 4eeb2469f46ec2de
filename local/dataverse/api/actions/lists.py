"""Marketing lists: who is in them, and which campaigns they belong to."""

from local.dataverse.api.actions.arguments import entity_id, fetch, typed_reference
from local.dataverse.api.request import Request
from local.dataverse.calls import Answer, json_answer
from local.dataverse.errors import Refusal, bad_payload
from local.dataverse.odata.address import Segment
from local.dataverse.rows.payload import Draft
from local.dataverse.rows.references import existing
from local.dataverse.rows.writer import Writer
from local.dataverse.schema.table import Table
from local.dataverse.store.row import Reference

_KINDS = {1: "account", 2: "contact", 4: "lead"}
_ASSOCIATION = "campaignlist_association"


def add_list_members(request: Request, _segment: Segment) -> Answer:
    """Put rows of the list's own kind into it; those in it already stay in it, once."""
    members = request.call.objects("Members")
    with request.writing() as writer:
        lists = writer.catalog.tables["list"]
        row_id = entity_id(request.call.json().get("List"), "List", lists)
        held = fetch(writer, "list", row_id)
        writer.allow("Write", lists, held)
        for member in members:
            _add(writer, row_id, held.get("createdfromcode"), typed_reference(writer, member, "Members"))
    return Answer(204)


def add_to_campaign(request: Request, table: Table, key: str) -> Answer:
    """Put a list under a campaign."""
    with request.writing() as writer:
        campaigns = writer.catalog.tables["campaign"]
        campaign = entity_id(request.call.json().get("Campaign"), "Campaign", campaigns)
        fetch(writer, "campaign", campaign)
        row_id = existing(writer.transaction, table, key).id
        writer.link(table, row_id, _ASSOCIATION, Reference("campaign", campaign), present=True)
    return json_answer(200, {"campaignid": campaign, "entityid": row_id})


def _add(writer: Writer, list_id: str, kind: object, member: Reference | None) -> None:
    if member is None:
        raise bad_payload("A member of a list is named by its id.")
    if not isinstance(kind, int) or _KINDS.get(kind) != member.table:
        raise Refusal(400, "0x80040203", f"A {member.table} is no member of this kind of list.")
    there = (
        row
        for row in writer.transaction.rows("listmember")
        if (row.get("listid"), row.get("entityid")) == (Reference("list", list_id), member)
    )
    if next(there, None) is None:
        table = writer.catalog.tables["listmember"]
        values = {"listid": Reference("list", list_id), "entityid": member, "entitytype": member.table}
        writer.create(Draft(table, values))
