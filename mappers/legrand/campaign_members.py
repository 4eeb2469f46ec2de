"""Legrand campaign member -> Dynamics 365 campaign response, `CAM001/Contact/CON00001` (docs/adr/0025)."""

from mappers.dataverse import campaignresponse, synced
from mappers.legrand import words
from shared.core.mapping.composed import Composed
from shared.core.mapping.spec import EntityMap, Field, Flow, Loss
from shared.core.mapping.transforms import choice, email, lookup, lookup_of_kind, text

CAMPAIGN_MEMBER = EntityMap(
    entity="campaign_member",
    table=campaignresponse.TABLE,
    unit=campaignresponse.regardingobjectid,
    key="Campaign Member",
    source_key=synced.tandem_sourcekey,
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
