"""Legrand campaign member -> Dynamics 365 campaign response, `CAM001/Contact/CON00001`, and a place in the
campaign's marketing list for its kind of person (docs/adr/0025).
"""

from collections.abc import Mapping
from uuid import UUID

from mappers.dataverse import campaignresponse, synced
from mappers.legrand import words
from shared.core.mapping.columns import Value
from shared.core.mapping.composed import Composed
from shared.core.mapping.references import RowRef
from shared.core.mapping.satellites import Following, Membership, companion_id
from shared.core.mapping.spec import EntityMap, Field, Flow, Loss
from shared.core.mapping.transforms import choice, email, lookup, lookup_of_kind, text

_KINDS = {campaignresponse.tandem_contactid.name: "contacts", campaignresponse.tandem_leadid.name: "leads"}
_LONGEST = 128


def marketing_list(row_id: UUID, values: Mapping[str, Value]) -> Following:
    """The member's place in the list of its campaign: one for its contacts, one for its leads."""
    del row_id
    campaign = values.get(campaignresponse.regardingobjectid.name)
    if not isinstance(campaign, RowRef):
        return Following()
    named = str(values.get(campaignresponse.subject.name) or "Campaign")
    places = []
    for column, kind in _KINDS.items():
        person = values.get(column)
        if isinstance(person, RowRef):
            name = _titled(named, kind)
            list_id = companion_id("list", campaign.id, person.table)
            places.append(Membership(list_id, name, campaign.id, person))
    return Following(memberships=tuple(places))


def _titled(campaign: str, kind: str) -> str:
    """What a list is called, within the length of its column."""
    room = 2 * (_LONGEST - len(kind) - 3)
    return f"{campaign.encode('utf-16-le')[:room].decode('utf-16-le', 'ignore').strip()} ({kind})"


CAMPAIGN_MEMBER = EntityMap(
    entity="campaign_member",
    table=campaignresponse.TABLE,
    unit=campaignresponse.regardingobjectid,
    key="Campaign Member",
    source_key=synced.tandem_sourcekey,
    satellites=(marketing_list,),
    one_way="Responses are counted by Legrand's own mailings.",
    composed=(
        Composed("Campaign Member", ("Campaign ID", "Member Type", "Member ID")),
        Composed("Member", ("Member Type", "Member ID")),
    ),
    fields=(
        Field(
            "Campaign ID",
            campaignresponse.regardingobjectid,
            lookup(words.SYSTEM, "campaign"),
            flow=Flow.INBOUND,
            alias="CampaignMember.CampaignId",
        ),
        Field(
            "Campaign Name",
            campaignresponse.subject,
            text(200),
            flow=Flow.INBOUND,
            description="What the response is listed by.",
        ),
        Field(
            "Member",
            campaignresponse.tandem_contactid,
            lookup_of_kind(words.SYSTEM, "contact", "Contact", "Lead"),
            flow=Flow.INBOUND,
            description="Member Type and Member ID, where the member is a contact; waits until it is there.",
            alias="CampaignMember.ContactId",
        ),
        Field(
            "Member",
            campaignresponse.tandem_leadid,
            lookup_of_kind(words.SYSTEM, "lead", "Lead", "Contact"),
            flow=Flow.INBOUND,
            description="Where the member is a lead.",
            alias="CampaignMember.LeadId",
        ),
        Field("Email", campaignresponse.emailaddress, email(100), flow=Flow.INBOUND),
        Field(
            "Response",
            campaignresponse.responsecode,
            choice(words.RESPONSE, known_only=True),
            flow=Flow.INBOUND,
            loss=Loss.PARTIAL,
            description="Sent and Opened are no answer, so there is no code for them.",
        ),
        Field(
            "Response",
            campaignresponse.tandem_response,
            text(100),
            flow=Flow.INBOUND,
            description="As written.",
        ),
    ),
)
