"""Duplicate detection rules on and off, and what they find."""

from local.dataverse.api.actions.arguments import entity_id, fetch
from local.dataverse.api.request import Request
from local.dataverse.calls import Answer, json_answer
from local.dataverse.odata.address import Segment
from local.dataverse.rows.payload import Draft
from local.dataverse.rows.writer import Writer
from local.dataverse.schema.table import Table
from local.dataverse.store.row import Row

_PUBLISHED: Row = {"statecode": 1, "statuscode": 2}
_UNPUBLISHED: Row = {"statecode": 0, "statuscode": 0}
_PUBLISHING = 7


def publish_rule(request: Request, _table: Table, key: str) -> Answer:
    """PublishDuplicateRule: in force when the answer arrives; the id of the finished job."""
    with request.writing() as writer:
        rule = _rule(writer, key)
        writer.set_columns(rule[0], rule[1], _PUBLISHED)
        jobs = writer.catalog.tables["asyncoperation"]
        job = writer.create(Draft(jobs, {"name": "Publish duplicate rule", "operationtype": _PUBLISHING}))
        writer.set_columns(jobs, job["asyncoperationid"], {"statecode": 3, "statuscode": 30})
    context = f"{request.call.root}$metadata#Microsoft.Dynamics.CRM.PublishDuplicateRuleResponse"
    return json_answer(200, {"@odata.context": context, "JobId": job["asyncoperationid"]})


def unpublish_rule(request: Request, _segment: Segment) -> Answer:
    """UnpublishDuplicateRule: the rule finds nothing more."""
    with request.writing() as writer:
        table, row_id = _rule(writer, str(request.call.json().get("DuplicateRuleId")))
        writer.set_columns(table, row_id, _UNPUBLISHED)
    return Answer(204)


def _rule(writer: Writer, key: str) -> tuple[Table, str]:
    writer.privileges.check_named(writer.caller, "prvPublishDuplicateRule")
    table = writer.catalog.tables["duplicaterule"]
    row_id = entity_id(key, "DuplicateRuleId", table)
    fetch(writer, table.name, row_id)
    return table, row_id
