"""The small export of each system, dirty as it is, goes through its drop; Dataverse is as it is written down.

What is expected stands in `tests/data/expected`: the outcome of every record of every object, and every row
with all its values, as a person works them out from the export and knows nothing of the maps.
"""

import csv
import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from mappers import SYSTEMS
from shared.core.system import LegacySystem
from tests.acceptance.conftest import Stack, envelope, eventually, running_stack, session_of
from tests.acceptance.dropped_exports import drop, fates, settled, writes
from tests.acceptance.said_rows import KEYS, plain
from tests.data.exports import build

EXPECTED = Path(__file__).parents[1] / "data" / "expected"
BUILD = {"allegory": build.allegory, "legrand": build.legrand}
RING = ("company:C-70003", "company:C-70004")
"""Two companies of Allegory that are each other's parents."""

DEFINED: Sequence[Mapping[str, str]] = (
    {
        "Module": "Companies",
        "Field": "Contract Signed (custom)",
        "Label": "Contract signed",
        "Type": "Checkbox",
        "Required": "No",
    },
    {
        "Module": "Companies",
        "Field": "Company Type",
        "Type": "Dropdown",
        "Options": "Customer\nPartner",
    },
    {
        "Module": "Companies",
        "Field": "Bike Brands Stocked (custom)",
        "Type": "Text",
        "Max Length": "200",
    },
)
"""Definitions of Legrand's custom fields."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of its own: nothing else is in its drops."""
    with running_stack(tmp_path_factory.mktemp("own")) as running:
        with running.dataverse() as client:
            for user in json.loads(build.USERS.read_text("utf-8"))["value"]:
                first, _, last = user["fullname"].partition(" ")
                told = {name: user[name] for name in ("internalemailaddress", "domainname", "isdisabled")}
                body = {**told, "firstname": first, "lastname": last}
                client.patch(f"systemusers({user['systemuserid']})", json=body).raise_for_status()
            price_list(client, "USD")
        yield running


def price_list(client: httpx.Client, code: str) -> None:
    """A price list for what Allegory sells in a currency, named as the map looks it up."""
    asked = {"$filter": f"isocurrencycode eq '{code}'"}
    (money,) = client.get("transactioncurrencies", params=asked).raise_for_status().json()["value"]
    about = f"transactioncurrencies({money['transactioncurrencyid']})"
    body = {"name": f"Allegory {code}", "transactioncurrencyid@odata.bind": about}
    client.post("pricelevels", json=body).raise_for_status()


