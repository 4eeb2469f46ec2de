"""What merging two rows leaves behind, as the Merge action does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from tests.contract.dataverse_simulator.conftest import Api

Refused = Callable[[httpx.Response], tuple[int, str]]


def merged(api: Api, target: str, subordinate: str, table: str = "account", **more: Any) -> httpx.Response:
    """The answer to a merge of two rows of one table."""

    def named(row: str) -> dict[str, str]:
        return {f"{table}id": row, "@odata.type": f"Microsoft.Dynamics.CRM.{table}"}

    body = {"Target": named(target), "Subordinate": named(subordinate), "PerformParentingChecks": False}
    answer: httpx.Response = api.post("Merge", json={**body, **more})
    return answer


def test_the_subordinate_is_put_aside_and_names_its_master(api: Api) -> None:
    target, other = api.create("accounts", name="Nordwind"), api.create("accounts", name="Nordwind GmbH")

    assert merged(api, target, other).status_code == 204

    columns = ("name", "statecode", "statuscode", "_masterid_value", "merged")
    assert api.row(f"accounts({other})", *columns) == {
        "accountid": other,
        "name": "Nordwind GmbH",
        "statecode": 1,
        "statuscode": 2,
        "_masterid_value": target,
        "merged": True,
    }
    assert api.row(f"accounts({target})", "statecode", "_masterid_value") == {
        "accountid": target,
        "statecode": 0,
        "_masterid_value": None,
    }


def test_blanks_are_filled_and_nothing_the_target_has_is_overwritten(api: Api) -> None:
    target = api.create("accounts", name="Nordwind", telephone1="1", tandem_sourcekey="allegory:company:1")
    other = api.create(
        "accounts", name="N.", telephone1="2", fax="3", websiteurl="n.example", tandem_sourcekey="b"
    )

    content = {"websiteurl": "www.n.example", "@odata.type": "Microsoft.Dynamics.CRM.account"}
    assert merged(api, target, other, UpdateContent=content).status_code == 204

    columns = ("name", "telephone1", "fax", "websiteurl", "tandem_sourcekey")
    assert api.row(f"accounts({target})", *columns) == {
        "accountid": target,
        "name": "Nordwind",
        "telephone1": "1",
        "fax": "3",
        "websiteurl": "www.n.example",
        "tandem_sourcekey": "allegory:company:1",
    }


def test_whatever_hung_from_the_subordinate_hangs_from_the_target(api: Api) -> None:
    target, other = api.create("accounts", name="A"), api.create("accounts", name="B")
    contact = api.create(
        "contacts", lastname="Ada", **{"parentcustomerid_account@odata.bind": f"accounts({other})"}
    )
    child = api.create("accounts", name="C", **{"parentaccountid@odata.bind": f"accounts({other})"})
    api.patch(f"accounts({target})", json={"parentaccountid@odata.bind": f"accounts({other})"})

    assert merged(api, target, other).status_code == 204

    assert api.row(f"contacts({contact})", "_parentcustomerid_value")["_parentcustomerid_value"] == target
    assert api.row(f"accounts({child})", "_parentaccountid_value")["_parentaccountid_value"] == target
    assert api.row(f"accounts({target})", "_parentaccountid_value")["_parentaccountid_value"] is None


def test_a_merge_that_makes_no_sense_changes_nothing(api: Api, refused: Refused) -> None:
    one, two = api.create("accounts", name="A"), api.create("accounts", name="B")
    deals = [api.create("opportunities", name=name) for name in ("D", "E")]
    contact = api.create("contacts", lastname="Ada")
    contact_row = {"contactid": contact, "@odata.type": "Microsoft.Dynamics.CRM.contact"}

    assert refused(merged(api, one, one)) == (400, "0x80048d19")
    assert refused(merged(api, deals[0], deals[1], "opportunity")) == (405, "0x80040800")
    assert refused(merged(api, one, two, Subordinate=contact_row)) == (400, "0x80048d19")
    parented = api.create("accounts", name="P", **{"parentaccountid@odata.bind": f"accounts({one})"})
    assert refused(merged(api, two, parented, PerformParentingChecks=True)) == (400, "0x80048d19")
    assert merged(api, one, two).status_code == 204
    assert refused(merged(api, one, two)) == (400, "0x80040233")
    assert refused(merged(api, two, one)) == (400, "0x80040233")


@pytest.mark.parametrize(
    ("table", "entity_set", "name", "state"),
    [("contact", "contacts", "lastname", 1), ("lead", "leads", "lastname", 2)],
)
def test_people_and_leads_merge_alike(api: Api, table: str, entity_set: str, name: str, state: int) -> None:
    target, other = (api.create(entity_set, **{name: text}) for text in ("A", "B"))

    assert merged(api, target, other, table).status_code == 204

    row = api.row(f"{entity_set}({other})", "statecode", "_masterid_value", "merged")
    assert (row["statecode"], row["_masterid_value"], row["merged"]) == (state, target, True)


def test_cases_merge_without_any_value_moving(api: Api) -> None:
    account = api.create("accounts", name="A")
    cases = [
        api.create(
            "incidents",
            title=title,
            description=text,
            **{"customerid_account@odata.bind": f"accounts({account})"},
        )
        for title, text in (("One", None), ("Two", "more"))
    ]

    assert merged(api, cases[0], cases[1], "incident").status_code == 204

    columns = ("statecode", "statuscode", "_masterid_value")
    row = api.row(f"incidents({cases[1]})", *columns)
    assert [row[name] for name in columns] == [2, 2000, cases[0]]
    assert api.row(f"incidents({cases[0]})", "description")["description"] is None
