"""Resolving cases."""

from local.dataverse.api.actions.arguments import create_closed, fetch, nested_row, pointed_at, status_for
from local.dataverse.api.request import Request
from local.dataverse.calls import Answer
from local.dataverse.errors import Refusal
from local.dataverse.odata.address import Segment
from local.dataverse.store.row import Reference


def close_incident(request: Request, _segment: Segment) -> Answer:
    """Active to Resolved, with an incidentresolution activity."""
    body = request.call.json()
    resolution = nested_row(body, "IncidentResolution")
    with request.writing() as writer:
        table = writer.catalog.tables["incident"]
        row_id = pointed_at(writer, resolution, "incidentid", "incident")
        row = fetch(writer, "incident", row_id)
        writer.allow("Write", table, row)
        if row.get("statecode") != 0:
            raise Refusal(400, "0x80044411", "The case has already been resolved or cancelled.")
        status = status_for(table, body.get("Status"), 1)
        create_closed(writer, "incidentresolution", resolution, ("incidentid", Reference("incident", row_id)))
        writer.set_columns(table, row_id, {"statecode": 1, "statuscode": status}, "Close")
    return Answer(204)
