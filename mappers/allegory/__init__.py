"""Allegory: a CRM with a REST interface and a file export."""

from mappers.allegory.attachments import ATTACHMENT
from mappers.allegory.calls import CALL
from mappers.allegory.companies import COMPANY
from mappers.allegory.contacts import CONTACT
from mappers.allegory.custom_fields import CUSTOM_FIELD
from mappers.allegory.deals import DEAL
from mappers.allegory.emails import EMAIL
from mappers.allegory.leads import LEAD
from mappers.allegory.meetings import MEETING
from mappers.allegory.pipelines import PIPELINE, STAGE
from mappers.allegory.tags import TAG
from mappers.allegory.words import SYSTEM
from shared.core.rest import ChangeFeed, Rest
from shared.core.system import LegacySystem

ALLEGORY = LegacySystem(
    name=SYSTEM,
    maps=(CUSTOM_FIELD, COMPANY, CONTACT, LEAD, PIPELINE, STAGE, DEAL, TAG, EMAIL, CALL, MEETING, ATTACHMENT),
    rest=Rest(
        {"company": "companies", "contact": "contacts", "lead": "leads", "deal": "deals"},
        feed=ChangeFeed(),
        files="attachments",
    ),
    drops=True,
)
