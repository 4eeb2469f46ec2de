"""Dataverse's own language: one file per table, with typed columns, keys and limits."""

from collections.abc import Mapping

from mappers.dataverse import (
    account,
    annotation,
    appointment,
    campaign,
    campaignresponse,
    contact,
    custom_field,
    email,
    incident,
    lead,
    opportunity,
    phonecall,
    pipeline,
    pipeline_stage,
    pricelevel,
    quote,
    quotedetail,
    systemuser,
    tag,
    task,
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
        pipeline.TABLE,
        pipeline_stage.TABLE,
        tag.TABLE,
        custom_field.TABLE,
        annotation.TABLE,
        appointment.TABLE,
        email.TABLE,
        phonecall.TABLE,
        task.TABLE,
        systemuser.TABLE,
        team.TABLE,
        transactioncurrency.TABLE,
        pricelevel.TABLE,
    )
}
"""Every table the maps know, by logical name."""
