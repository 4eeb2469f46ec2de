"""A third system crosses both ways by the folder, the line and the settings of the page alone (E-23)."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

import mappers
from local.broker.server import Broker
from local.crm.declared import declared
from local.crm.rest import application
from local.desk import start as start_desk
from local.loopback.server import LoopbackServer
from shared.core.system import LegacySystem
from shared.settings import InvalidSettings, Settings
from tests.integration.feed.conftest import API_KEY, ENVIRONMENT, ROOT
from tests.integration.feed.test_gaps import looked
from tests.sample_system import built

NOBODY = "http://127.0.0.1:9"


@dataclass
class Acme:
    """A stand-in made from the declaration, its people, and the writes it was sent with their condition."""

    system: LegacySystem
    people: httpx.Client
    writes: list[tuple[str, str, str]] = field(default_factory=list)

    def saves(self, firm: str, **fields: str) -> None:
        """A person saves a firm there."""
        there = self.people.get(f"/firms/{firm}").status_code == 200
        call = self.people.patch if there else self.people.put
        call(f"/firms/{firm}", json=fields).raise_for_status()

    def held(self, firm: str) -> tuple[str, str, str]:
        """A firm's name, town and class there."""
        told = self.people.get(f"/firms/{firm}").raise_for_status().json()
        return told["firm_name"], told["town"], told["class"]

    def listened(self, app: ASGIApp) -> ASGIApp:
        """The stand-in, whose integration's writes are noted."""

        async def heard(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and scope["method"] != "GET":
                headers = {name: value.decode() for name, value in scope["headers"]}
                if b"authorization" in headers:
                    condition = headers.get(b"if-match", "")
                    self.writes.append((scope["method"], scope["path"], condition))
            await app(scope, receive, send)

        return heard


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Acme]:
    folder = tmp_path / "acme"
    folder.mkdir()
    (tmp_path / "acme-key").write_text(API_KEY)
    with built(folder) as system:
        monkeypatch.setattr(mappers, "SYSTEMS", (*mappers.SYSTEMS, system))
        stand_in = application(declared(system), api_key_file=tmp_path / "acme-key")
        made = Acme(system, httpx.Client())
        with LoopbackServer(made.listened(stand_in)) as server:
            made.people = httpx.Client(base_url=server.url)
            yield made
            made.people.close()


def environment(**said: str) -> dict[str, str]:
    return {
        **ENVIRONMENT,
        "ServiceBusConnection": "Endpoint=sb://127.0.0.1:9/;SharedAccessKeyName=nobody;SharedAccessKey=none",
        "ALLEGORY_URL": NOBODY,
        "DATAVERSE_URL": NOBODY,
        "SQL_URL": "sqlite://",
        **said,
    }


@pytest.fixture
def desk() -> Iterator[str]:
    with start_desk() as running:
        yield running.url


@pytest.fixture
def settings(broker: Broker, far_sides: tuple[str, str], tmp_path: Path, acme: Acme, desk: str) -> Settings:
    """Those of every house, and the three that the page adds."""
    return Settings.from_env(
        mappers.SYSTEMS,
        environment(
            ServiceBusConnection=broker.connection_string,
            ALLEGORY_URL=far_sides[0],
            DATAVERSE_URL=far_sides[1],
            SQL_URL=f"sqlite:///{tmp_path / 'tandem.db'}",
            TICKETS_URL=desk,
            ACME_URL=str(acme.people.base_url),
            ACME_KEY_SECRET="acme-api-key",
            ACME_FEED_SCHEDULE="0 */1 * * * *",
        ),
    )


async def row_of(house: Any, firm: str) -> dict[str, Any]:
    row: dict[str, Any] = await house.account(f"acme:firm:{firm}")
    return row


def teams_told(desk: str) -> list[str]:
    return [ticket["team"] for ticket in httpx.get(f"{desk}/tickets").json()["tickets"]]


async def crossed(house: Any, acme: Acme, firm: str) -> dict[str, Any]:
    """A firm that people made in Acme and both sides agree on; its row."""
    acme.saves(firm, firm_name="Nordwind", town="Kiel", **{"class": "B"})
    assert await house.app.feeds["acme"].run() == 1
    arrived = await house.deliver("inbound")
    told = await house.deliver("outbound")
    assert (house.outcomes()[arrived], house.outcomes()[told]) == ("applied", "echo")
    return await row_of(house, firm)


