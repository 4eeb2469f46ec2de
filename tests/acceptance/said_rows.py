"""What somebody has said in a row of Dataverse, without what Dataverse fills in by itself."""

from collections.abc import Mapping
from typing import Any

KEYS = {
    "accounts": "accountid",
    "annotations": "annotationid",
    "appointments": "activityid",
    "campaignresponses": "activityid",
    "campaigns": "campaignid",
    "contacts": "contactid",
    "emails": "activityid",
    "incidents": "incidentid",
    "leads": "leadid",
    "opportunities": "opportunityid",
    "phonecalls": "activityid",
    "quotedetails": "quotedetailid",
    "quotes": "quoteid",
    "tandem_customfields": "tandem_customfieldid",
    "tandem_pipelines": "tandem_pipelineid",
    "tandem_pipelinestages": "tandem_pipelinestageid",
    "tandem_tags": "tandem_tagid",
}
"""The tables that records arrive in, with their primary keys."""

OWN = frozenset(
    """
    activitytypecode actualvalue address1_composite codename createdby exchangerate filesize fullname
    isdocument modifiedby modifiedon overriddencreatedon owningbusinessunit owninguser quotenumber
    revisionnumber tandem_sourcekey ticketnumber versionnumber
    """.split()  # noqa: SIM905  # shorter to read
)
"""Columns that Dataverse fills in by itself, and the one that names the record."""

BY_DEFAULT: Mapping[str, Any] = {
    "customersizecode": 1,
    "followemail": True,
    "msdyn_forecastcategory": 100_000_001,
    "preferredcontactmethodcode": 1,
    "salesstage": 0,
    "severitycode": 1,
    "statecode": 0,
}
"""What a row holds that nobody has said anything about."""

NEVER_SAID = {"prioritycode": {"incidents"}, "customertypecode": {"accounts"}}
"""Columns that are somebody's word in these tables, and a default everywhere else."""

SAID_IN_TURN = frozenset({"directioncode", "isalldayevent", "leftvoicemail", "donotemail", "donotbulkemail"})
"""Columns of yes and no in which a no is a word; in the others it is what nobody has said."""


def plain(table: str, row: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """What somebody has said in a row: lookups by the names of what they point at, no ids, no defaults."""
    said = {}
    for column, value in row.items():
        name = column.removeprefix("_").removesuffix("_value") if column.startswith("_") else column
        if value is None or "@" in column or name in OWN or name.endswith("_base") or name == KEYS[table]:
            continue
        if BY_DEFAULT.get(name, _Nothing) == value or table not in NEVER_SAID.get(name, {table}):
            continue
        if value is False and name not in SAID_IN_TURN and not name.startswith("tandem_"):
            continue
        said[name] = names.get(value, value) if isinstance(value, str) else value
    # Where no record says when it was made, it was made just now; nobody owns it but who wrote it.
    if str(said.get("createdon", "")) > "2020":
        del said["createdon"]
    if str(said.get("ownerid", "")).startswith("tandem@"):
        del said["ownerid"]
    return said


class _Nothing:
    """No value at all."""
