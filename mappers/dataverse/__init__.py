"""Dataverse's own language: one file per table, with typed columns, keys and limits."""

from collections.abc import Mapping

from mappers.dataverse import (
    account,
    campaign,
    campaignresponse,
    contact,
    incident,
    lead,
    opportunity,
    quote,
    quotedetail,
    systemuser,
    team,
    transactioncurrency,
)
from shared.core.mapping.columns import Table

TABLES: Mapping[str, Table] = {
    table.name: table
    for table in (
        account.TABLE,
        contact.TABLE,
        lead.TABLE,
        opportunity.TABLE,
        quote.TABLE,
        quotedetail.TABLE,
        incident.TABLE,
        campaign.TABLE,
        campaignresponse.TABLE,
        systemuser.TABLE,
        team.TABLE,
        transactioncurrency.TABLE,
    )
}
"""Every table the maps know, by logical name."""
