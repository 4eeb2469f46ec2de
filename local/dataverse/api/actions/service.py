"""Resolving cases."""

from local.dataverse.api.actions.closing import Closing, close
from local.dataverse.api.request import Request
from local.dataverse.calls import Answer
from local.dataverse.errors import Refusal
from local.dataverse.odata.address import Segment


def close_incident(request: Request, _segment: Segment) -> Answer:
    """Active to Resolved, with an incidentresolution activity."""
    return close(request, _CASE, 1, "Close")


def _not_active() -> Refusal:
    return Refusal(400, "0x80044411", "The case has already been resolved or cancelled.")


_CASE = Closing("incident", 0, "incidentresolution", "IncidentResolution", _not_active)
