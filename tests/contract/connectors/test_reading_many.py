"""Many rows read at once are what each would be read as alone, in one request per hundred."""

from typing import TYPE_CHECKING
from uuid import uuid4

import httpx

from mappers.dataverse import account

if TYPE_CHECKING:
    from local.dataverse.server import Simulator
    from tests.contract.connectors.conftest import SimulatedOrganisation

ACCOUNT = account.TABLE


async def test_rows_read_together_are_those_read_alone_and_what_is_missing_is_none(
    simulator: "Simulator", gathered: "SimulatedOrganisation"
) -> None:
    ids = [uuid4() for _ in range(3)]
    for number, each in enumerate(ids):
        await gathered.rows.create(ACCOUNT, each, {"name": f"Row {number}"})
    missing = [uuid4() for _ in range(147)]
    async with httpx.AsyncClient(base_url=f"{simulator.http_url}/admin/") as admin:
        (await admin.delete("requests")).raise_for_status()
        found = await gathered.rows.read_many(ACCOUNT, [*ids, *missing])
        asked = (await admin.get("requests")).json()

    alone = {each: await gathered.rows.read(ACCOUNT, each) for each in ids}
    assert found == {**alone, **dict.fromkeys(missing)}
    assert asked["requests"] == 2
