"""Three business units in three phases at once, on the whole stack (E-22)."""

from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

import pytest

from tests.acceptance.conftest import Stack, company, edit, eventually, session_of
from tests.acceptance.trouble import Trouble

UNITS = ("north", "south", "west")
"""Legacy-mastered, in coexistence, and mastered by Dynamics."""


@pytest.fixture
def people(stack: Stack, tag: str) -> dict[str, str]:
    """A unit with a user each, by the unit's word; the user's address."""
    addresses = {}
    with stack.dataverse() as client:
        (root, *_) = client.get(
            "businessunits", params={"$filter": "_parentbusinessunitid_value eq null"}
        ).json()["value"]
        for unit in UNITS:
            name = f"{tag} {unit}"
            unit_id, user_id = uuid5(NAMESPACE_DNS, name), uuid5(NAMESPACE_DNS, f"user of {name}")
            above = {"parentbusinessunitid@odata.bind": f"/businessunits({root['businessunitid']})"}
            client.patch(f"businessunits({unit_id})", json={"name": name, **above}).raise_for_status()
            addresses[unit] = f"{unit}.{tag.lower()}@people.example"
            body = {
                "firstname": unit,
                "lastname": tag,
                "internalemailaddress": addresses[unit],
                "domainname": addresses[unit],
                "businessunitid@odata.bind": f"/businessunits({unit_id})",
            }
            client.patch(f"systemusers({user_id})", json=body).raise_for_status()
    return addresses


def set_phase(stack: Stack, unit: str, phase: str) -> None:
    asked = ("phases", "set", "allegory", "company", phase, "--unit", unit, "--reason", "as planned")
    done = stack.tandem(*asked)
    assert done.returncode == 0, done.stderr
    assert unit.casefold() in done.stdout.casefold()


def held(stack: Stack, tag: str) -> list[tuple[Any, Any]]:
    """The telephone number of each unit's company, in Allegory and in Dataverse."""
    with stack.allegory() as allegory:
        records = [allegory.get(f"/companies/{tag}-C{number}").json() for number in (1, 2, 3)]
    rows = [stack.row_of(f"allegory:company:{tag}-C{number}", "accounts") for number in (1, 2, 3)]
    return [(record["phone"], row and row["telephone1"]) for record, row in zip(records, rows, strict=True)]


def test_three_units_are_in_three_phases_at_once(
    stack: Stack, tag: str, people: dict[str, str], trouble: Trouble
) -> None:
    rows = []
    for number, unit in enumerate(UNITS, start=1):
        body = company(tag, number, phone="1", owner_email=people[unit])
        with stack.allegory() as allegory:
            allegory.put(f"/companies/{tag}-C{number}", json=body["data"]).raise_for_status()
        told = stack.outcome(
            stack.send("inbound", body, session=session_of(body)), "applied", "echo", "stale"
        )
        rows.append(told["record"])
    stack.quiet()
    for phase in ("shadow_read", "legacy_master"):
        set_phase(stack, f"{tag} north", phase)
    set_phase(stack, f"{tag.lower()} WEST", "dynamics_master")

    with stack.dataverse() as dataverse:
        for row in rows:
            dataverse.patch(f"accounts({row})", json={"telephone1": "9"}).raise_for_status()
    in_dataverse = [("1", "1"), ("9", "9"), ("9", "9")]
    eventually("the edits in Dataverse", lambda: held(stack, tag) == in_dataverse or None)
    stack.quiet()
    with stack.allegory() as allegory:
        for number in (1, 2, 3):
            allegory.patch(f"/companies/{tag}-C{number}", json={"phone": "7"}).raise_for_status()
    in_allegory = [("7", "7"), ("7", "7"), ("9", "9")]
    eventually("the edits in Allegory", lambda: held(stack, tag) == in_allegory or None)
    stack.quiet()

    history = stack.tandem("phases", "history").stdout
    assert f"{tag} north" in history
    assert "shadow_read -> legacy_master" in history
    listed = stack.tandem("phases", "list").stdout
    assert f"{tag} west" in listed

    trouble.dataverse(times=1, status=400, code="0x80040265", path=rows[1])
    refused = edit(company(tag, 2), 1, phone="5") | {"changedOn": datetime.now(UTC).isoformat()}
    failing = stack.send("inbound", refused, session=session_of(refused))
    stack.outcome(failing, "held", "failed")
    assert f"1 of {tag} south" in stack.tandem("failures", "groups").stdout
    assert f"1 of {tag} south" in stack.tandem("now").stdout
    assert stack.tandem("replay", failing).returncode == 0
    stack.outcome(failing, "applied", "merged")


def test_a_unit_nobody_has_is_refused(stack: Stack, tag: str) -> None:
    done = stack.tandem(
        "phases", "set", "allegory", "company", "shadow_read", "--unit", f"{tag} nowhere", "--reason", "?"
    )

    assert done.returncode == 1
    assert "no business unit" in done.stderr
