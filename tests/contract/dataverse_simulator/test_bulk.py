"""CreateMultiple, UpdateMultiple, UpsertMultiple, and change tracking behind them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx
import pytest

from local.dataverse.server import Settings, start

if TYPE_CHECKING:
    from tests.contract.dataverse_simulator.conftest import Api

ACCOUNT = {"@odata.type": "Microsoft.Dynamics.CRM.account"}
TRACK = {"Prefer": "odata.track-changes"}

NOBODY = "00000000-0000-0000-0000-00000000dead"


def bulk(api: Api, action: str, *targets: Mapping[str, object]) -> httpx.Response:
    answer: httpx.Response = api.post(
        f"accounts/Microsoft.Dynamics.CRM.{action}",
        json={"Targets": [{**ACCOUNT, **target} for target in targets]},
    )
    return answer


def names(api: Api) -> list[str]:
    return [row["name"] for row in api.select("accounts", select="name", orderby="name")]


def test_created_ids_come_in_the_order_of_the_targets(api: Api) -> None:
    answer = bulk(api, "CreateMultiple", {"name": "B"}, {"name": "A"})

    assert answer.status_code == 200
    assert [api.row(f"accounts({row_id})", "name")["name"] for row_id in answer.json()["Ids"]] == ["B", "A"]


def test_one_bad_target_undoes_all(api: Api, refused: Callable[..., object]) -> None:
    assert refused(bulk(api, "CreateMultiple", {"name": "A"}, {"name": "x" * 161})) == (400, "0x80044331")
    assert names(api) == []


@pytest.mark.parametrize("action", ["UpdateMultiple", "UpsertMultiple"])
@pytest.mark.parametrize(
    ("wrong", "seen"),
    [
        ({"name": "x" * 161}, (400, "0x80044331")),
        ({"industrycode": 9999}, (400, "0x8004431A")),
        ({"primarycontactid@odata.bind": f"contacts({NOBODY})"}, (404, "0x80040217")),
        ({"tandem_sourcekey": "taken"}, (412, "0x80060892")),
    ],
)
def test_one_bad_change_undoes_the_good_ones(
    api: Api, refused: Callable[..., object], action: str, wrong: dict[str, object], seen: object
) -> None:
    api.create("accounts", name="C", tandem_sourcekey="taken")
    first, second = api.create("accounts", name="A"), api.create("accounts", name="B")

    answer = bulk(api, action, {"accountid": first, "name": "Z"}, {"accountid": second, **wrong})

    assert refused(answer) == seen
    assert names(api) == ["A", "B", "C"]


def test_a_target_needs_its_type(api: Api, refused: Callable[..., object]) -> None:
    answer = api.post("accounts/Microsoft.Dynamics.CRM.CreateMultiple", json={"Targets": [{"name": "A"}]})

    assert refused(answer) == (400, "0x80048d19")


def test_of_two_updates_of_one_row_the_first_counts(api: Api) -> None:
    row_id = api.create("accounts", name="A")

    answer = bulk(
        api, "UpdateMultiple", {"accountid": row_id, "name": "B"}, {"accountid": row_id, "name": "C"}
    )

    assert (answer.status_code, names(api)) == (204, ["B"])


def test_an_upsert_creates_and_updates_by_key_and_says_nothing(api: Api) -> None:
    api.create("accounts", name="Old", tandem_sourcekey="1")

    answer = bulk(
        api,
        "UpsertMultiple",
        {"@odata.id": "accounts(tandem_sourcekey='1')", "name": "New"},
        {"@odata.id": "accounts(tandem_sourcekey='2')", "name": "Other"},
    )

    assert (answer.status_code, answer.content) == (204, b"")
    assert api.select("accounts", select="name,tandem_sourcekey", orderby="name") == [
        {**row, "name": name, "tandem_sourcekey": key}
        for row, name, key in zip(
            api.select("accounts", select="accountid", orderby="name"),
            ("New", "Other"),
            ("1", "2"),
            strict=True,
        )
    ]


def test_an_upsert_of_one_key_twice_is_refused_whole(api: Api, refused: Callable[..., object]) -> None:
    twice = {"@odata.id": "accounts(tandem_sourcekey='1')", "name": "A"}

    assert refused(bulk(api, "UpsertMultiple", twice, twice)) == (412, "0x80040237")
    assert names(api) == []


def test_a_delta_link_brings_changes_and_deletions(api: Api) -> None:
    kept = api.create("accounts", name="Kept")
    gone = api.create("accounts", name="Gone")
    link = api.get("accounts?$select=name", headers=TRACK).json()["@odata.deltaLink"]

    api.patch(f"accounts({kept})", json={"name": "Changed"})
    api.delete(f"accounts({gone})")
    answer = api.get(link).json()

    assert answer["@odata.context"].endswith("$metadata#accounts(name)/$delta")
    assert [row.get("name", row.get("reason")) for row in answer["value"]] == ["Changed", "deleted"]
    assert answer["value"][1] == {
        "@odata.context": f"{api.root}$metadata#accounts/$deletedEntity",
        "id": gone,
        "reason": "deleted",
    }
    assert api.get(answer["@odata.deltaLink"]).json()["value"] == []


def test_a_row_changed_between_pages_is_in_the_delta(api: Api) -> None:
    for number in range(3):
        api.create("accounts", name=str(number))
    headers = {"Prefer": "odata.track-changes,odata.maxpagesize=2"}
    first = api.get("accounts?$select=name", headers=headers).json()

    api.patch(f"accounts({first['value'][0]['accountid']})", json={"name": "late"})
    second = api.get(first["@odata.nextLink"], headers=headers).json()

    assert (len(first["value"]), len(second["value"])) == (2, 1)
    assert [row["name"] for row in api.get(second["@odata.deltaLink"]).json()["value"]] == ["late"]


@pytest.mark.parametrize("option", ["$filter=name eq 'A'", "$orderby=name", "$top=1", "$expand=ownerid"])
def test_tracking_refuses_what_it_cannot_combine(api: Api, option: str) -> None:
    answer = api.get(f"accounts?$select=name&{option}", headers=TRACK)

    name = option.partition("=")[0]
    assert answer.status_code == 400
    assert f'The "{name}" query parameter isn\'t supported' in answer.json()["error"]["message"]


def test_a_delta_link_expires_after_seven_days() -> None:
    now = [datetime(2026, 1, 1, tzinfo=UTC)]
    with start(Settings(), clock=lambda: now[0]) as simulator:
        headers = {"Authorization": "Bearer x"}
        url = f"{simulator.http_url}/api/data/v9.2/accounts?$select=name"
        link = httpx.get(url, headers=headers | TRACK).json()["@odata.deltaLink"]

        now[0] += timedelta(days=8)

        answer = httpx.get(link, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "0x80044352")