async def test_what_people_do_there_becomes_a_row_and_its_edit_goes_back_under_the_version_read(
    house: Any, acme: Acme
) -> None:
    row = await crossed(house, acme, "F-1")
    assert (row["name"], row["address1_city"], row["tandem_tier"]) == ("Nordwind", "Kiel", 100_000_001)

    await house.person_edits(row["accountid"], name="Nordwind Rotor", tandem_tier=100_000_000)
    acme.saves("F-1", town="Lübeck")
    edit = await house.deliver("outbound")
    assert await house.app.feeds["acme"].run() == 2
    reports = [await house.deliver("inbound") for _ in range(2)]

    assert acme.held("F-1") == ("Nordwind Rotor", "Lübeck", "A")
    assert acme.writes == [("PATCH", "/firms/F-1", '"2"')]
    after = await row_of(house, "F-1")
    assert (after["name"], after["address1_city"]) == ("Nordwind Rotor", "Lübeck")
    assert [house.outcomes()[message] for message in (edit, *reports)] == ["merged", "merged", "echo"]
    assert await house.app.feeds["acme"].run() == 0
    # Allegory, which takes accounts, too, was told of none of this.
    assert (await house.allegory.get("/admin/requests")).json()["counts"] == []


async def test_what_ends_on_one_side_ends_on_the_other(house: Any, acme: Acme) -> None:
    await crossed(house, acme, "F-1")
    other = await crossed(house, acme, "F-2")

    acme.people.delete("/firms/F-1").raise_for_status()
    assert await house.app.feeds["acme"].run() == 1
    await house.deliver("inbound")
    (await house.dataverse.delete(f"/api/data/v9.2/accounts({other['accountid']})")).raise_for_status()
    await house.deliver("outbound")
    await house.deliver("outbound")

    assert await house.accounts("startswith(tandem_sourcekey, 'acme:')") == []
    assert acme.people.get("/firms").json()["records"] == []
    assert acme.writes == [("DELETE", "/firms/F-2", '"1"')]


async def test_what_its_feed_never_told_is_found_and_what_is_refused_of_it_is_its_teams_ticket(
    house: Any, acme: Acme, desk: str
) -> None:
    await crossed(house, acme, "F-1")
    assert await looked(house) == 0
    acme.saves("F-1", town="Lübeck")
    assert await looked(house) == 1
    healed = await house.deliver("inbound")
    assert (await row_of(house, "F-1"))["address1_city"] == "Lübeck"
    await house.deliver("outbound")

    fault = {"status": 400, "code": "0x80040203", "method": "PATCH", "table": "account"}
    (await house.dataverse.post("/admin/faults", json=fault)).raise_for_status()
    acme.saves("F-1", town="Wismar")
    assert await house.app.feeds["acme"].run() == 2
    await house.deliver("inbound")
    refused = await house.deliver("inbound")
    await house.app.alerts.run()

    assert (house.outcomes()[healed], house.outcomes()[refused]) == ("applied", "failed")
    assert teams_told(desk) == ["acme-support"]


def test_a_setting_that_is_missing_is_named(acme: Acme) -> None:
    with pytest.raises(InvalidSettings) as missing:
        Settings.from_env(mappers.SYSTEMS, environment(ACME_KEY_SECRET="acme-api-key"))

    assert str(missing.value) == (
        "ACME_URL is required: Base URL of Acme's REST API; "
        "ACME_FEED_SCHEDULE is required: When Acme's change feed is read (six-field NCRONTAB)"
    )


def test_a_schedule_of_a_feed_that_no_system_has_is_named() -> None:
    with pytest.raises(InvalidSettings) as strange:
        Settings.from_env(mappers.SYSTEMS, environment(ACNE_FEED_SCHEDULE="0 */1 * * * *"))

    assert str(strange.value) == "ACNE_FEED_SCHEDULE is set, and no system acne has a change feed"


def test_its_schedule_makes_its_timer() -> None:
    program = (
        "from function_app import app; "
        "print([f.get_raw_bindings() for f in app.get_functions() if f.get_function_name() == 'acme_feed'])"
    )
    said = {"PATH": os.environ["PATH"], "ACME_FEED_SCHEDULE": "0 */1 * * * *"}
    listed = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=said, capture_output=True, text=True, check=True
    ).stdout

    assert listed.count("%ACME_FEED_SCHEDULE%") == 1
