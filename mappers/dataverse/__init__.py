"""Dataverse's own language: one file per table, with typed columns, keys and limits."""

from collections.abc import Mapping

from mappers.dataverse import (
    account,
    contact,
    incident,
    lead,
    opportunity,
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
        incident.TABLE,
        systemuser.TABLE,
        team.TABLE,
        transactioncurrency.TABLE,
    )
}
"""Every table the maps know, by logical name."""
