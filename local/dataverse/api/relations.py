"""Associate and disassociate: the $ref addresses."""

from local.dataverse.api.reads import find
from local.dataverse.api.request import Request
from local.dataverse.calls import Answer
from local.dataverse.errors import bad_payload, unknown_segment
from local.dataverse.odata.address import Segment, bare_guid
from local.dataverse.rows.parties import replace_parties
from local.dataverse.rows.payload import Draft
from local.dataverse.rows.references import existing, referenced
from local.dataverse.rows.writer import Writer
from local.dataverse.schema.table import Table
from local.dataverse.store.row import Reference


def associate(request: Request, table: Table, key: str, navigation: str) -> Answer:
    """POST or PUT of set(id)/navigation/$ref with an @odata.id."""
    url = request.call.json().get("@odata.id")
    if not isinstance(url, str):
        raise bad_payload("The body of a reference needs an @odata.id.")
    with request.writing() as writer:
        row_id = existing(writer.transaction, table, key).id
        bound = table.bindings.get(navigation)
        if bound is not None:
            other = referenced(writer.transaction, url, bound.targets, navigation)
            writer.update(Draft(table, {bound.column.name: other}), row_id)
        else:
            other = referenced(writer.transaction, url, (_member(request, table, navigation),), navigation)
            writer.link(table, row_id, navigation, other, present=True)
    return Answer(204)


def disassociate(request: Request, table: Table, key: str, segment: Segment) -> Answer:
    """DELETE of set(id)/navigation/$ref, of navigation(member)/$ref, or with $id=."""
    navigation = segment.name
    with request.writing() as writer:
        row_id = existing(writer.transaction, table, key).id
        bound = table.bindings.get(navigation)
        if bound is not None:
            writer.update(Draft(table, {bound.column.name: None}), row_id)
        else:
            member = _member(request, table, navigation)
            writer.link(table, row_id, navigation, _other(request, writer, member, segment), present=False)
    return Answer(204)


def replace_members(request: Request, table: Table, key: str, navigation: str) -> Answer:
    """PUT of a whole collection: the parties of an activity, and nothing else."""
    if not navigation.endswith("_activity_parties"):
        raise unknown_segment(navigation)
    row = find(request, table, key)
    with request.writing() as writer:
        replace_parties(writer, table, row[table.id_column], request.call.objects("value"))
    return Answer(204)


def _other(request: Request, writer: Writer, member: str, segment: Segment) -> Reference:
    if segment.key is not None:
        guid = bare_guid(segment.key)
        if guid is None:
            raise bad_payload("The member of a collection is named by its id.")
        return Reference(member, guid)
    return referenced(writer.transaction, request.call.query.get("$id"), (member,), segment.name)


def _member(request: Request, table: Table, navigation: str) -> str:
    catalog = request.organisation.catalog
    collection = catalog.collections(table.name).get(navigation)
    if collection is not None:
        return collection.table
    pair = catalog.pairs_of(table.name).get(navigation)
    if pair is None:
        raise unknown_segment(navigation)
    return pair.second if pair.first == table.name else pair.first
