"""What the outbound side may rely on when it writes to a legacy system over REST."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from local.crm.rest import start
from local.crm.systems import SYSTEMS
from local.loopback.server import LoopbackServer
from shared.connectors.credentials.secret import FixedSecret, Held, KeptSecret
from shared.connectors.legacy.rest import RestRecords
from shared.connectors.memory.clock import SettableClock
from shared.connectors.memory.legacy import MemoryRecords
from shared.connectors.web.client import WebClient
from shared.core.codes import Code
from shared.core.errors import Gone, MovedOn, Refused, Throttled, Unavailable
from shared.core.mapping.columns import Table
from shared.core.mapping.spec import EntityMap
from shared.core.ports import LegacyRecords
from shared.core.rest import Rest
from shared.core.system import LegacySystem
from tests.contract.connectors.other_words import BOREALIS, SIMULATED

ACCOUNT = Table("account", "accounts", "accountid", {})
ALLEGORY = LegacySystem(
    "allegory", (EntityMap("company", ACCOUNT, "company_id", ()),), Rest({"company": "companies"})
)
KEY = "the-integrations-key"


@dataclass
class Crm:
    """The simulator with a client of ours in front of it."""

    server: LoopbackServer
    key_file: Path
    records: RestRecords

    def arm(self, **fault: object) -> None:
        httpx.post(f"{self.server.url}/admin/faults", json=fault).raise_for_status()

    def ids(self) -> list[str]:
        records = httpx.get(f"{self.server.url}/companies").json()["records"]
        return [record["company_id"] for record in records]

    def requests(self) -> list[dict[str, object]]:
        listed: list[dict[str, object]] = httpx.get(f"{self.server.url}/admin/requests").json()["requests"]
        return listed


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[LoopbackServer, Path]]:
    key_file = tmp_path / "key"
    key_file.write_text(KEY)
    with start(SYSTEMS["allegory"], api_key_file=key_file) as running:
        yield running, key_file


@pytest.fixture
async def crm(server: tuple[LoopbackServer, Path]) -> AsyncIterator[Crm]:
    running, key_file = server
    client = WebClient("Allegory", running.url, FixedSecret(KEY), timeout=timedelta(seconds=2))
    yield Crm(running, key_file, RestRecords(ALLEGORY, client))
    await client.aclose()


@pytest.fixture(params=["memory", "rest", "rest in other words"])
async def records(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[LegacyRecords]:
    if request.param == "memory":
        yield MemoryRecords(ALLEGORY, SettableClock(datetime.now(UTC)))
        return
    key_file = tmp_path / "key"
    key_file.write_text(KEY)
    declared, simulated = ALLEGORY, SYSTEMS["allegory"]
    if request.param == "rest in other words":
        declared, simulated = replace(BOREALIS, name="allegory"), SIMULATED
    with start(simulated, api_key_file=key_file) as running:
        client = WebClient("Allegory", running.url, FixedSecret(KEY), timeout=timedelta(seconds=60))
        yield RestRecords(declared, client)
        await client.aclose()


async def test_a_created_record_is_read_back_with_its_id_and_version(records: LegacyRecords) -> None:
    made = await records.create("company", {"name": "Nordwind", "city": ""}, "m-1")

    assert made.id
    assert made.version
    assert (made.fields["company_id"], made.fields["name"], made.fields["city"]) == (made.id, "Nordwind", "")
    assert abs(made.changed_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert await records.read("company", made.id) == made


async def test_the_same_idempotency_key_gives_the_same_record(records: LegacyRecords) -> None:
    first = await records.create("company", {"name": "Nordwind"}, "m-1")
    again = await records.create("company", {"name": "Nordwind"}, "m-1")
    other = await records.create("company", {"name": "Nordwind"}, "m-2")

    assert again == first
    assert other.id != first.id


async def test_an_update_at_the_version_seen_writes_its_fields_alone(records: LegacyRecords) -> None:
    made = await records.create("company", {"name": "Nordwind", "city": "Kiel"}, "m-1")

    after = await records.update("company", made.id, {"city": "Lübeck"}, made.version)

    assert (after.fields["name"], after.fields["city"]) == ("Nordwind", "Lübeck")
    assert after.version != made.version
    assert await records.read("company", made.id) == after


async def test_an_update_at_an_older_version_says_that_the_record_moved_on(records: LegacyRecords) -> None:
    made = await records.create("company", {"name": "Nordwind"}, "m-1")
    await records.update("company", made.id, {"name": "Nordwind GmbH"}, made.version)

    with pytest.raises(MovedOn):
        await records.update("company", made.id, {"name": "Südwind"}, made.version)

    after = await records.read("company", made.id)
    assert after is not None
    assert after.fields["name"] == "Nordwind GmbH"


async def test_a_deleted_record_is_gone_for_readers_and_writers_and_deleting_again_is_fine(
    records: LegacyRecords,
) -> None:
    made = await records.create("company", {"name": "Nordwind"}, "m-1")

    await records.delete("company", made.id, made.version)
    await records.delete("company", made.id, made.version)

    assert await records.read("company", made.id) is None
    with pytest.raises(Gone):
        await records.update("company", made.id, {"name": "Südwind"}, made.version)
    with pytest.raises(Gone):
        await records.create("company", {"name": "Nordwind"}, "m-1")


async def test_a_record_that_was_edited_meanwhile_is_not_deleted(records: LegacyRecords) -> None:
    made = await records.create("company", {"name": "Nordwind"}, "m-1")
    edited = await records.update("company", made.id, {"name": "Südwind"}, made.version)

    with pytest.raises(MovedOn):
        await records.delete("company", made.id, made.version)

    assert await records.read("company", made.id) == edited


async def test_a_merged_record_is_gone_its_heir_has_what_it_lacked_and_merging_so_again_is_fine(
    records: LegacyRecords,
) -> None:
    heir = await records.create("company", {"name": "Nordwind", "city": ""}, "m-1")
    loser = await records.create("company", {"name": "Nordwind GmbH", "city": "Kiel"}, "m-2")

    await records.merge("company", heir.id, loser.id)
    held = await records.read("company", heir.id)
    await records.merge("company", heir.id, loser.id)

    assert held is not None
    assert (held.fields["name"], held.fields["city"]) == ("Nordwind", "Kiel")
    assert await records.read("company", heir.id) == held
    assert await records.read("company", loser.id) is None


async def test_what_named_the_merged_record_names_its_heir(records: LegacyRecords) -> None:
    heir = await records.create("company", {"name": "Nordwind"}, "m-1")
    loser = await records.create("company", {"name": "Nordwind GmbH"}, "m-2")
    branch = await records.create("company", {"name": "Branch", "parent_company_id": loser.id}, "m-3")

    await records.merge("company", heir.id, loser.id)

    after = await records.read("company", branch.id)
    assert after is not None
    assert (after.fields["parent_company_id"], after.version == branch.version) == (heir.id, False)


async def test_a_record_that_is_not_there_cannot_be_merged(records: LegacyRecords) -> None:
    heir = await records.create("company", {"name": "Nordwind"}, "m-1")

    with pytest.raises(Gone):
        await records.merge("company", heir.id, "C-404")

    assert await records.read("company", heir.id) == heir


async def test_an_entity_the_system_does_not_declare_is_refused(records: LegacyRecords) -> None:
    with pytest.raises(Refused) as refused:
        await records.read("invoice", "I-1")

    assert (refused.value.answer, refused.value.rule) == (
        "no_collection",
        "allegory takes no invoice over REST",
    )


async def test_an_id_with_odd_characters_addresses_its_own_record_only(records: LegacyRecords) -> None:
    assert await records.read("company", "a/b?c=#1 é") is None


@pytest.mark.parametrize("record_id", ["", ".", ".."])
async def test_an_id_that_a_url_would_take_for_a_folder_is_refused(crm: Crm, record_id: str) -> None:
    with pytest.raises(Refused) as refused:
        await crm.records.delete("company", record_id, '"1"')

    assert refused.value.answer == "bad_id"
    assert crm.requests() == []


async def test_a_field_the_system_does_not_take_is_named_and_its_value_is_not(crm: Crm) -> None:
    with pytest.raises(Refused) as refused:
        await crm.records.create("company", {"name": "Nordwind", "shoe_size": "Secret 44"}, "m-1")

    assert (refused.value.code, refused.value.answer, refused.value.field) == (
        Code.TARGET_REFUSED,
        "422",
        "shoe_size",
    )
    assert "Secret" not in str(refused.value)


async def test_a_throttled_call_names_the_time_to_come_back_and_the_next_call_waits(crm: Crm) -> None:
    crm.arm(kind="status", status=429, retry_after=0.3)

    with pytest.raises(Throttled) as throttled:
        await crm.records.read("company", "C-1")
    started = asyncio.get_running_loop().time()
    await crm.records.read("company", "C-1")

    assert throttled.value.retry_after == timedelta(seconds=0.3)
    assert asyncio.get_running_loop().time() - started >= 0.25


async def test_a_long_pause_is_not_sat_out(crm: Crm) -> None:
    crm.arm(kind="status", status=429, retry_after=60)

    for _ in range(2):
        with pytest.raises(Throttled) as throttled:
            await crm.records.read("company", "C-1")

    assert throttled.value.retry_after is not None
    assert timedelta(seconds=50) < throttled.value.retry_after <= timedelta(seconds=60)
    assert len(crm.requests()) == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 503},
        {"kind": "status", "status": 500},
        {"kind": "hang", "seconds": 0.1},
        {"kind": "slow", "seconds": 2.5},
    ],
)
async def test_a_bad_day_of_the_system_is_unavailable_and_passes(crm: Crm, fault: dict[str, object]) -> None:
    crm.arm(**fault)

    with pytest.raises(Unavailable):
        await crm.records.read("company", "C-1")

    assert await crm.records.read("company", "C-1") is None


async def test_a_create_whose_answer_was_lost_meets_its_own_record(crm: Crm) -> None:
    crm.arm(kind="lost_answer", method="POST")

    with pytest.raises(Unavailable):
        await crm.records.create("company", {"name": "Nordwind"}, "m-1")
    made = await crm.records.create("company", {"name": "Nordwind"}, "m-1")

    assert crm.ids() == [made.id]


async def test_a_rotated_key_is_used_from_the_next_call_on_without_a_restart(
    server: tuple[LoopbackServer, Path],
) -> None:
    running, key_file = server
    vault = {"key": KEY}
    fetched: list[bool] = []

    def fetch(renew: bool) -> Held:  # noqa: FBT001  # the signature of KeptSecret's source
        fetched.append(renew)
        return Held(vault["key"], datetime.max.replace(tzinfo=UTC))

    client = WebClient("Allegory", running.url, KeptSecret(SettableClock(), fetch))
    records = RestRecords(ALLEGORY, client)
    made = await records.create("company", {"name": "Nordwind"}, "m-1")

    vault["key"] = "rotated"
    key_file.write_text("rotated")
    answers = await asyncio.gather(*(records.read("company", made.id) for _ in range(8)))

    assert answers == [made] * 8
    assert fetched == [False, True]
    await client.aclose()


async def test_a_key_that_stays_wrong_is_renewed_once_and_then_refused(crm: Crm) -> None:
    crm.key_file.write_text("rotated, and the vault was not told")

    with pytest.raises(Refused) as refused:
        await crm.records.read("company", "C-1")

    assert (refused.value.code, refused.value.answer) == (Code.TARGET_UNAUTHORISED, "401")
    assert len(crm.requests()) == 2
    assert KEY not in str(refused.value)
