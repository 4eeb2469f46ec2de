"""WhoAmI: the caller's ids; RetrieveUserPrivileges: what a user may do."""

from local.dataverse.api.request import Request
from local.dataverse.calls import Answer, json_answer
from local.dataverse.odata.address import Segment
from local.dataverse.rows.privileges import Depth, every_privilege, privilege_id
from local.dataverse.rows.references import existing
from local.dataverse.schema.table import Table
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


_DEPTHS = {
    Depth.USER: "Basic",
    Depth.BUSINESS_UNIT: "Local",
    Depth.UNITS_BELOW: "Deep",
    Depth.ORGANISATION: "Global",
}


def user_privileges(request: Request, table: Table, key: str) -> Answer:
    """The privileges of a user's roles, each with its depth."""
    user = existing(request.reading(), table, key).id
    organisation = request.organisation
    grants = organisation.privileges.granted(user)
    unit = (organisation.get("systemuser", user) or {}).get("businessunitid")
    held = [
        {
            "Depth": _DEPTHS[Depth.ORGANISATION if grants is None else grants[privilege_id(name)]],
            "PrivilegeId": privilege_id(name),
            "BusinessUnitId": unit[1] if unit is not None else BUSINESS_UNIT,
            "PrivilegeName": name,
        }
        for name in every_privilege(organisation.catalog)
        if grants is None or privilege_id(name) in grants
    ]
    context = f"{request.call.root}$metadata#Microsoft.Dynamics.CRM.RetrieveUserPrivilegesResponse"
    return json_answer(200, {"@odata.context": context, "RolePrivileges": held})
