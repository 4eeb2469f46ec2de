"""Legrand takes files only: what people do in Dataverse reaches it by workbook, and comes back as an echo."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.acceptance.conftest import Stack, eventually


@dataclass
class Desk:
    """Legrand for a person at its desk."""

    stack: Stack
    http: httpx.Client

    def put(self, module: str, record: str, **fields: str) -> None:
        said = {name.replace("_", " "): value for name, value in fields.items()}
        self.http.put(f"/admin/records/{module}/{record}", json=said).raise_for_status()

    def edit(self, record: str, **fields: str) -> None:
        self.http.patch(f"/admin/records/companies/{record}", json=fields).raise_for_status()

    def company(self, record: str) -> dict[str, str]:
        return dict(self.http.get(f"/admin/records/companies/{record}").raise_for_status().json())

    def tickets(self, subject: str) -> list[dict[str, str]]:
        records = self.http.get("/admin/records/tickets").raise_for_status().json()["records"]
        return [ticket for ticket in records if ticket["Subject"] == subject]

    def drop(self, name: str) -> dict[str, Any]:
        """A person exports; the drop once it is read, as operators are told of it."""
        self.http.post("/admin/export", json={"folder": name}).raise_for_status()

        def look() -> dict[str, Any] | None:
            with self.stack.api() as api:
                drops = api.get("ops/drops").raise_for_status().json()["drops"]
            return next((drop for drop in drops if drop["name"] == name and drop["state"] == "read"), None)

        return eventually(f"drop {name} is read", look, 120)

    def imported(self, said: str, *quirks: str) -> dict[str, str]:
        """A person runs the imports until one of them holds a row that says this; the answer to it."""

        def look() -> dict[str, str] | None:
            ran = self.http.post("/admin/import", json={"quirks": list(quirks)}).raise_for_status()
            answers = [answer for rows in ran.json()["files"].values() for answer in rows]
            return next((answer for answer in answers if said in answer.values()), None)

        return eventually(f"an import with {said}", look, 60)


@pytest.fixture
def legrand(stack: Stack) -> Iterator[Desk]:
    with httpx.Client(base_url=stack.part("legrand")["address"], timeout=30) as http:
        yield Desk(stack, http)


def _last(stack: Stack, record: str, source: str) -> dict[str, Any]:
    """The newest message of a record from one side."""
    rows = stack.kept(
        "SELECT message_id, outcome FROM message WHERE record = ? AND source = ? "
        "ORDER BY number DESC LIMIT 1",
        record.replace("-", ""),
        source,
    )
    return rows[0] if rows else {"message_id": "", "outcome": None}


def _until(stack: Stack, record: str, source: str, outcome: str) -> str:
    """The id of the record's newest message from one side, once it has that outcome."""

    def look() -> str | None:
        last = _last(stack, record, source)
        return str(last["message_id"]) if last["outcome"] == outcome else None

    return eventually(f"the last message of {source} is {outcome}", look, 120)


def _company(stack: Stack, legrand: Desk, tag: str) -> str:
    """A company that both sides hold; returns its row."""
    legrand.put("companies", f"CMP{tag}", Company_Name=f"Harbour {tag}", City="Balmain")
    legrand.drop(f"{tag}-0")
    row = eventually("the account", lambda: stack.row_of(f"legrand:company:CMP{tag}", "accounts"), 120)
    _until(stack, row["accountid"], "dataverse", "echo")
    return str(row["accountid"])


def _save(stack: Stack, row: str, **columns: Any) -> None:
    with stack.dataverse() as person:
        person.patch(f"accounts({row})", json=columns).raise_for_status()


def _row(stack: Stack, row: str) -> dict[str, Any]:
    with stack.dataverse() as person:
        return dict(person.get(f"accounts({row})").raise_for_status().json())


def test_an_edit_in_dataverse_arrives_in_legrand_and_the_next_drop_is_an_echo(
    stack: Stack, legrand: Desk, tag: str
) -> None:
    row = _company(stack, legrand, tag)
    _save(stack, row, address1_city="Glebe")
    _until(stack, row, "dataverse", "parked")
    assert legrand.imported(f"CMP{tag}")["Result"] == "Accepted"
    _until(stack, row, "dataverse", "applied")
    held = legrand.company(f"CMP{tag}")
    assert (held["City"], held["Company Name"]) == ("Glebe", f"Harbour {tag}")

    legrand.drop(f"{tag}-1")
    _until(stack, row, "legrand", "echo")
    legrand.edit(f"CMP{tag}", City="Rozelle")
    legrand.drop(f"{tag}-2")
    _until(stack, row, "legrand", "applied")
    assert _row(stack, row)["address1_city"] == "Rozelle"


