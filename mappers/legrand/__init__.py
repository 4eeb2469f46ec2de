"""Legrand Cloud CRM: a CRM with file exports only."""

from mappers.legrand.activities import CALL, EMAIL, MEETING
from mappers.legrand.attachments import ATTACHMENT
from mappers.legrand.campaign_members import CAMPAIGN_MEMBER
from mappers.legrand.campaigns import CAMPAIGN
from mappers.legrand.comments import COMMENT
from mappers.legrand.companies import COMPANY
from mappers.legrand.contacts import CONTACT
from mappers.legrand.custom_fields import CUSTOM_FIELD
from mappers.legrand.documents import DOCUMENT
from mappers.legrand.leads import LEAD
from mappers.legrand.opportunities import OPPORTUNITY
from mappers.legrand.quote_items import QUOTE_ITEM
from mappers.legrand.quotes import QUOTE
from mappers.legrand.tickets import TICKET
from mappers.legrand.words import SYSTEM
from shared.core.system import LegacySystem

LEGRAND = LegacySystem(
    name=SYSTEM,
    maps=(
        COMPANY,
        CONTACT,
        LEAD,
        OPPORTUNITY,
        QUOTE,
        QUOTE_ITEM,
        TICKET,
        COMMENT,
        CAMPAIGN,
        CAMPAIGN_MEMBER,
        EMAIL,
        CALL,
        MEETING,
        ATTACHMENT,
        DOCUMENT,
        CUSTOM_FIELD,
    ),
    drops=True,
    latency="hours",
    by_import=True,
)
