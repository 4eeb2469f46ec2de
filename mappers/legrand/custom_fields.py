"""Legrand custom field -> a row that says the field has a place, or a refusal that says which it lacks.

Legrand's export marks its custom fields by their column names and does not list them; whoever keeps the list
sends it. `Companies/Contract Signed (custom)` is such a field.
"""

from mappers.dataverse import custom_field, synced
from mappers.definitions import Definitions, listed
from mappers.legrand.campaigns import CAMPAIGN
from mappers.legrand.companies import COMPANY
from mappers.legrand.contacts import CONTACT
from mappers.legrand.leads import LEAD
from mappers.legrand.opportunities import OPPORTUNITY
from mappers.legrand.quotes import QUOTE
from mappers.legrand.tickets import TICKET
from shared.core.mapping.composed import Composed
from shared.core.mapping.spec import EntityMap, Field, Flow
from shared.core.mapping.transforms import integer, text, yes_no

MODULES = {
    "Companies": COMPANY,
    "Contacts": CONTACT,
    "Lead Inbox": LEAD,
    "Opportunities": OPPORTUNITY,
    "Sales Quotes": QUOTE,
    "Service Desk Tickets": TICKET,
    "Campaigns": CAMPAIGN,
}
"""The modules whose records may have custom fields, by Legrand's names."""

CUSTOM_FIELD = EntityMap(
    entity="custom_field",
    table=custom_field.TABLE,
    key="Custom Field",
    source_key=synced.tandem_sourcekey,
    one_way="A definition is made by an administrator, on each side.",
    fields=(
        Field("Module", custom_field.tandem_recordtype, text(50, required=True), flow=Flow.INBOUND),
        Field(
            "Field",
            custom_field.tandem_name,
            text(100, required=True),
            flow=Flow.INBOUND,
            description="The column's name in the sheet, with its mark.",
            alias="__c",
        ),
        Field("Label", custom_field.tandem_label, text(200), flow=Flow.INBOUND),
        Field("Type", custom_field.tandem_fieldtype, text(50, required=True), flow=Flow.INBOUND),
        Field("Options", custom_field.tandem_options, listed(20_000), flow=Flow.INBOUND),
        Field("Max Length", custom_field.tandem_maxlength, integer(0, 1_048_576), flow=Flow.INBOUND),
        Field("Required", custom_field.tandem_required, yes_no("Yes", "No"), flow=Flow.INBOUND),
    ),
    composed=(Composed("Custom Field", ("Module", "Field")),),
    check=Definitions(
        MODULES, object="Module", key="Field", type="Type", options="Options", max_length="Max Length"
    ),
)
