"""Allegory custom_field -> a row that says the field has a place, or a refusal that says which it lacks.

The definition is held against the map of its object: type, options and length must fit the column the map
gives it. A field without a column is refused with what is to be created, before any record carries it.
"""

from mappers.allegory.companies import COMPANY
from mappers.allegory.contacts import CONTACT
from mappers.allegory.deals import DEAL
from mappers.allegory.leads import LEAD
from mappers.dataverse import custom_field, synced
from mappers.definitions import Definitions, listed
from shared.core.mapping.composed import Composed
from shared.core.mapping.spec import EntityMap, Field, Flow
from shared.core.mapping.transforms import integer, text, yes_no

CUSTOM_FIELD = EntityMap(
    entity="custom_field",
    table=custom_field.TABLE,
    key="field_id",
    source_key=synced.tandem_sourcekey,
    one_way="A definition is made by an administrator, on each side.",
    fields=(
        Field("object", custom_field.tandem_recordtype, text(50, required=True), flow=Flow.INBOUND),
        Field("key", custom_field.tandem_name, text(100, required=True), flow=Flow.INBOUND, alias="__c"),
        Field("label", custom_field.tandem_label, text(200), flow=Flow.INBOUND),
        Field("type", custom_field.tandem_fieldtype, text(50, required=True), flow=Flow.INBOUND),
        Field("options", custom_field.tandem_options, listed(20_000), flow=Flow.INBOUND),
        Field("max_length", custom_field.tandem_maxlength, integer(0, 1_048_576), flow=Flow.INBOUND),
        Field("required", custom_field.tandem_required, yes_no(), flow=Flow.INBOUND),
    ),
    composed=(Composed("field_id", ("object", "key")),),
    check=Definitions({entry.entity: entry for entry in (COMPANY, CONTACT, LEAD, DEAL)}),
)
