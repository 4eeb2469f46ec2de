"""Committed changes become messages: which ones, of what shape, and through what trouble."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from queue import Empty
from typing import TYPE_CHECKING

import httpx
import pytest
from azure.servicebus import NEXT_AVAILABLE_SESSION, ServiceBusClient

from local.broker.entities.settings import QueueSettings
from local.broker.server import in_thread
from local.dataverse.flows.definition import UnreadableFlow
from local.dataverse.seed import ADMINISTRATOR, BUSINESS_UNIT
from local.dataverse.server import Settings, start
from tests.contract.dataverse_simulator.conftest import Api

if TYPE_CHECKING:
    from tests.contract.dataverse_simulator.conftest import Recorder

INFRA = Path(__file__).parents[3] / "infra"

Run = Callable[[], Api]
WriteFlow = Callable[..., None]


def test_a_created_row_arrives_as_the_agreed_payload(
    flowing: Run, bus: Recorder, write_flow: WriteFlow
) -> None:
    write_flow("account", "accountid")
    api = flowing()

    row_id = api.create("accounts", name="Fabrikam", tandem_tier=100000001)

    message = bus.next()
    row = api.row(f"accounts({row_id})", "modifiedon", "_modifiedby_value", "versionnumber")
    body = message["body"]
    data = body.pop("data")
    assert body == {
        "schemaVersion": "1.0",
        "source": "dataverse",
        "table": "account",
        "recordId": row_id,
        "operation": "Create",
        "changedOn": row["modifiedon"],
        "rowVersion": str(row["versionnumber"]),
        "initiatedBy": row["_modifiedby_value"],
    }
    assert (message["queue"], message["sessionId"], message["subject"]) == ("outbound", row_id, "account")
    assert message["applicationProperties"] == {"table": "account", "operation": "Create"}
    assert data["@odata.etag"] == f'W/"{row["versionnumber"]}"'
    assert (data["name"], data["tandem_tier"], data["_tandem_tier_label"]) == (
        "Fabrikam",
        100000001,
        "Silver",
    )
    assert (data["_ownerid_type"], data["_statecode_label"]) == ("systemusers", "Active")
    assert "telephone1" not in data


def test_a_delete_carries_the_id_and_who_it_runs_as(
    flowing: Run, bus: Recorder, write_flow: WriteFlow
) -> None:
    write_flow("contact", "contactid", message=2)
    api = flowing()
    me = api.get("WhoAmI").json()["UserId"]
    row_id = api.create("contacts", lastname="Gone")

    api.delete(f"contacts({row_id})")

    body = bus.next()["body"]
    assert (body["operation"], body["recordId"], body["initiatedBy"]) == ("Delete", row_id, me)
    assert body["data"] == {
        "ItemInternalId": row_id,
        "SdkMessage": "Delete",
        "RunAsSystemUserId": me,
        "RowVersion": body["rowVersion"],
        "contactid": row_id,
    }


def test_only_listed_columns_wake_an_update(flowing: Run, bus: Recorder, write_flow: WriteFlow) -> None:
    write_flow("account", "accountid", message=3, filteringattributes="name,telephone1")
    api = flowing()
    row_id = api.create("accounts", name="First")

    api.patch(f"accounts({row_id})", json={"fax": "1"})
    api.patch(f"accounts({row_id})", json={"name": "First"})

    assert bus.next()["body"]["operation"] == "Update"
    assert api.says_no_more(bus)


def test_of_ten_changes_the_shipped_flows_tell_those_that_matter(bus: Recorder) -> None:
    """E-01: the filters decide which tables and columns, in what is shipped as in what runs here."""
    shipped = Settings(customisations=INFRA / "dataverse/customisations.json", flows=INFRA / "flows")
    with start(shipped, bus=bus) as simulator:
        api = Api(simulator)
        row_id = api.create("accounts", name="Nordwind", telephone1="1")
        task = api.create("tasks", subject="Ring them")
        for address, change in (
            (f"accounts({row_id})", {"description": "two notes"}),
            (f"accounts({row_id})", {"telephone1": "2", "description": "three notes"}),
            (f"accounts({row_id})", {"tickersymbol": "NW"}),
            (f"accounts({row_id})", {"donotphone": True}),
            (f"tasks({task})", {"subject": "Write to them"}),
            (f"accounts({row_id})", {"description": None}),
        ):
            api.patch(address, json=change).raise_for_status()
        api.delete(f"tasks({task})").raise_for_status()
        api.delete(f"accounts({row_id})").raise_for_status()

        bodies = [bus.next()["body"] for _ in range(3)]

        assert [(body["operation"], body["recordId"]) for body in bodies] == [
            ("Create", row_id),
            ("Update", row_id),
            ("Delete", row_id),
        ]
        assert api.says_no_more(bus)
        api.client.close()


@pytest.mark.parametrize(
    ("message", "heard"),
    [
        (1, ["Create"]),
        (2, ["Delete"]),
        (3, ["Update"]),
        (4, ["Create", "Update"]),
        (5, ["Create", "Delete"]),
        (6, ["Update", "Delete"]),
        (7, ["Create", "Update", "Delete"]),
    ],
)
def test_a_flow_hears_the_messages_it_subscribed_to(
    flowing: Run, bus: Recorder, write_flow: WriteFlow, message: int, heard: list[str]
) -> None:
    write_flow("account", "accountid", message=message)
    api = flowing()

    row_id = api.create("accounts", name="First")
    api.patch(f"accounts({row_id})", json={"name": "Second"})
    api.delete(f"accounts({row_id})")

    assert [bus.next()["body"]["operation"] for _ in heard] == heard
    assert api.says_no_more(bus)


@pytest.mark.parametrize(
    ("scope", "heard"),
    [
        (1, ["own"]),
        (2, ["own", "unit"]),
        (3, ["own", "unit", "other"]),
        (4, ["own", "unit", "other"]),
    ],
)
def test_a_flow_hears_the_rows_of_its_scope(
    flowing: Run, bus: Recorder, write_flow: WriteFlow, scope: int, heard: list[str]
) -> None:
    write_flow("account", "accountid", message=1, scope=scope)
    api = flowing()
    top = f"businessunits({BUSINESS_UNIT})"
    south = api.create("businessunits", name="South", **{"parentbusinessunitid@odata.bind": top})
    owners = {"own": f"systemusers({ADMINISTRATOR})"}
    for name, unit in (("unit", top), ("other", f"businessunits({south})")):
        user = api.create("systemusers", lastname=name, **{"businessunitid@odata.bind": unit})
        owners[name] = f"systemusers({user})"

    for name, owner in owners.items():
        api.create("accounts", name=name, **{"ownerid@odata.bind": owner})

    assert [bus.next()["body"]["data"]["name"] for _ in heard] == heard
    assert api.says_no_more(bus)


def test_messages_arrive_out_of_order_when_that_is_switched_on(
    flowing: Run, bus: Recorder, write_flow: WriteFlow
) -> None:
    write_flow("account", "accountid", message=1)
    api = flowing()
    url = f"{api.simulator.http_url}/admin/flows"
    httpx.put(url, json={"held": True, "shuffle": True})
    names = [f"{number:02}" for number in range(20)]
    for name in names:
        api.create("accounts", name=name)

    httpx.put(url, json={"held": False})

    arrived = [bus.next()["body"]["data"]["name"] for _ in names]
    assert arrived != names
    assert sorted(arrived) == names


def test_a_write_does_not_wait_for_the_bus(flowing: Run, bus: Recorder, write_flow: WriteFlow) -> None:
    write_flow("account", "accountid", message=1)
    api = flowing()
    bus.down = True

    assert api.post("accounts", json={"name": "A"}).status_code == 204

    bus.down = False
    assert bus.next()["body"]["data"]["name"] == "A"


def test_a_filter_expression_keeps_rows_out(flowing: Run, bus: Recorder, write_flow: WriteFlow) -> None:
    write_flow("account", "accountid", filterexpression="startswith(name,'Keep') and statecode eq 0")
    api = flowing()

    api.create("accounts", name="Drop")
    kept = api.create("accounts", name="Keep")

    assert bus.next()["body"]["recordId"] == kept
    assert api.says_no_more(bus)


def test_the_suppress_header_stops_the_flows_of_that_write(
    flowing: Run, bus: Recorder, write_flow: WriteFlow
) -> None:
    write_flow("account", "accountid")
    api = flowing()

    api.post(
        "accounts", json={"name": "Silent"}, headers={"MSCRM.SuppressCallbackRegistrationExpanderJob": "true"}
    )
    loud = api.create("accounts", name="Loud")

    assert bus.next()["body"]["recordId"] == loud
    assert api.says_no_more(bus)


def test_a_refused_write_sends_nothing(flowing: Run, bus: Recorder, write_flow: WriteFlow) -> None:
    write_flow("account", "accountid")
    api = flowing()

    assert api.post("accounts", json={"name": "x" * 161}).status_code == 400
    row_id = api.create("accounts", name="Fine")

    assert bus.next()["body"]["recordId"] == row_id
    assert api.says_no_more(bus)


def test_messages_outlive_a_broker_that_is_down_and_a_restart(
    flowing: Run, bus: Recorder, write_flow: WriteFlow
) -> None:
    write_flow("account", "accountid")
    bus.down = True
    api = flowing()
    rows = [api.create("accounts", name=name) for name in ("One", "Two", "Three")]
    flowing()
    with pytest.raises(Empty):
        bus.messages.get(timeout=0.3)

    bus.down = False

    assert [bus.next()["body"]["recordId"] for _ in rows] == rows


def test_a_message_the_broker_will_never_take_is_set_aside(
    flowing: Run, bus: Recorder, write_flow: WriteFlow
) -> None:
    write_flow("account", "accountid")
    bus.refuses = True
    api = flowing()
    api.create("accounts", name="Poison")
    url = f"{api.simulator.http_url}/admin/flows"
    deadline = time.monotonic() + 60
    while (counts := httpx.get(url).json()["outbox"])["waiting"] and time.monotonic() < deadline:
        pass

    bus.refuses = False
    row_id = api.create("accounts", name="Fine")

    assert counts == {"waiting": 0, "refused": 1}
    assert bus.next()["sessionId"] == row_id


def test_a_definition_with_an_unknown_function_stops_the_start(
    flow_folder: Path, flowing: Run, write_flow: WriteFlow
) -> None:
    write_flow("account", "accountid")
    path = flow_folder / "account.json"
    path.write_text(path.read_text("utf-8").replace("guid()", "xpath('a')"), "utf-8")

    with pytest.raises(UnreadableFlow, match=r"flow account: unknown function xpath\(\) in"):
        flowing()


def test_a_flow_reaches_a_session_queue_through_the_real_sdk(
    tmp_path: Path, customisations: Path, flow_folder: Path, write_flow: WriteFlow
) -> None:
    write_flow("account", "accountid")
    with in_thread({"outbound": QueueSettings(requires_session=True)}) as broker:
        settings = Settings(
            customisations=customisations, flows=flow_folder, servicebus=broker.connection_string
        )
        with start(settings) as simulator:
            answer = httpx.post(
                f"{simulator.http_url}/api/data/v9.2/accounts",
                json={"name": "Überseehandel"},
                headers={"Authorization": "Bearer x"},
            )
            row_id = answer.headers["OData-EntityId"][-37:-1]
            with (
                ServiceBusClient.from_connection_string(broker.connection_string) as client,
                client.get_queue_receiver("outbound", session_id=NEXT_AVAILABLE_SESSION) as receiver,
            ):
                (message,) = receiver.receive_messages(max_message_count=1, max_wait_time=60)
                receiver.complete_message(message)

    body = json.loads(b"".join(message.body))
    assert (message.session_id, message.content_type, message.subject) == (
        row_id,
        "application/json",
        "account",
    )
    assert (body["recordId"], body["data"]["name"]) == (row_id, "Überseehandel")
    assert message.application_properties == {b"table": b"account", b"operation": b"Create"}


@pytest.mark.parametrize(("run_as", "who"), [(1, "modifier"), (2, "owner"), (3, "flow owner")])
def test_a_delete_tells_whom_the_flow_runs_as(
    flowing: Run, bus: Recorder, write_flow: WriteFlow, run_as: int, who: str
) -> None:
    write_flow("account", "accountid", message=2, runas=run_as)
    api = flowing()
    owner = api.create("systemusers", lastname="Owner")
    modifier = api.create("systemusers", lastname="Modifier")
    row_id = api.create("accounts", name="A", **{"ownerid@odata.bind": f"systemusers({owner})"})

    api.client.delete(f"accounts({row_id})", headers={"MSCRMCallerID": modifier})

    people = {"owner": owner, "modifier": modifier, "flow owner": ADMINISTRATOR}
    assert bus.next()["body"]["data"]["RunAsSystemUserId"] == people[who]


def test_a_run_that_fails_is_told_and_does_not_fail_the_write(
    flow_folder: Path, flowing: Run, bus: Recorder, write_flow: WriteFlow
) -> None:
    write_flow("account", "accountid", message=1)
    path = flow_folder / "account.json"
    # Without its question mark a property that is not there is an error.
    path.write_text(path.read_text("utf-8").replace("?['body/RowVersion']", "['body/Nothing']"), "utf-8")
    api = flowing()

    assert api.post("accounts", json={"name": "A"}).status_code == 204

    failures = httpx.get(f"{api.simulator.http_url}/admin/flows").json()["failures"]
    assert [(each["flow"], each["table"]) for each in failures] == [("account", "account")]
    assert api.says_no_more(bus)
