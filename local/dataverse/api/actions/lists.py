"""Marketing lists: who is in them, and which campaigns they belong to."""

from local.dataverse.api.actions.arguments import entity_id, fetch, nested_row, typed_reference
from local.dataverse.api.request import Request
from local.dataverse.calls import Answer, json_answer
from local.dataverse.errors import Refusal, bad_payload, not_for_this_table, row_missing
from local.dataverse.odata.address import Segment
from local.dataverse.rows.payload import Draft
from local.dataverse.rows.writer import Writer
from local.dataverse.schema.table import Table
from local.dataverse.store.row import Reference, Row

_KINDS = {1: "account", 2: "contact", 4: "lead"}
_ASSOCIATION = "campaignlist_association"


def add_list_members(request: Request, _segment: Segment) -> Answer:
    """Put rows of the list's own kind into it; those in it already stay in it, once."""
    members = request.call.objects("Members")
    with request.writing() as writer:
        table = writer.catalog.tables["list"]
        held = _list(writer, table, entity_id(request.call.json().get("List"), "List", table))
        for member in members:
            _add(writer, held, typed_reference(writer, member, "Members"))
    return Answer(204)


def add_member(request: Request, table: Table, key: str) -> Answer:
    """AddMemberList: one row, looked for among those of the list's kind; in it already, it stays once."""
    with request.writing() as writer:
        held = _list(writer, table, key, "AddMemberList")
        kind = writer.catalog.tables[_KINDS[held["createdfromcode"]]]
        member = Reference(kind.name, entity_id(request.call.json().get("EntityId"), "EntityId", kind))
        fetch(writer, *member)
        place = _add(writer, held, member)
    context = f"{request.call.root}$metadata#Microsoft.Dynamics.CRM.AddMemberListResponse"
    return json_answer(200, {"@odata.context": context, "Id": place["listmemberid"]})


def remove_member(request: Request, table: Table, key: str) -> Answer:
    """RemoveMemberList: its parameter is called a list member and carries the id of the row in the list."""
    with request.writing() as writer:
        held = _list(writer, table, key, "RemoveMemberList")
        places = writer.catalog.tables["listmember"]
        member = entity_id(nested_row(request.call.json(), "ListMember"), "ListMember", places)
        place = _place(writer, held, Reference(_KINDS[held["createdfromcode"]], member))
        if place is None:
            raise row_missing("listmember", member)
        writer.transaction.delete(places, place["listmemberid"])
    return Answer(204)


def add_to_campaign(request: Request, table: Table, key: str) -> Answer:
    """Put a list under a campaign."""
    with request.writing() as writer:
        row_id = _list(writer, table, key, "AddItemCampaign")["listid"]
        campaigns = writer.catalog.tables["campaign"]
        campaign = entity_id(request.call.json().get("Campaign"), "Campaign", campaigns)
        fetch(writer, "campaign", campaign)
        writer.link(table, row_id, _ASSOCIATION, Reference("campaign", campaign), present=True)
    return json_answer(200, {"campaignid": campaign, "entityid": row_id})


def _list(writer: Writer, table: Table, key: str, action: str = "") -> Row:
    """The list; Refusal for a row of another table, a list that is a query, one out of the caller's reach."""
    if table.name != "list":
        raise not_for_this_table(action, table.name)
    held = fetch(writer, "list", entity_id(key, "list", table))
    writer.allow("Write", table, held)
    if held.get("type"):
        raise bad_payload("Who is in a dynamic list is what its query finds.")
    return held


def _place(writer: Writer, held: Row, member: Reference) -> Row | None:
    """The place of a row in the list."""
    listed = Reference("list", held["listid"])
    for source, column, row in writer.transaction.referencing(*member):
        if (source, column) == ("listmember", "entityid") and row.get("listid") == listed:
            return row
    return None


def _add(writer: Writer, held: Row, member: Reference | None) -> Row:
    if member is None:
        raise bad_payload("A member of a list is named by its id.")
    if _KINDS[held["createdfromcode"]] != member.table:
        raise Refusal(400, "0x80040203", f"A {member.table} is no member of this kind of list.")
    place = _place(writer, held, member)
    if place is not None:
        return place
    table = writer.catalog.tables["listmember"]
    values = {
        "listid": Reference("list", held["listid"]),
        "entityid": member,
        "entitytype": member.table,
    }
    return writer.create(Draft(table, values), by_action=True)
