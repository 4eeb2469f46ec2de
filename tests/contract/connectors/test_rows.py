"""What both directions may rely on when they read and write Dataverse rows."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import uuid4

import httpx
import pytest

from mappers.dataverse import account, contact
from shared.connectors.credentials.secret import FixedSecret
from shared.connectors.dataverse.rows import API, DataverseRows
from shared.connectors.web.client import WebClient
from shared.core.codes import Code
from shared.core.errors import Gone, MovedOn, Refused
from shared.core.mapping.columns import Option, Value
from shared.core.mapping.references import RowRef

if TYPE_CHECKING:
    from tests.contract.connectors.conftest import Organisation, SimulatedOrganisation

ACCOUNT, CONTACT = account.TABLE, contact.TABLE

VALUES: dict[str, Value] = {
    "name": "Nordwind Räder & Co",
    "numberofemployees": 12,
    "revenue": Decimal("12345678901.25"),
    "customertypecode": Option(3),
    "tandem_tier": Option(100_000_001),
    "tandem_legacymodifiedon": datetime(2025, 12, 31, 23, 59, 58, tzinfo=UTC),
    "tandem_sourcekey": "allegory:company:C-1",
    "telephone1": None,
}


async def test_a_created_row_is_read_back_as_it_was_written(organisation: Organisation) -> None:
    row_id = uuid4()

    made = await organisation.rows.create(ACCOUNT, row_id, VALUES)
    row = await organisation.rows.read(ACCOUNT, row_id)

    assert row is not None
    assert {name: row.values[name] for name in VALUES} == VALUES
    assert row.values["parentaccountid"] is None
    assert "overriddencreatedon" not in row.values
    assert (row.version, row.modified_at) == (made.version, made.modified_at)
    assert made.values == {}
    assert abs(made.modified_at - datetime.now(UTC)) < timedelta(minutes=1)


async def test_a_row_that_is_not_there_reads_as_none(organisation: Organisation) -> None:
    assert await organisation.rows.read(ACCOUNT, uuid4()) is None


async def test_a_second_create_says_that_the_row_is_there_and_changes_nothing(
    organisation: Organisation,
) -> None:
    row_id = uuid4()
    made = await organisation.rows.create(ACCOUNT, row_id, {"name": "First"})

    with pytest.raises(MovedOn):
        await organisation.rows.create(ACCOUNT, row_id, {"name": "Second"})

    row = await organisation.rows.read(ACCOUNT, row_id)
    assert row is not None
    assert (row.values["name"], row.version) == ("First", made.version)


async def test_an_update_at_the_version_seen_writes_its_columns_alone(organisation: Organisation) -> None:
    row_id = uuid4()
    made = await organisation.rows.create(ACCOUNT, row_id, VALUES)

    after = await organisation.rows.update(
        ACCOUNT, row_id, {"name": "Nordwind", "revenue": None}, made.version
    )
    row = await organisation.rows.read(ACCOUNT, row_id)

    assert row is not None
    assert row.version == after.version != made.version
    assert {name: row.values[name] for name in VALUES} == VALUES | {"name": "Nordwind", "revenue": None}


async def test_an_update_loses_against_a_person_who_was_faster(organisation: Organisation) -> None:
    row_id = uuid4()
    made = await organisation.rows.create(ACCOUNT, row_id, {"name": "Ours"})
    await organisation.person_sets(ACCOUNT, row_id, "telephone1", "+49 1")

    with pytest.raises(MovedOn):
        await organisation.rows.update(ACCOUNT, row_id, {"name": "Ours, later"}, made.version)
    with pytest.raises(MovedOn):
        await organisation.rows.delete(ACCOUNT, row_id, made.version)

    row = await organisation.rows.read(ACCOUNT, row_id)
    assert row is not None
    assert (row.values["name"], row.values["telephone1"]) == ("Ours", "+49 1")


async def test_a_row_deleted_meanwhile_is_gone_and_deleting_it_again_is_fine(
    organisation: Organisation,
) -> None:
    row_id = uuid4()
    made = await organisation.rows.create(ACCOUNT, row_id, {"name": "Ours"})
    await organisation.person_deletes(ACCOUNT, row_id)

    with pytest.raises(Gone):
        await organisation.rows.update(ACCOUNT, row_id, {"name": "Ours, later"}, made.version)
    await organisation.rows.delete(ACCOUNT, row_id, made.version)

    assert await organisation.rows.read(ACCOUNT, row_id) is None


async def test_a_row_is_deleted_at_the_version_seen(organisation: Organisation) -> None:
    row_id = uuid4()
    made = await organisation.rows.create(ACCOUNT, row_id, {"name": "Ours"})

    await organisation.rows.delete(ACCOUNT, row_id, made.version)

    assert await organisation.rows.read(ACCOUNT, row_id) is None


async def test_lookups_of_every_kind_are_set_read_and_cleared(organisation: Organisation) -> None:
    parent, child, person = uuid4(), uuid4(), uuid4()
    await organisation.rows.create(ACCOUNT, parent, {"name": "Parent"})
    made = await organisation.rows.create(
        ACCOUNT, child, {"name": "Child", "parentaccountid": RowRef("account", parent)}
    )
    owner = await organisation.user("owner@contoso.example")
    await organisation.rows.create(
        CONTACT,
        person,
        {
            "lastname": "Person",
            "parentcustomerid": RowRef("account", child),
            "ownerid": RowRef("systemuser", owner),
        },
    )

    at_work = await organisation.rows.read(CONTACT, person)
    await organisation.rows.update(ACCOUNT, child, {"parentaccountid": None}, made.version)
    alone = await organisation.rows.read(ACCOUNT, child)

    assert at_work is not None
    assert at_work.values["parentcustomerid"] == RowRef("account", child)
    assert at_work.values["ownerid"] == RowRef("systemuser", owner)
    assert alone is not None
    assert alone.values["parentaccountid"] is None


async def test_a_lookup_to_a_row_that_does_not_exist_names_its_column(organisation: Organisation) -> None:
    row_id, nowhere = uuid4(), RowRef("account", uuid4())

    with pytest.raises(Refused) as creating:
        await organisation.rows.create(ACCOUNT, row_id, {"name": "Child", "parentaccountid": nowhere})
    made = await organisation.rows.create(ACCOUNT, row_id, {"name": "Child"})
    with pytest.raises(Refused) as updating:
        await organisation.rows.update(ACCOUNT, row_id, {"parentaccountid": nowhere}, made.version)

    for refused in (creating.value, updating.value):
        assert (refused.code, refused.field, refused.answer) == (
            Code.VALUE_UNKNOWN_REFERENCE,
            "parentaccountid",
            "0x80040217",
        )


async def test_a_value_the_column_does_not_take_is_refused_by_column_and_not_quoted(
    simulated: SimulatedOrganisation,
) -> None:
    with pytest.raises(Refused) as refused:
        await simulated.rows.create(ACCOUNT, uuid4(), {"name": "Secret" * 100})

    assert (refused.value.answer, refused.value.field, refused.value.rule) == (
        "0x80044331",
        "name",
        "Dataverse answered 0x80044331: a text is too long",
    )
    assert "Secret" not in str(refused.value)


async def test_another_rows_key_is_refused(organisation: Organisation) -> None:
    await organisation.rows.create(ACCOUNT, uuid4(), {"name": "First", "tandem_sourcekey": "k-1"})

    with pytest.raises(Refused) as refused:
        await organisation.rows.create(ACCOUNT, uuid4(), {"name": "Second", "tandem_sourcekey": "k-1"})

    assert refused.value.answer == "0x80060892"


async def test_an_original_creation_time_can_be_given_on_create(simulated: SimulatedOrganisation) -> None:
    row_id, created = uuid4(), datetime(2019, 5, 6, 7, 8, 9, tzinfo=UTC)

    await simulated.rows.create(ACCOUNT, row_id, {"name": "Old", "overriddencreatedon": created})

    row = (await simulated.person.get(f"accounts({row_id})")).json()
    assert row["createdon"] == "2019-05-06T07:08:09Z"


async def test_writes_ask_for_the_new_version_back_and_carry_the_messages_tag(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[tuple[str, str]] = []
    row = {"accountid": str(uuid4()), "modifiedon": "2026-01-31T10:11:12Z", "@odata.etag": 'W/"7"'}

    class Recorder(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            seen.append((request.method, str(request.url.params)))
            return httpx.Response(200, content=json.dumps(row), headers={"ETag": 'W/"7"'})

    url = f"http://127.0.0.1:1/{API}"
    client = WebClient("Dataverse", url, FixedSecret("t"))
    recorded = httpx.AsyncClient(base_url=url, transport=Recorder())
    monkeypatch.setattr(client, "_open", lambda: recorded)
    rows = DataverseRows(client, tag=lambda: "m-1")
    made = await rows.create(ACCOUNT, uuid4(), {"name": "A"})
    await rows.update(ACCOUNT, uuid4(), {"name": "A"}, made.version)

    assert (made.version, made.modified_at) == ('W/"7"', datetime(2026, 1, 31, 10, 11, 12, tzinfo=UTC))
    query = str(httpx.QueryParams({"$select": "accountid,modifiedon", "tag": "tandem:m-1"}))
    assert seen == [("PATCH", query), ("PATCH", query)]
    await client.aclose()


async def test_a_row_merged_into_another_one_is_put_aside_and_points_at_it(
    organisation: Organisation,
) -> None:
    heir, loser = uuid4(), uuid4()
    await organisation.rows.create(ACCOUNT, heir, {"name": "Nordwind"})
    await organisation.rows.create(ACCOUNT, loser, {"name": "Nordwind GmbH", "telephone1": "+49 431 1"})

    await organisation.rows.merge(ACCOUNT, heir, loser)

    kept, aside = await organisation.rows.read(ACCOUNT, heir), await organisation.rows.read(ACCOUNT, loser)
    assert kept is not None
    assert aside is not None
    assert (kept.values["name"], kept.values["masterid"]) == ("Nordwind", None)
    assert (aside.values["name"], aside.values["masterid"], aside.values["statecode"]) == (
        "Nordwind GmbH",
        RowRef("account", heir),
        Option(1),
    )


async def test_what_hung_from_a_merged_row_hangs_from_its_heir(organisation: Organisation) -> None:
    heir, loser, person = uuid4(), uuid4(), uuid4()
    await organisation.rows.create(ACCOUNT, heir, {"name": "Nordwind"})
    await organisation.rows.create(ACCOUNT, loser, {"name": "Nordwind GmbH"})
    hangs: dict[str, Value] = {"lastname": "Ada", "parentcustomerid": RowRef("account", loser)}
    await organisation.rows.create(CONTACT, person, hangs)

    await organisation.rows.merge(ACCOUNT, heir, loser)

    row = await organisation.rows.read(CONTACT, person)
    assert row is not None
    assert row.values["parentcustomerid"] == RowRef("account", heir)


async def test_merging_twice_is_merging_once(organisation: Organisation) -> None:
    heir, loser = uuid4(), uuid4()
    await organisation.rows.create(ACCOUNT, heir, {"name": "Nordwind"})
    await organisation.rows.create(ACCOUNT, loser, {"name": "Nordwind GmbH"})
    await organisation.rows.merge(ACCOUNT, heir, loser)
    once = await organisation.rows.read(ACCOUNT, loser)

    await organisation.rows.merge(ACCOUNT, heir, loser)

    assert await organisation.rows.read(ACCOUNT, loser) == once


async def test_a_row_put_aside_is_not_merged_into_yet_another_one(organisation: Organisation) -> None:
    heir, loser, third = uuid4(), uuid4(), uuid4()
    for row_id, name in ((heir, "Nordwind"), (loser, "Nordwind GmbH"), (third, "Ostwind")):
        await organisation.rows.create(ACCOUNT, row_id, {"name": name})
    await organisation.rows.merge(ACCOUNT, heir, loser)

    with pytest.raises(Refused) as refused:
        await organisation.rows.merge(ACCOUNT, third, loser)

    assert (refused.value.code, refused.value.answer) == (Code.TARGET_REFUSED, "0x80040233")


async def test_a_row_that_is_not_there_cannot_be_merged(organisation: Organisation) -> None:
    heir = uuid4()
    await organisation.rows.create(ACCOUNT, heir, {"name": "Nordwind"})

    with pytest.raises(Gone):
        await organisation.rows.merge(ACCOUNT, heir, uuid4())
