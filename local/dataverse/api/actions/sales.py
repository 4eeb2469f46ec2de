"""Winning and losing opportunities, qualifying leads."""

from typing import Any

from local.dataverse.api.actions.arguments import (
    entity_id,
    fetch,
    status_for,
    typed_reference,
)
from local.dataverse.api.actions.closing import Closing, close
from local.dataverse.api.request import Request
from local.dataverse.calls import Answer, json_answer
from local.dataverse.errors import Refusal, wrong_state
from local.dataverse.odata.address import Segment
from local.dataverse.rows.payload import Draft
from local.dataverse.rows.writer import Writer
from local.dataverse.schema.table import Table
from local.dataverse.store.row import Reference, Row

_COPIED = ("telephone1", "emailaddress1", "websiteurl", "description")
_ADDRESS = ("line1", "line2", "line3", "city", "stateorprovince", "postalcode", "country")


def win_opportunity(request: Request, _segment: Segment) -> Answer:
    """Open to Won, with an opportunityclose activity."""
    return close(request, _DEAL, 1, "Win")


def lose_opportunity(request: Request, _segment: Segment) -> Answer:
    """Open to Lost, with an opportunityclose activity."""
    return close(request, _DEAL, 2, "Lose")


def _deal_closed() -> Refusal:
    return Refusal(400, "0x80040515", "The opportunity has already been closed.")


def _outcome(deal: Row, activity: Row, state: int) -> Row:
    day = str(activity.get("actualend") or activity["createdon"])[:10]
    revenue = activity.get("actualrevenue", deal.get("estimatedvalue") if state == 1 else 0.0)
    return {"actualclosedate": day} | ({"actualvalue": revenue} if revenue is not None else {})


_DEAL = Closing("opportunity", 0, "opportunityclose", "OpportunityClose", _deal_closed, _outcome)


def qualify_lead(request: Request, _table: Table, key: str) -> Answer:
    """A lead into an account, a contact and an opportunity, as asked; the references of what was made."""
    body = request.call.json()
    with request.writing() as writer:
        table = writer.catalog.tables["lead"]
        row_id = entity_id(key, "lead", table)
        lead = fetch(writer, "lead", row_id)
        writer.allow("Write", table, lead)
        if lead.get("statecode") != 0:
            raise wrong_state("Only an open lead can be qualified.")
        status = status_for(table, body.get("Status", 3), 1)
        made = _make(writer, lead, body)
        changes: Row = {"statecode": 1, "statuscode": status}
        for column, name in (
            ("parentaccountid", "account"),
            ("parentcontactid", "contact"),
            ("qualifyingopportunityid", "opportunity"),
        ):
            if name in made:
                changes[column] = Reference(name, made[name])
        writer.set_columns(table, row_id, changes, "QualifyLead")
    value = [
        {
            "@odata.type": f"#Microsoft.Dynamics.CRM.{name}",
            request.organisation.catalog.tables[name].id_column: made_id,
        }
        for name, made_id in made.items()
    ]
    context = f"{request.call.root}$metadata#Collection(Microsoft.Dynamics.CRM.crmbaseentity)"
    return json_answer(200, {"@odata.context": context, "value": value})


def _make(writer: Writer, lead: Row, body: dict[str, Any]) -> dict[str, str]:
    made: dict[str, str] = {}
    origin = {"originatingleadid": Reference("lead", lead["leadid"]), "ownerid": lead["ownerid"]}
    shared = {name: lead[name] for name in _COPIED if name in lead}
    shared |= {
        f"address1_{part}": lead[f"address1_{part}"] for part in _ADDRESS if f"address1_{part}" in lead
    }
    if body.get("CreateAccount") is True and lead.get("companyname"):
        made["account"] = _create(writer, "account", {"name": lead["companyname"]} | shared | origin)
    if body.get("CreateContact") is True:
        person: Row = {
            name: lead[name] for name in ("firstname", "lastname", "jobtitle", "mobilephone") if name in lead
        }
        if "account" in made:
            person["parentcustomerid"] = Reference("account", made["account"])
        made["contact"] = _create(writer, "contact", person | shared | origin)
    if body.get("CreateOpportunity") is True:
        deal: Row = {"name": lead.get("subject") or lead.get("fullname"), **origin}
        customer = typed_reference(writer, body.get("OpportunityCustomerId"), "OpportunityCustomerId")
        currency = typed_reference(writer, body.get("OpportunityCurrencyId"), "OpportunityCurrencyId")
        campaign = typed_reference(writer, body.get("SourceCampaignId"), "SourceCampaignId")
        if customer is None and made:
            first = next(iter(made))
            customer = Reference(first, made[first])
        for column, name in (("parentaccountid", "account"), ("parentcontactid", "contact")):
            if name in made:
                deal[column] = Reference(name, made[name])
        deal |= {"customerid": customer, "transactioncurrencyid": currency, "campaignid": campaign}
        deal["estimatedvalue"] = lead.get("estimatedamount")
        made["opportunity"] = _create(writer, "opportunity", deal)
    return made


def _create(writer: Writer, table: str, values: Row) -> str:
    definition = writer.catalog.tables[table]
    known = {
        name: value for name, value in values.items() if value is not None and name in definition.columns
    }
    row_id: str = writer.create(Draft(definition, known))[definition.id_column]
    return row_id
