"""WhoAmI: the caller's ids."""

from local.dataverse.api.request import Request
from local.dataverse.calls import Answer, json_answer
from local.dataverse.odata.address import Segment
from local.dataverse.seed import BUSINESS_UNIT, ORGANISATION


def who_am_i(request: Request, _segment: Segment) -> Answer:
    """The function WhoAmI, with or without parentheses."""
    user = request.organisation.get("systemuser", request.origin.caller.user) or {}
    unit = user.get("businessunitid")
    return json_answer(
        200,
        {
            "@odata.context": f"{request.call.root}$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse",
            "BusinessUnitId": unit[1] if unit is not None else BUSINESS_UNIT,
            "UserId": request.origin.caller.user,
            "OrganizationId": ORGANISATION,
        },
    )
