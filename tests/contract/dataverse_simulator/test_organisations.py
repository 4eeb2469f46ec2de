"""Two organisations differ in lengths, options and tables: in their metadata and in what they refuse."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.dataverse.server import Settings, start
from tests.contract.dataverse_simulator.conftest import Api

ROOT = Path(__file__).parents[3]
ORGANISATIONS = ROOT / "local" / "dataverse" / "organisations"
OURS = ROOT / "infra" / "dataverse" / "customisations.json"
NAMES = ("fabrikam", "northwind")

Refused = Callable[[httpx.Response], tuple[int, str]]


@contextmanager
def organisation(name: str | None) -> Iterator[Api]:
    """A simulator of one organisation, with our own columns on top of its."""
    file = ORGANISATIONS / f"{name}.json" if name is not None else None
    with start(Settings(customisations=OURS, organisation=file)) as simulator:
        api = Api(simulator)
        yield api
        api.client.close()


def column(api: Api, table: str, name: str) -> dict[str, Any]:
    """A column's definition with its options."""
    cast = "" if name not in {"statuscode", "industrycode", "leadsourcecode", "fab_region"} else _CASTS[name]
    address = f"EntityDefinitions(LogicalName='{table}')/Attributes(LogicalName='{name}'){cast}"
    found: dict[str, Any] = api.client.get(address, params={"$expand": "OptionSet"} if cast else {}).json()
    return found


_CASTS = {
    "statuscode": "/Microsoft.Dynamics.CRM.StatusAttributeMetadata",
    "industrycode": "/Microsoft.Dynamics.CRM.PicklistAttributeMetadata",
    "leadsourcecode": "/Microsoft.Dynamics.CRM.PicklistAttributeMetadata",
    "fab_region": "/Microsoft.Dynamics.CRM.PicklistAttributeMetadata",
}


def options(definition: dict[str, Any]) -> dict[int, str]:
    """Option values with their labels."""
    return {
        option["Value"]: option["Label"]["UserLocalizedLabel"]["Label"]
        for option in definition["OptionSet"]["Options"]
    }


def test_lengths_and_required_levels_differ_in_the_metadata() -> None:
    seen = {}
    for name in (None, *NAMES):
        with organisation(name) as api:
            facts = [("lead", "subject"), ("lead", "firstname"), ("lead", "description"), ("account", "name")]
            seen[name] = [column(api, *fact)["MaxLength"] for fact in facts] + [
                column(api, "lead", fact)["RequiredLevel"]["Value"] for fact in ("lastname", "description")
            ]

    assert seen == {
        None: [300, 50, 2000, 160, "ApplicationRequired", "None"],
        "fabrikam": [50, 450, 4151, 160, "None", "ApplicationRequired"],
        "northwind": [200, 50, 2000, 100, "ApplicationRequired", "None"],
    }


def test_options_differ_in_the_metadata() -> None:
    seen = {}
    for name in NAMES:
        with organisation(name) as api:
            lead, deal = column(api, "lead", "statuscode"), column(api, "opportunity", "statuscode")
            states = {item["Value"]: item["State"] for item in lead["OptionSet"]["Options"]}
            industries = options(column(api, "account", "industrycode"))
            seen[name] = (
                options(lead).get(804240004),
                states.get(804240004),
                options(lead).get(7),
                options(deal).get(908110001),
                industries.get(33),
                industries.get(908110000),
                options(column(api, "lead", "leadsourcecode")).get(192350100),
            )

    assert seen == {
        "fabrikam": ("Duplicate", 2, "Canceled", None, "Wholesale", None, "Trade fair"),
        "northwind": (None, None, None, "Postponed", None, "Renewables", None),
    }


@pytest.mark.parametrize(
    ("table", "body", "fabrikam", "northwind"),
    [
        ("leads", {"subject": "x" * 51, "lastname": "A"}, (400, "0x80044331"), 204),
        ("leads", {"subject": "A", "lastname": "A", "firstname": "x" * 51}, 204, (400, "0x80044331")),
        ("leads", {"subject": "A", "lastname": "A", "leadsourcecode": 192350100}, 204, (400, "0x8004431A")),
        ("accounts", {"name": "x" * 101}, 204, (400, "0x80044331")),
        ("accounts", {"name": "A", "industrycode": 33}, 204, (400, "0x8004431A")),
        ("accounts", {"name": "A", "industrycode": 908110000}, (400, "0x8004431A"), 204),
        ("opportunities", {"name": "A", "closeprobability": 95}, 204, (400, "0x8004432F")),
        ("opportunities", {"name": "A", "statuscode": 908110001}, (400, "0x8004431A"), 204),
        ("fab_branches", {"fab_name": "A", "fab_region": 192350001}, 204, (404, "0x8006088a")),
        ("fab_branches", {"fab_name": "A", "fab_region": 3}, (400, "0x8004431A"), (404, "0x8006088a")),
        ("nwt_territoryplans", {"nwt_target": 1000001}, (404, "0x8006088a"), (400, "0x80040317")),
        ("accounts", {"name": "A", "tandem_tier": 100000001}, 204, 204),
    ],
)
def test_each_organisation_refuses_by_its_own_metadata(
    refused: Refused, table: str, body: dict[str, Any], fabrikam: object, northwind: object
) -> None:
    seen: list[object] = []
    for name in NAMES:
        with organisation(name) as api:
            answer = api.post(table, json=body)
            seen.append(answer.status_code if answer.status_code == 204 else refused(answer))

    assert seen == [fabrikam, northwind]


def test_a_status_reason_of_ones_own_belongs_to_its_state(refused: Refused) -> None:
    with organisation("fabrikam") as api:
        lead = api.create("leads", subject="A", lastname="B")
        moved = api.patch(f"leads({lead})", json={"statecode": 2, "statuscode": 804240004})
        wrong = api.patch(f"leads({lead})", json={"statecode": 0, "statuscode": 804240004})

    assert moved.status_code == 204
    assert refused(wrong) == (400, "0x80048408")


def test_a_table_of_ones_own_has_what_every_table_has_and_outlives_a_reset() -> None:
    with organisation("fabrikam") as api:
        httpx.post(f"{api.simulator.http_url}/admin/reset")
        account = api.create("accounts", name="Head office")
        branch = api.create(
            "fab_branches",
            **{"fab_name": "Harbour", "fab_AccountId@odata.bind": f"accounts({account})"},
        )
        row = api.row(f"fab_branches({branch})", "fab_name", "_fab_accountid_value", "statecode")
        definition = api.client.get("EntityDefinitions(LogicalName='fab_branch')").json()

    assert row == {
        "fab_branchid": branch,
        "fab_name": "Harbour",
        "_fab_accountid_value": account,
        "statecode": 0,
    }
    assert (definition["EntitySetName"], definition["IsCustomEntity"]) == ("fab_branches", True)


def test_an_alternate_key_of_ones_own_finds_its_row() -> None:
    with organisation("northwind") as api:
        api.patch("accounts(nwt_vatnumber='SE556')", json={"name": "Keyed"})
        assert api.row("accounts(nwt_vatnumber='SE556')", "name")["name"] == "Keyed"
