"""Faults, limits, latencies, counts and reset: what tests of the product steer."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import pytest

from local.dataverse.seed import ADMINISTRATOR, TANDEM_APPLICATION_ID, TANDEM_USER

if TYPE_CHECKING:
    from tests.contract.dataverse_simulator.conftest import Api, Recorder

Refused = Callable[[httpx.Response], tuple[int, str]]


@pytest.fixture
def admin(api: Api) -> Callable[..., httpx.Response]:
    def call(method: str, route: str, body: object = None) -> httpx.Response:
        return httpx.request(method, f"{api.simulator.http_url}/admin/{route}", json=body)

    return call


Admin = Callable[..., httpx.Response]


def test_a_fault_hits_the_next_matching_requests_and_ends(api: Api, admin: Admin, refused: Refused) -> None:
    admin("POST", "faults", {"code": "0x80044150", "times": 2, "method": "POST", "path": "accounts"})

    seen = [api.post("accounts", json={"name": "A"}) for _ in range(3)]

    assert [refused(answer) for answer in seen[:2]] == [(500, "0x80044150")] * 2
    assert seen[2].status_code == 204
    assert len(api.select("accounts")) == 1
    assert admin("GET", "faults").json() == []


def test_one_operation_of_a_batch_can_fail_alone(api: Api, admin: Admin) -> None:
    admin("POST", "faults", {"code": "0x80060882", "in_batch": True, "path": "contacts"})
    parts = "".join(f"--b\n\nPOST {name} HTTP/1.1\n\n{{}}\n" for name in ("accounts", "contacts", "contacts"))
    headers = {"Content-Type": "multipart/mixed;boundary=b", "Prefer": "odata.continue-on-error"}

    answer = api.post("$batch", content=f"{parts}--b--", headers=headers)

    assert re.findall(r"^HTTP/1\.1 (\d+)", answer.text, re.MULTILINE) == ["204", "412", "204"]
    assert len(api.select("contacts")) == 1


@pytest.mark.parametrize(
    ("chosen", "hit"),
    [
        ({"table": "account"}, ["create account", "read", "update", "upsert", "bulk", "ref", "delete"]),
        ({"table": "contacts"}, ["create contact"]),
        ({"operation": "create"}, ["create account", "create contact", "upsert"]),
        ({"operation": "create", "table": "account"}, ["create account", "upsert"]),
        ({"operation": "update"}, ["update", "upsert"]),
        ({"operation": "upsert"}, ["upsert"]),
        ({"operation": "read"}, ["read", "who"]),
        ({"operation": "delete"}, ["delete"]),
        ({"operation": "associate"}, ["ref"]),
        ({"operation": "UpsertMultiple"}, ["bulk"]),
        ({"operation": "WinOpportunity"}, ["win"]),
        ({"operation": "WhoAmI"}, ["who"]),
        ({"user": TANDEM_USER, "table": "account"}, []),
        ({"user": ADMINISTRATOR.upper(), "table": "contact"}, ["create contact"]),
    ],
)
def test_a_fault_chooses_by_table_user_and_operation(
    api: Api, admin: Admin, chosen: dict[str, str], hit: list[str]
) -> None:
    row = api.create("accounts", name="A")
    bulk = [{"@odata.type": "Microsoft.Dynamics.CRM.account", "accountid": row}]
    calls: dict[str, tuple[str, str, object, dict[str, str]]] = {
        "create account": ("POST", "accounts", {"name": "B"}, {}),
        "create contact": ("POST", "contacts", {"lastname": "B"}, {}),
        "read": ("GET", f"accounts({row})", None, {}),
        "update": ("PATCH", f"accounts({row})", {}, {"If-Match": "*"}),
        "upsert": ("PATCH", f"accounts({row})", {}, {}),
        "bulk": ("POST", "accounts/Microsoft.Dynamics.CRM.UpsertMultiple", {"Targets": bulk}, {}),
        "ref": ("PUT", f"accounts({row})/primarycontactid/$ref", {}, {}),
        "win": ("POST", "WinOpportunity", {}, {}),
        "who": ("GET", "WhoAmI()", None, {}),
        "delete": ("DELETE", f"accounts({row})", None, {}),
    }
    admin("POST", "faults", {"status": 504, "times": None, **chosen})

    seen = [
        name
        for name, (method, path, body, headers) in calls.items()
        if api.client.request(method, path, json=body, headers=headers).status_code == 504
    ]

    assert seen == hit


def test_a_fault_of_one_application_leaves_the_others_alone(api: Api, admin: Admin) -> None:
    admin("POST", "faults", {"status": 503, "times": None, "user": TANDEM_APPLICATION_ID})
    claims = base64.urlsafe_b64encode(json.dumps({"appid": TANDEM_APPLICATION_ID}).encode()).decode()
    tandem = {"Authorization": f"Bearer e30.{claims.rstrip('=')}.x"}

    assert api.get("WhoAmI", headers=tandem).status_code == 503
    assert api.get("WhoAmI").status_code == 200


def test_one_table_of_a_batch_can_fail_alone(api: Api, admin: Admin) -> None:
    fault = {"code": "0x80044150", "in_batch": True, "table": "contact", "operation": "create"}
    admin("POST", "faults", fault)
    parts = "".join(f"--b\n\nPOST {name} HTTP/1.1\n\n{{}}\n" for name in ("accounts", "contacts", "contacts"))
    headers = {"Content-Type": "multipart/mixed;boundary=b", "Prefer": "odata.continue-on-error"}

    answer = api.post("$batch", content=f"{parts}--b--", headers=headers)

    assert re.findall(r"^HTTP/1\.1 (\d+)", answer.text, re.MULTILINE) == ["204", "500", "204"]


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("0x80040217", 404),
        ("0x80060891", 404),
        ("0x80048d19", 400),
        ("0x80044331", 400),
        ("0x8004431A", 400),
        ("0x80048408", 400),
        ("0x80040233", 400),
        ("0x80040237", 412),
        ("0x80060892", 412),
        ("0x80040333", 412),
        ("0x80060882", 412),
        ("0x80040220", 403),
        ("0x80048306", 403),
        ("0x80042f09", 403),
        ("0x80040225", 403),
        ("0x8004A110", 403),
        ("0x80040227", 405),
        ("0x80040265", 400),
        ("0x80044171", 500),
        ("0x80044150", 500),
        ("0x80044151", 500),
        ("0x8004Ed47", 500),
        ("0x80040255", 500),
        ("0x80040216", 500),
        ("0x80048543", 503),
        ("0x80072321", 429),
        ("0x80072322", 429),
        ("0x80072326", 429),
    ],
)
def test_a_fault_named_by_its_code_has_the_status_of_the_code(
    api: Api, admin: Admin, refused: Refused, code: str, status: int
) -> None:
    admin("POST", "faults", {"code": code, "operation": "create"})

    assert refused(api.post("accounts", json={"name": "A"})) == (status, code)
    assert api.select("accounts") == []


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_gateway_error_has_its_status(api: Api, admin: Admin, status: int) -> None:
    admin("POST", "faults", {"status": status})

    assert api.get("WhoAmI").status_code == status


def test_throttling_on_demand_says_when_to_come_back(api: Api, admin: Admin, refused: Refused) -> None:
    admin("POST", "faults", {"code": "0x80072322", "retry_after": 7})

    answer = api.get("WhoAmI")

    assert refused(answer) == (429, "0x80072322")
    assert answer.headers["Retry-After"] == "7"


@pytest.mark.parametrize(("drop", "written"), [("before", 0), ("after", 1)])
def test_a_dropped_connection_leaves_the_caller_in_doubt(
    api: Api, admin: Admin, drop: str, written: int
) -> None:
    admin("POST", "faults", {"drop": drop, "method": "POST"})

    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        api.post("accounts", json={"name": "A"})

    assert len(api.select("accounts")) == written


def test_requests_operations_and_the_rows_they_wrote_are_counted_exactly(api: Api, admin: Admin) -> None:
    mixed = {"Content-Type": "multipart/mixed;boundary=b"}
    admin("DELETE", "requests")
    api.create("accounts", name="A")
    api.get("accounts?$top=1")
    item = {"@odata.type": "Microsoft.Dynamics.CRM.account", "name": "B"}
    api.post("accounts/Microsoft.Dynamics.CRM.CreateMultiple", json={"Targets": [item, item]})
    api.post(
        "$batch",
        content="--b\n\nPOST contacts HTTP/1.1\n\n{}\n--b\n\nGET contacts HTTP/1.1\n\n\n--b--",
        headers=mixed,
    )
    refused = '--b\n\nPOST leads HTTP/1.1\n\n{"x":1}\n--b--'
    assert api.post("accounts", json={"name": "x" * 161}).status_code == 400
    assert api.post("$batch", content=refused, headers=mixed).status_code == 400

    summary = admin("GET", "requests").json()

    summary.pop("recent")
    assert summary == {
        "requests": 6,
        "by_method": {"POST": 5, "GET": 1},
        "by_set": {"accounts": 4, "$batch": 2},
        "by_status": {"200": 3, "204": 1, "400": 2},
        "operations": {
            "POST accounts": 3,
            "GET accounts": 1,
            "POST contacts": 1,
            "GET contacts": 1,
            "POST leads": 1,
        },
        "rows_written": {"accounts": 3, "contacts": 1},
    }


def test_over_the_request_limit_a_user_waits_for_the_window(api: Api, admin: Admin, refused: Refused) -> None:
    admin("PUT", "limits", {"enabled": True, "requests": 3, "clock_factor": 1000})

    seen = [api.get("WhoAmI") for _ in range(4)]

    assert [answer.status_code for answer in seen] == [200, 200, 200, 429]
    assert refused(seen[3]) == (429, "0x80072322")
    assert seen[3].headers["Retry-After"] == "1"
    assert [answer.headers["x-ms-ratelimit-burst-remaining-xrm-requests"] for answer in seen[:3]] == [
        "2",
        "1",
        "0",
    ]
    assert seen[0].headers["x-ms-dop-hint"] == "10"


def test_every_server_of_the_service_counts_for_itself(api: Api, admin: Admin) -> None:
    admin("PUT", "limits", {"enabled": True, "requests": 2, "servers": 3, "window_s": 300})
    url = f"{api.root}WhoAmI"
    headers = {"Authorization": "Bearer x"}

    spread = [httpx.get(url, headers=headers).status_code for _ in range(6)]
    with httpx.Client(headers=headers) as kept:
        admin("PUT", "limits", {"servers": 3})
        stuck = [kept.get(url) for _ in range(3)]

    assert spread == [200] * 6
    assert [answer.status_code for answer in stuck] == [200, 200, 429]
    assert "ARRAffinity=" in stuck[0].headers["Set-Cookie"]


def test_too_many_requests_at_once_are_refused_at_once(api: Api, admin: Admin, refused: Refused) -> None:
    admin("PUT", "limits", {"enabled": True, "concurrency": 2})
    admin("PUT", "latency", {"read_ms": 1500})

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: api.get("WhoAmI"), range(4)))

    throttled = [answer for answer in answers if answer.status_code == 429]
    assert sorted(answer.status_code for answer in answers) == [200, 200, 429, 429]
    assert {refused(answer) for answer in throttled} == {(429, "0x80072326")}
    assert {answer.headers["Retry-After"] for answer in throttled} == {"1"}


def test_modelled_execution_time_counts_against_the_limit(api: Api, admin: Admin, refused: Refused) -> None:
    admin("PUT", "limits", {"enabled": True, "execution_ms": 100})
    admin("PUT", "latency", {"write_ms": 60, "sleep": False})

    seen = [api.post("accounts", json={"name": "A"}) for _ in range(3)]

    assert [answer.status_code for answer in seen] == [204, 204, 429]
    assert refused(seen[2]) == (429, "0x80072321")


def test_a_privilege_taken_away_is_missed_by_name(api: Api, admin: Admin, refused: Refused) -> None:
    admin("PUT", "privileges", {"user": ADMINISTRATOR, "denied": ["prvCreateAccount"]})

    answer = api.post("accounts", json={"name": "A"})

    assert refused(answer) == (403, "0x80040220")
    assert "prvCreateAccount" in answer.json()["error"]["message"]
    admin("PUT", "privileges", {"user": ADMINISTRATOR, "denied": []})
    assert api.post("accounts", json={"name": "A"}).status_code == 204


def test_the_store_counts_rows_and_no_lookup_points_at_nobody(api: Api, admin: Admin) -> None:
    company = api.create("accounts", name="A")
    parent = {"parentcustomerid_account@odata.bind": f"/accounts({company})"}
    person = api.create("contacts", lastname="P", **parent)
    api.create("tasks", subject="T", **{"regardingobjectid_contact_task@odata.bind": f"/contacts({person})"})
    api.create("accounts", name="B", **{"primarycontactid@odata.bind": f"/contacts({person})"})

    before = admin("GET", "store").json()
    api.delete(f"accounts({company})")
    after = admin("GET", "store").json()

    counted = {"account", "contact", "task"}
    assert {name: n for name, n in before["rows"].items() if name in counted} == {
        "account": 2,
        "contact": 1,
        "task": 1,
    }
    assert {name: n for name, n in after["rows"].items() if name in counted} == {"account": 1}
    assert after["deleted"] == {"account": 1, "contact": 1, "task": 1}
    assert (before["dangling"], after["dangling"]) == ([], [])


def test_a_reset_leaves_the_seed(api: Api, admin: Admin) -> None:
    api.create("accounts", name="A")

    assert admin("POST", "reset").status_code == 204

    assert api.select("accounts") == []
    assert [row["fullname"] for row in api.select("systemusers", select="fullname", orderby="fullname")] == [
        "Sam Admin",
        "Tandem Integration",
    ]


def test_an_unknown_field_is_refused_by_name(admin: Admin) -> None:
    answer = admin("POST", "faults", {"colour": "red"})

    assert (answer.status_code, answer.json()) == (400, {"error": "unknown fields: colour"})


def test_messages_can_be_held_and_doubled(
    flowing: Callable[[], Api], bus: Recorder, write_flow: Callable[..., None]
) -> None:
    write_flow("account", "accountid")
    api = flowing()
    url = f"{api.simulator.http_url}/admin/flows"
    httpx.put(url, json={"held": True})
    row_id = api.create("accounts", name="A")
    assert httpx.get(url).json()["outbox"] == {"waiting": 1, "refused": 0}

    httpx.put(url, json={"held": False, "duplicate": 1})

    assert [bus.next()["sessionId"], bus.next()["sessionId"]] == [row_id, row_id]
