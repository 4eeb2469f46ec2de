"""Members of marketing lists, items of campaigns."""

from local.dataverse.api.actions.arguments import entity_id, fetch, typed_reference
from local.dataverse.api.request import Request
from local.dataverse.calls import Answer, json_answer
from local.dataverse.errors import Refusal, bad_payload
from local.dataverse.odata.address import Segment, bare_guid
from local.dataverse.rows.payload import Draft
from local.dataverse.rows.writer import Writer
from local.dataverse.schema.table import Table
from local.dataverse.store.row import Reference

# list.createdfromcode: what kind of members a list holds, and no other.
_KINDS = {1: "account", 2: "contact", 4: "lead"}


def add_list_members(request: Request, _segment: Segment) -> Answer:
    """AddListMembersList: several members at once."""
    body = request.call.json()
    with request.writing() as writer:
        list_id = entity_id(body.get("List"), "List", writer.catalog.tables["list"])
        for member in body.get("Members", []):
            reference = typed_reference(writer, member, "Members")
            if reference is not None:
                _add(writer, list_id, reference)
    return Answer(204)


def add_member(request: Request, _segment: Segment) -> Answer:
    """AddMemberList: one member by its id; the list knows the kind."""
    with request.writing() as writer:
        list_id, member = _named(request, writer)
        _add(writer, list_id, member)
    return Answer(204)


def remove_member(request: Request, _segment: Segment) -> Answer:
    """RemoveMemberList: one member by its id."""
    with request.writing() as writer:
        list_id, member = _named(request, writer)
        table = writer.catalog.tables["listmember"]
        for row in list(writer.transaction.rows("listmember")):
            if row.get("listid") == Reference("list", list_id) and row.get("entityid") == member:
                writer.delete(table, row["listmemberid"])
    return Answer(204)


def add_campaign_item(request: Request, _table: Table, key: str) -> Answer:
    """AddItemCampaign: a marketing list becomes part of a campaign."""
    body = request.call.json()
    with request.writing() as writer:
        campaign = entity_id(key, "campaign", writer.catalog.tables["campaign"])
        fetch(writer, "campaign", campaign)
        if body.get("EntityName") != "list":
            raise bad_payload("Only marketing lists can be added to a campaign here.")
        item = entity_id(body.get("EntityId"), "EntityId", writer.catalog.tables["list"])
        fetch(writer, "list", item)
        writer.transaction.pair("campaignlist_association", campaign, item, present=True)
    context = f"{request.call.root}$metadata#Microsoft.Dynamics.CRM.AddItemCampaignResponse"
    return json_answer(200, {"@odata.context": context, "CampaignItemId": request.organisation.new_id()})


def _named(request: Request, writer: Writer) -> tuple[str, Reference]:
    body = request.call.json()
    list_id = entity_id(body.get("ListId"), "ListId", writer.catalog.tables["list"])
    kind = _KINDS.get(fetch(writer, "list", list_id).get("createdfromcode", 0), "contact")
    member = bare_guid(str(body.get("EntityId")))
    if member is None:
        raise bad_payload("The parameter 'EntityId' is not an id.")
    return list_id, Reference(kind, member)


def _add(writer: Writer, list_id: str, member: Reference) -> None:
    kind = _KINDS.get(fetch(writer, "list", list_id).get("createdfromcode", 0))
    if member.table != kind:
        raise Refusal(400, "0x8004031c", f"The list holds rows of {kind}, not of {member.table}.")
    fetch(writer, member.table, member.id)
    table = writer.catalog.tables["listmember"]
    pointer = Reference("list", list_id)
    for row in writer.transaction.rows("listmember"):
        if row.get("listid") == pointer and row.get("entityid") == member:
            return
    writer.create(Draft(table, {"listid": pointer, "entityid": member, "entitytype": kind}))