@pytest.fixture(scope="module")
def fed(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both exports, dropped once."""
    root = tmp_path_factory.mktemp("exports")
    for system, make in BUILD.items():
        make(root / system)
        drop(stack, system, root / system, "first")
    # Legrand's export does not list its custom fields; whoever keeps the list sends it.
    for data in DEFINED:
        key = f"{data['Module']}/{data['Field']}"
        body = envelope("custom_field", key, dict(data), source="legrand", changedOn="2018-01-02T06:00:00Z")
        stack.send("inbound", body, session=session_of(body))
    settled(stack)
    return root


@pytest.fixture(scope="module")
def rows(stack: Stack, fed: Path) -> dict[str, tuple[str, dict[str, Any]]]:
    """Every row of a record by the record's key: its table, and what was said in it."""
    assert fed.is_dir()
    with stack.dataverse() as client:
        held = {
            table: client.get(table).raise_for_status().json()["value"] for table in (*KEYS, "systemusers")
        }
        money = client.get("transactioncurrencies").raise_for_status().json()["value"]
        lists = client.get("pricelevels").raise_for_status().json()["value"]
    names = {row["transactioncurrencyid"]: row["isocurrencycode"] for row in money}
    names |= {row["pricelevelid"]: row["name"] for row in lists}
    names |= {user["systemuserid"]: user["internalemailaddress"] for user in held.pop("systemusers")}
    for table, found in held.items():
        names |= {row[KEYS[table]]: row.get("tandem_sourcekey") or "the placeholder" for row in found}
    return {
        row["tandem_sourcekey"]: (table, plain(table, row, names))
        for table, found in held.items()
        for row in found
        if row.get("tandem_sourcekey")
    }


def expected(what: str) -> Any:
    return json.loads((EXPECTED / f"{what}.json").read_text("utf-8"))


@pytest.mark.parametrize("system", BUILD)
def test_every_record_has_the_outcome_that_is_expected_of_it(stack: Stack, fed: Path, system: str) -> None:
    assert fed.is_dir()

    found = fates(stack, system)

    assert {key: fate for key, fate in found.items() if key not in RING} == expected(f"{system}_outcomes")
    assert stack.now()["conserved"]


@pytest.mark.parametrize("system", BUILD)
def test_dataverse_holds_what_is_expected_and_nothing_else(
    rows: dict[str, tuple[str, dict[str, Any]]], system: str
) -> None:
    wanted = {key: (one["table"], one["row"]) for key, one in expected(f"{system}_rows").items()}
    ring = {f"allegory:{key}" for key in RING}
    found = {key: row for key, row in rows.items() if key.startswith(f"{system}:") and key not in ring}

    assert found.keys() == wanted.keys()
    for key, row in wanted.items():
        assert found[key] == row, key


def test_whoever_a_campaign_is_meant_for_is_in_its_list_for_that_kind_of_person(
    stack: Stack, fed: Path
) -> None:
    assert fed.is_dir()
    people = {"contacts": "contact:CON70001", "leads": "lead:LD70001"}
    held = {kind: stack.row_of(f"legrand:{key}", kind) or {} for kind, key in people.items()}
    campaign = stack.row_of("legrand:campaign:CAM701", "campaigns") or {}

    with stack.dataverse() as client:
        rows = client.get("listmembers").raise_for_status().json()["value"]
        under = client.get(f"campaigns({campaign['campaignid']})/campaignlist_association").json()["value"]
    names = {one["listid"]: one["listname"] for one in under}

    assert {(names[row["_listid_value"]], row["_entityid_value"]) for row in rows} == {
        ("Autumn bells (contacts)", held["contacts"]["contactid"]),
        ("Autumn bells (leads)", held["leads"]["leadid"]),
    }


def test_of_a_ring_all_is_written_but_the_link_that_closes_it(
    stack: Stack, rows: dict[str, tuple[str, dict[str, Any]]]
) -> None:
    """Dataverse takes no account above itself. Which link is the last is a matter of who comes first."""
    found = fates(stack, "allegory")
    open_end = next(key for key in RING if found[key] != "applied")
    closed = next(key for key in RING if key != open_end)

    assert (found[open_end], found[closed]) == ("failed target.refused", "applied")
    assert "parentaccountid" not in rows[f"allegory:{open_end}"][1]
    assert rows[f"allegory:{closed}"][1]["parentaccountid"] == f"allegory:{open_end}"
    assert [rows[f"allegory:{key}"][1]["name"] for key in RING] == ["Kreis Eins", "Kreis Zwei"]


NOT_IN_A_ROW = frozenset(
    """
    overriddencreatedon appointment_activity_parties email_activity_parties phonecall_activity_parties
    """.split()  # noqa: SIM905  # shorter to read
)
"""Columns that show elsewhere: as createdon, and in rows of their own that are looked at below."""

NOT_EXPORTED = {(entity, "tandem_legacymodifiedon") for entity in ("email", "call", "meeting", "attachment")}
"""Columns of what Allegory tells over REST alone."""


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.name)
def test_every_column_of_every_object_is_in_a_row_that_is_expected(system: LegacySystem) -> None:
    rows: Mapping[str, Any] = expected(f"{system.name}_rows")
    held: dict[str, set[str]] = {entry.entity: set() for entry in system.maps}
    for key, one in rows.items():
        held[key.split(":")[1]] |= one["row"].keys()

    missing = {
        (entry.entity, line.column.name)
        for entry in system.maps
        for line in entry.fields
        if line.column.name not in held[entry.entity] | NOT_IN_A_ROW
    }

    assert missing == (NOT_EXPORTED if system.name == "allegory" else set())