def test_a_case_made_in_dataverse_becomes_one_ticket_and_operators_see_it_on_its_way(
    stack: Stack, legrand: Desk, tag: str
) -> None:
    row = _company(stack, legrand, tag)
    subject = f"Brakes {tag}"
    with stack.dataverse() as person:
        said = {"title": subject, "customerid_account@odata.bind": f"/accounts({row})", "prioritycode": 1}
        made = person.post("incidents", json=said, headers={"Prefer": "return=representation"})
        case = str(made.raise_for_status().json()["incidentid"])
    message = _until(stack, case, "dataverse", "parked")

    shown = stack.tandem("record", "show", message).stdout
    assert f"waits on legrand:acknowledgement:{case}" in shown
    assert "create in legrand" in shown
    assert "Pending until legrand acknowledges (hours): " in stack.tandem("now").stdout
    answer = legrand.imported(subject)
    _until(stack, case, "dataverse", "applied")
    ticket = answer["Ticket No"]
    assert f"legrand:ticket:{ticket} (paired)" in stack.tandem("record", "show", message).stdout
    assert "legrand: hours, by file" in stack.tandem("record", "show", message).stdout
    assert "acknowledged" in stack.tandem("imports").stdout

    legrand.drop(f"{tag}-1")
    eventually("the ticket's word for its status", lambda: _boardstatus(stack, case), 120)
    (made_there,) = legrand.tickets(subject)
    assert (made_there["Company ID"], made_there["Priority"]) == (f"CMP{tag}", "High")
    with stack.dataverse() as person:
        same = person.get("incidents", params={"$filter": f"title eq '{subject}'"}).raise_for_status().json()
    assert [each["incidentid"] for each in same["value"]] == [case]


def _boardstatus(stack: Stack, case: str) -> str | None:
    with stack.dataverse() as person:
        found = person.get(f"incidents({case})").raise_for_status().json()
    return found["tandem_boardstatus"] or None


def test_edits_on_both_sides_are_merged_and_a_conflict_is_decided_alike(
    stack: Stack, legrand: Desk, tag: str
) -> None:
    row = _company(stack, legrand, tag)
    legrand.edit(f"CMP{tag}", City="Rozelle", Phone="02 5550 1234")
    _save(stack, row, address1_city="Glebe", fax="02 5550 9999")
    _until(stack, row, "dataverse", "parked")
    assert legrand.imported(f"CMP{tag}")["Result"] == "Changed"

    def settled() -> bool | None:
        legrand.http.post("/admin/import").raise_for_status()
        last = _last(stack, row, "dataverse")["outcome"]
        return last in {"applied", "conflict"} or None

    eventually("the edit in Dataverse is decided", settled, 120)
    legrand.drop(f"{tag}-1")

    def alike() -> bool | None:
        there, here = legrand.company(f"CMP{tag}"), _row(stack, row)
        both = (there["City"], there["Phone"], there["Fax"])
        return both == (here["address1_city"], here["telephone1"], here["fax"]) or None

    eventually("both sides are alike", alike, 120)
    held = legrand.company(f"CMP{tag}")
    # Legrand tells the day of its change alone, which counts as the day's end: its city is the newer one.
    assert (held["City"], held["Phone"], held["Fax"]) == ("Rozelle", "02 5550 1234", "02 5550 9999")
    with stack.api() as api:
        (history,) = api.get(f"ops/records/{row}").raise_for_status().json()["records"]
    assert {(one["column"], one["winner"]) for one in history["conflicts"]} == {("address1_city", "legrand")}


def test_a_refused_row_gets_a_ticket_and_goes_again_when_it_is_replayed(
    stack: Stack, legrand: Desk, tag: str
) -> None:
    row = _company(stack, legrand, tag)
    _save(stack, row, address1_city="Glebe")
    message = _until(stack, row, "dataverse", "parked")

    def refused() -> bool | None:
        legrand.http.post("/admin/import", json={"quirks": ["refuses"]}).raise_for_status()
        return _last(stack, row, "dataverse")["outcome"] == "failed" or None

    eventually("the row is refused", refused, 120)
    failure = stack.failure(message)
    assert failure is not None
    assert (failure["code"], failure["answer"]) == ("target.refused", "rule")
    assert stack.tandem("replay", message).returncode == 0
    legrand.imported(f"CMP{tag}")
    _until(stack, row, "dataverse", "applied")
    assert legrand.company(f"CMP{tag}")["City"] == "Glebe"


@pytest.mark.timeout(300)
def test_a_killed_host_and_a_lost_workbook_cost_nothing(stack: Stack, legrand: Desk, tag: str) -> None:
    row = _company(stack, legrand, tag)
    _save(stack, row, address1_city="Glebe")
    _until(stack, row, "dataverse", "parked")
    stack.kill("host")

    def lost() -> bool | None:
        legrand.http.post("/admin/import", json={"quirks": ["loses"]}).raise_for_status()
        files = stack.kept("SELECT times FROM import_file WHERE times > 1")
        return bool(files) or None

    eventually("a lost workbook is written again", lost, 120)
    stack.kill("host")

    def accepted() -> bool | None:
        legrand.http.post("/admin/import").raise_for_status()
        return _last(stack, row, "dataverse")["outcome"] == "applied" or None

    eventually("the edit is agreed on", accepted, 120)
    assert legrand.company(f"CMP{tag}")["City"] == "Glebe"
    writes = stack.kept("SELECT state, times FROM pending_write WHERE record = ?", row.replace("-", ""))
    assert writes == [{"state": "over", "times": 1}]
    assert stack.now()["conserved"]
