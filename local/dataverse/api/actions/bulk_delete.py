"""BulkDelete: a job that deletes what its queries find. Here the job is done when the answer arrives."""

from collections.abc import Callable
from typing import Any

from local.dataverse.api.request import Request
from local.dataverse.calls import Answer, json_answer
from local.dataverse.errors import bad_payload, not_supported, shaped
from local.dataverse.odata.address import Segment
from local.dataverse.odata.instants import write_instant
from local.dataverse.odata.predicate import reader
from local.dataverse.rows.payload import Draft
from local.dataverse.rows.writer import Writer
from local.dataverse.schema.table import Table
from local.dataverse.store.row import Row
from local.dataverse.store.rows import fold

_BULK_DELETE = 13
_SUCCEEDED = {"statecode": 3, "statuscode": 30}


def bulk_delete(request: Request, _segment: Segment) -> Answer:
    """Delete the rows of every query; the id of the finished job."""
    with request.writing() as writer:
        for query in request.call.objects("QuerySet"):
            table, found = _found(writer, query)
            for row_id in found:
                if writer.transaction.get(table.name, row_id) is not None:
                    writer.delete(table, row_id)
        jobs = writer.catalog.tables["asyncoperation"]
        name = str(request.call.json().get("JobName", "Bulk delete"))
        job = writer.create(Draft(jobs, {"name": name, "operationtype": _BULK_DELETE}))
        done = {**_SUCCEEDED, "completedon": write_instant(writer.now)}
        writer.set_columns(jobs, job["asyncoperationid"], done)
    context = f"{request.call.root}$metadata#Microsoft.Dynamics.CRM.BulkDeleteResponse"
    return json_answer(200, {"@odata.context": context, "JobId": job["asyncoperationid"]})


@shaped("A query of a bulk delete")
def _found(writer: Writer, query: dict[str, Any]) -> tuple[Table, list[str]]:
    table = writer.catalog.tables.get(str(query.get("EntityName")))
    if table is None:
        raise bad_payload("A query of a bulk delete needs the EntityName of a known table.")
    criteria = query.get("Criteria") or {}
    if criteria.get("Filters"):
        raise not_supported("A bulk delete with nested filters")
    tests = [_test(table, condition) for condition in criteria.get("Conditions", [])]
    matches = all if criteria.get("FilterOperator", "And") == "And" else any
    return table, [
        row[table.id_column]
        for row in writer.transaction.rows(table.name)
        if matches(test(row) for test in tests)
    ]


def _test(table: Table, condition: dict[str, Any]) -> Callable[[Row], bool]:
    column = table.columns.get(str(condition.get("AttributeName")))
    operator = condition.get("Operator")
    if column is None or operator not in {"In", "Equal", "Null", "NotNull"}:
        raise not_supported(f"The condition {operator} of a bulk delete")
    value_of = reader(column)
    if operator in {"Null", "NotNull"}:
        return lambda row: (value_of(row) is None) == (operator == "Null")
    values = {
        fold(value.get("Value") if isinstance(value, dict) else value)
        for value in condition.get("Values", [])
    }
    return lambda row: value_of(row) in values