def test_whoever_took_part_is_found_or_kept_as_an_address(stack: Stack, fed: Path) -> None:
    assert fed.is_dir()
    with stack.dataverse() as client:

        def parties(table: str, key: str) -> list[tuple[int, str]]:
            row = stack.row_of(key, f"{table}s")
            assert row is not None
            path = f"{table}s({row['activityid']})/{table}_activity_parties"
            found = client.get(path).raise_for_status().json()["value"]
            return sorted(
                (one["participationtypemask"], one["_partyid_value"] or one["addressused"]) for one in found
            )

        users = {user["fullname"]: user["systemuserid"] for user in client.get("systemusers").json()["value"]}
        roberta = (stack.row_of("allegory:contact:P-70001", "contacts") or {})["contactid"]
        mara = (stack.row_of("legrand:contact:CON70001", "contacts") or {})["contactid"]
        assert parties("email", "allegory:email:E-70001") == [
            (1, users["Anna Berg"]),
            (2, roberta),
            (3, "nobody@unknown.example"),
        ]
        assert parties("phonecall", "legrand:call:ACT-070002.txt") == [(1, mara), (2, users["Bo Lind"])]
        met = stack.row_of("allegory:meeting:M-70001", "appointments") or {}
        assert met["tandem_unresolved"] == "required Bob from Acme"


def test_a_second_time_nothing_is_told_and_nothing_is_written(stack: Stack, fed: Path) -> None:
    before = writes(stack)

    for system in BUILD:
        again = drop(stack, system, fed / system, "second")
        assert (
            sum(module["created"] + module["updated"] + module["deleted"] for module in again["modules"]) == 0
        )

    assert writes(stack) == before


def test_said_once_more_over_the_bus_it_is_an_echo_and_nothing_is_written(stack: Stack, fed: Path) -> None:
    assert fed.is_dir()
    done = [
        message
        for message in stack.kept("SELECT * FROM message WHERE queue = 'inbound' AND outcome = 'applied'")
        if message["source"] in BUILD
    ]
    before = writes(stack)

    again = []
    for message in done:
        body = json.loads(message["body"])
        later = {**body, "changedOn": "2018-01-02T12:00:00Z", "version": None}
        again.append((f"again-{message['number']}", message["session_id"], later))
    stack.send_all("inbound", again)
    fate = Counter(
        stack.outcome(key, "echo", "applied", "merged", "rejected")["outcome"] for key, _, _ in again
    )
    settled(stack)

    assert (fate, writes(stack)) == ({"echo": len(done)}, before)


def test_the_tags_of_a_record_and_of_the_list_are_together_on_both_sides(stack: Stack, fed: Path) -> None:
    """What the list of tags adds is no word of Allegory's record, so it goes back there, too."""
    with (fed / "allegory" / "deals.csv").open(encoding="utf-8", newline="") as lines:
        record = next(one for one in csv.DictReader(lines) if one["deal_id"] == "D7000001")
    row = stack.row_of("allegory:deal:D7000001", "opportunities") or {}
    assert (record["tags"], row["tandem_tags"]) == ("", "renewal")
    with stack.allegory() as crm:
        # Until here there was an export alone; the interface knows the record from now on.
        crm.put("/deals/D7000001", json=record).raise_for_status()
        held = (
            "SELECT message_id FROM message WHERE queue = 'outbound' AND outcome = 'failed' AND source_id = ?"
        )
        for message in stack.kept(held, row["opportunityid"]):
            stack.tandem("replay", message["message_id"])
        settled(stack)

        after = crm.get("/deals/D7000001").raise_for_status().json()
    assert after == {**record, "tags": "renewal", "updated_at": after["updated_at"]}
    assert (stack.row_of("allegory:deal:D7000001", "opportunities") or {})["tandem_tags"] == "renewal"


