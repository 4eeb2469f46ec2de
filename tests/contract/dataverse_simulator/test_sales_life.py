"""What a sales organisation does in a year: campaigns, leads, deals, quotes, cases, letters, as stories."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from local.dataverse.seed import BASE_CURRENCY

if TYPE_CHECKING:
    from tests.contract.dataverse_simulator.conftest import Api

Refused = Callable[[httpx.Response], tuple[int, str]]


def act(api: Api, name: str, **parameters: Any) -> httpx.Response:
    answer: httpx.Response = api.post(name, json=parameters)
    assert answer.status_code in {200, 204}, answer.text
    return answer


def state(api: Api, address: str) -> tuple[int, int]:
    row = api.row(address, "statecode", "statuscode")
    return row["statecode"], row["statuscode"]


@pytest.fixture
def goods(api: Api) -> dict[str, str]:
    """A price list with one product that can be sold."""
    schedule = api.create("uomschedules", name="Pieces", baseuomname="Piece")
    unit = api.create(
        "uoms", name="Piece", quantity=1, **{"uomscheduleid@odata.bind": f"uomschedules({schedule})"}
    )
    prices = api.create(
        "pricelevels",
        name="2026",
        **{"transactioncurrencyid@odata.bind": f"transactioncurrencies({BASE_CURRENCY})"},
    )
    product = api.create(
        "products",
        name="Pump",
        productnumber="P-1",
        quantitydecimal=2,
        **{
            "defaultuomid@odata.bind": f"uoms({unit})",
            "defaultuomscheduleid@odata.bind": f"uomschedules({schedule})",
        },
    )
    api.create(
        "productpricelevels",
        amount=250,
        **{
            "pricelevelid@odata.bind": f"pricelevels({prices})",
            "productid@odata.bind": f"products({product})",
            "uomid@odata.bind": f"uoms({unit})",
        },
    )
    assert state(api, f"products({product})") == (2, 0)
    api.patch(f"products({product})", json={"statecode": 0, "statuscode": 1})
    return {"unit": unit, "prices": prices, "product": product}


def test_a_campaign_has_responses_and_lives_until_it_is_closed(api: Api) -> None:
    campaign = api.create("campaigns", name="Spring", codename="SPR", budgetedcost=1000)
    response = api.create(
        "campaignresponses",
        subject="Interested",
        responsecode=1,
        channeltypecode=1,
        receivedon="2026-03-01",
        firstname="Ada",
        lastname="Five",
        emailaddress="ada@five.example",
        **{"regardingobjectid_campaign_campaignresponse@odata.bind": f"campaigns({campaign})"},
    )

    api.patch(f"campaignresponses({response})", json={"statecode": 1, "statuscode": 2})
    api.patch(f"campaigns({campaign})", json={"statecode": 1, "statuscode": 6})

    assert state(api, f"campaignresponses({response})") == (1, 2)
    assert state(api, f"campaigns({campaign})") == (1, 6)
    assert [row["subject"] for row in api.select("activitypointers", select="subject")] == ["Interested"]


def test_a_list_of_a_campaign_holds_people_of_its_own_kind_once(api: Api, refused: Refused) -> None:
    campaign = api.create("campaigns", name="Spring")
    ada, lead = api.create("contacts", lastname="Five"), api.create("leads", subject="S", lastname="L")
    listed = api.create("lists", listname="Spring", createdfromcode=2, type=False)
    people = {
        "contact": {"contactid": ada, "@odata.type": "Microsoft.Dynamics.CRM.contact"},
        "lead": {"leadid": lead, "@odata.type": "Microsoft.Dynamics.CRM.lead"},
    }
    a_list = {"listid": listed, "@odata.type": "Microsoft.Dynamics.CRM.list"}

    act(
        api,
        f"lists({listed})/Microsoft.Dynamics.CRM.AddItemCampaign",
        Campaign={"campaignid": campaign, "@odata.type": "Microsoft.Dynamics.CRM.campaign"},
    )
    for _ in range(2):
        act(api, "AddListMembersList", List=a_list, Members=[people["contact"]])
    wrong = api.post("AddListMembersList", json={"List": a_list, "Members": [people["lead"]]})

    assert refused(wrong) == (400, "0x80040203")
    assert [row["_entityid_value"] for row in api.select("listmembers", select="_entityid_value")] == [ada]
    under = api.row(f"campaigns({campaign})/campaignlist_association", "listname")["value"]
    assert [row["listname"] for row in under] == ["Spring"]


def test_a_lead_becomes_a_deal_that_is_quoted_revised_and_won(api: Api, goods: dict[str, str]) -> None:
    lead = api.create("leads", subject="Pumps", firstname="Ada", lastname="Love", companyname="Love Ltd")
    made = act(
        api,
        f"leads({lead})/Microsoft.Dynamics.CRM.QualifyLead",
        CreateAccount=True,
        CreateContact=True,
        CreateOpportunity=True,
        Status=3,
        OpportunityCurrencyId={
            "transactioncurrencyid": BASE_CURRENCY,
            "@odata.type": "Microsoft.Dynamics.CRM.transactioncurrency",
        },
    ).json()["value"]
    ids = {
        row["@odata.type"].rpartition(".")[2]: next(v for k, v in row.items() if k != "@odata.type")
        for row in made
    }
    deal = ids["opportunity"]
    quote = api.create(
        "quotes",
        name="Pumps",
        **{
            "opportunityid@odata.bind": f"opportunities({deal})",
            "customerid_account@odata.bind": f"accounts({ids['account']})",
            "pricelevelid@odata.bind": f"pricelevels({goods['prices']})",
        },
    )
    for quantity in (2, 3):
        api.create(
            "quotedetails",
            quantity=quantity,
            priceperunit=250,
            ispriceoverridden=True,
            **{
                "quoteid@odata.bind": f"quotes({quote})",
                "productid@odata.bind": f"products({goods['product']})",
                "uomid@odata.bind": f"uoms({goods['unit']})",
            },
        )
    api.patch(f"quotes({quote})", json={"statecode": 1, "statuscode": 2})
    revised = act(api, "ReviseQuote", QuoteId=quote, ColumnSet={"AllColumns": True}).json()["quoteid"]
    api.patch(f"quotes({revised})", json={"statecode": 1, "statuscode": 3})
    bound = {"subject": "Won", "quoteid@odata.bind": f"quotes({revised})"}
    act(api, "WinQuote", Status=4, QuoteClose=bound)
    close = {"subject": "Won", "actualrevenue": 1250, "opportunityid@odata.bind": f"opportunities({deal})"}
    act(api, "WinOpportunity", Status=3, OpportunityClose=close)

    lines = api.select(
        "quotedetails", filter=f"_quoteid_value eq {revised}", select="quantity", orderby="quantity"
    )
    numbers = [api.row(f"quotes({row})", "quotenumber", "revisionnumber") for row in (quote, revised)]
    assert state(api, f"leads({lead})") == (1, 3)
    assert [state(api, f"quotes({row})") for row in (quote, revised)] == [(3, 7), (2, 4)]
    assert numbers[0]["quotenumber"] == numbers[1]["quotenumber"]
    assert [row["revisionnumber"] for row in numbers] == [0, 1]
    assert [row["quantity"] for row in lines] == [2, 3]
    assert api.row(f"opportunities({deal})", "actualvalue", "statecode") == {
        "opportunityid": deal,
        "actualvalue": 1250,
        "statecode": 1,
    }
    assert len(api.select("opportunitycloses")) == 1


@pytest.mark.parametrize(("status", "reason"), [(5, "lost"), (6, "cancelled"), (-1, "default")])
def test_an_active_quote_is_closed_with_a_reason(
    api: Api, goods: dict[str, str], status: int, reason: str, refused: Refused
) -> None:
    account = api.create("accounts", name=reason)
    quote = api.create(
        "quotes",
        name="Q",
        **{
            "customerid_account@odata.bind": f"accounts({account})",
            "pricelevelid@odata.bind": f"pricelevels({goods['prices']})",
        },
    )
    body = {"Status": status, "QuoteClose": {"quoteid@odata.bind": f"quotes({quote})"}}
    draft = api.post("CloseQuote", json=body)
    api.patch(f"quotes({quote})", json={"statecode": 1, "statuscode": 2})
    closed = api.post("CloseQuote", json=body)

    assert refused(draft) == (400, "0x80040233")
    assert closed.status_code == 204
    assert state(api, f"quotes({quote})") == (3, max(status, 5))
    assert refused(api.patch(f"quotes({quote})", json={"name": "late"})) == (400, "0x80040233")


def test_a_lost_deal_keeps_its_products(api: Api, goods: dict[str, str]) -> None:
    deal = api.create(
        "opportunities",
        name="D",
        isrevenuesystemcalculated=False,
        **{"pricelevelid@odata.bind": f"pricelevels({goods['prices']})"},
    )
    api.create(
        "opportunityproducts",
        quantity=4,
        **{
            "opportunityid@odata.bind": f"opportunities({deal})",
            "productid@odata.bind": f"products({goods['product']})",
            "uomid@odata.bind": f"uoms({goods['unit']})",
        },
    )
    close = {
        "subject": "Lost",
        "description": "Too late",
        "opportunityid@odata.bind": f"opportunities({deal})",
    }
    act(api, "LoseOpportunity", Status=5, OpportunityClose=close)

    expand = "product_opportunities($select=quantity),Opportunity_OpportunityClose($select=description)"
    shown = api.client.get(f"opportunities({deal})?$select=statuscode&$expand={expand}").json()
    assert shown["statuscode"] == 5
    assert [row["quantity"] for row in shown["product_opportunities"]] == [4]
    assert [row["description"] for row in shown["Opportunity_OpportunityClose"]] == ["Too late"]


def test_a_business_process_is_a_row_that_moves_from_stage_to_stage(api: Api, refused: Refused) -> None:
    process = api.create("workflows", name="Sales", type=1, category=4, primaryentity="opportunity")
    stages = [
        api.create(
            "processstages",
            stagename=name,
            stagecategory=at,
            **{"processid@odata.bind": f"workflows({process})"},
        )
        for at, name in enumerate(("Qualify", "Develop", "Propose"))
    ]
    deal = api.create("opportunities", name="D")
    flow = api.create(
        "opportunitysalesprocesses",
        **{
            "opportunityid@odata.bind": f"opportunities({deal})",
            "processid@odata.bind": f"workflows({process})",
            "activestageid@odata.bind": f"processstages({stages[0]})",
            "traversedpath": stages[0],
        },
    )
    moved = api.patch(
        f"opportunitysalesprocesses({flow})",
        json={
            "activestageid@odata.bind": f"processstages({stages[1]})",
            "traversedpath": ",".join(stages[:2]),
        },
    )
    api.patch(f"opportunitysalesprocesses({flow})", json={"statecode": 1, "statuscode": 2})

    shown = api.client.get(
        f"opportunitysalesprocesses({flow})",
        params={"$select": "traversedpath,statuscode", "$expand": "activestageid($select=stagename)"},
    ).json()
    assert moved.status_code == 204
    assert (shown["traversedpath"].split(","), shown["statuscode"]) == (stages[:2], 2)
    assert shown["activestageid"]["stagename"] == "Develop"
    wrong = {"activestageid@odata.bind": f"processstages({deal})"}
    assert refused(api.patch(f"opportunitysalesprocesses({flow})", json=wrong)) == (404, "0x80040217")


def test_two_rows_are_connected_in_a_role(api: Api) -> None:
    account, contact = api.create("accounts", name="A"), api.create("contacts", lastname="C")
    role = api.create("connectionroles", name="Adviser", category=1)
    api.create(
        "connections",
        description="since 2020",
        **{
            "record1id_account@odata.bind": f"accounts({account})",
            "record2id_contact@odata.bind": f"contacts({contact})",
            "record2roleid@odata.bind": f"connectionroles({role})",
        },
    )

    answer = api.client.get(
        "connections",
        params={"$expand": "record2roleid($select=name)", "$filter": f"_record1id_value eq {account}"},
        headers={"Prefer": 'odata.include-annotations="*"'},
    ).json()["value"]
    assert len(answer) == 1
    assert answer[0]["_record2id_value"] == contact
    assert answer[0]["_record2id_value@Microsoft.Dynamics.CRM.lookuplogicalname"] == "contact"
    assert answer[0]["record2roleid"]["name"] == "Adviser"


def test_money_is_kept_in_its_currency_and_in_the_organisations(api: Api) -> None:
    euro = api.select("transactioncurrencies", filter="isocurrencycode eq 'EUR'")[0]
    deal = api.create(
        "opportunities",
        name="D",
        estimatedvalue=920,
        **{"transactioncurrencyid@odata.bind": f"transactioncurrencies({euro['transactioncurrencyid']})"},
    )

    row = api.row(f"opportunities({deal})", "estimatedvalue", "estimatedvalue_base", "exchangerate")
    assert (row["estimatedvalue"], row["estimatedvalue_base"], row["exchangerate"]) == (920, 1000, 0.92)

    bound = {"transactioncurrencyid@odata.bind": f"transactioncurrencies({euro['transactioncurrencyid']})"}
    quote = api.create("quotes", name="Q", freightamount=1, **bound)
    line = api.create(
        "quotedetails",
        productdescription="Line",
        priceperunit=46,
        **{"quoteid@odata.bind": f"quotes({quote})"},
    )
    row = api.row(
        f"quotedetails({line})", "priceperunit", "priceperunit_base", "_transactioncurrencyid_value"
    )
    assert row["_transactioncurrencyid_value"] == euro["transactioncurrencyid"]
    assert (row["priceperunit"], row["priceperunit_base"]) == (46, 50)


@pytest.mark.parametrize(
    "address",
    [
        "accounts?sql=SELECT%20name%20FROM%20account",
        "accounts?fetchXml=%3Cfetch%3E%3Centity%20name%3D%22account%22%2F%3E%3C%2Ffetch%3E",
        "accounts?$apply=aggregate(revenue%20with%20sum%20as%20total)",
    ],
)
def test_ways_to_ask_that_are_not_simulated_say_so(api: Api, refused: Refused, address: str) -> None:
    answer = api.client.get(address)

    assert refused(answer) == (501, "0x80060600")
    assert "is not supported by this simulator" in answer.json()["error"]["message"]