def test_an_edit_on_either_side_crosses_afterwards(stack: Stack, fed: Path, tmp_path: Path) -> None:
    # In Legrand: its next export says so.
    def move(name: str, facts: build.Facts) -> None:
        if name == "Companies":
            facts["Companies"]["rows"][0] |= {"City": "Glebe", "Modified Date": {"day": "2018-01-03"}}

    build.legrand(tmp_path / "legrand", move, exported="03/01/2018 17:00")
    drop(stack, "legrand", tmp_path / "legrand", "third")
    moved = stack.row_of("legrand:company:CMP70001", "accounts") or {}
    assert moved["address1_city"] == "Glebe"

    # In Allegory: its next export, too.
    shutil.copytree(fed / "allegory", tmp_path / "allegory")
    companies = tmp_path / "allegory" / "companies.csv"
    text = (
        companies.read_text("utf-8")
        .replace("New Bolz", "Old Bolz")
        .replace("2017-03-14T17:49:52Z", "2018-01-03T00:00:00Z")
    )
    companies.write_text(text, "utf-8")
    build.manifest(tmp_path / "allegory", exported="2018-01-03T06:00:00Z")
    drop(stack, "allegory", tmp_path / "allegory", "third")
    row = stack.row_of("allegory:company:C-70006", "accounts") or {}
    assert row["address1_city"] == "Old Bolz"

    # In Dataverse: Allegory's record, which its own people keep, follows.
    with (fed / "allegory" / "companies.csv").open(encoding="utf-8", newline="") as lines:
        record = next(one for one in csv.DictReader(lines) if one["company_id"] == "C-70006")
    with stack.allegory() as crm, stack.dataverse() as client:
        crm.put("/companies/C-70006", json={**record, "city": "Old Bolz"}).raise_for_status()
        settled(stack)
        client.patch(
            f"accounts({row['accountid']})", json={"telephone1": "+49 431 555 0199"}
        ).raise_for_status()
        eventually(
            "the number in Allegory",
            lambda: crm.get("/companies/C-70006").json()["phone"] == "+49 431 555 0199" or None,
        )


def test_a_row_made_in_dataverse_becomes_the_record_that_is_expected(stack: Stack, fed: Path) -> None:
    """Every column that goes out, of each object that Allegory takes."""
    assert fed.is_dir()
    rows: dict[str, str] = {}
    records: dict[str, str] = {}
    with stack.dataverse() as client, stack.allegory() as crm:
        for money in client.get("transactioncurrencies").raise_for_status().json()["value"]:
            rows[money["isocurrencycode"]] = f"transactioncurrencies({money['transactioncurrencyid']})"
        for one in expected("allegory_outwards"):
            body = {name: _filled(value, rows) for name, value in one["row"].items()}
            made = client.post(one["table"], json=body).raise_for_status().headers["OData-EntityId"]
            rows[one["table"]] = made.rpartition("/")[2]
            records[one["table"]] = paired(stack, made.rpartition("(")[2].rstrip(")"))
            settled(stack)

            record = crm.get(f"/{one['collection']}/{records[one['table']]}").raise_for_status().json()
            wanted = {name: _filled(value, records) for name, value in one["record"].items()}
            mine = {name: value for name, value in record.items() if name not in BY_ALLEGORY}
            assert mine == {one["key"]: records[one["table"]], **wanted}


BY_ALLEGORY = frozenset({"created_at", "updated_at", "cf_dataverse_id"})
"""What Allegory fills in, and where it keeps the row's id."""


def _filled(value: Any, names: Mapping[str, str]) -> Any:
    return names.get(value[1:-1], value) if isinstance(value, str) and value.startswith("{") else value


def paired(stack: Stack, row_id: str) -> str:
    """The id that Allegory gave to what was made for a row."""

    def look() -> str | None:
        told = stack.tandem("record", "show", row_id, "--json")
        if told.returncode:
            return None
        keys = [key for record in json.loads(told.stdout)["records"] for key in record["crosswalk"]]
        return next((key["key"].rpartition(":")[2] for key in keys if key["state"] == "paired"), None)

    return eventually(f"a record of {row_id}", look)
