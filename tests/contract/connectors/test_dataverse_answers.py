"""Every way Dataverse is known to refuse, as its fault switch gives it, and the failure we make of it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from local.dataverse.server import Settings, start
from mappers.dataverse import account
from shared.connectors.dataverse.answers import BY_CODE
from shared.core.codes import Code
from shared.core.errors import Gone, MovedOn, Refused, SyncError, Throttled, Unavailable
from tests.contract.connectors.conftest import CUSTOMISATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.dataverse.server import Simulator
    from tests.contract.connectors.conftest import SimulatedOrganisation

ACCOUNT = account.TABLE

# What happens next. A row that is gone waits for a person or its parent; what moved on is read again.
REFUSED = (Refused, Code.TARGET_REFUSED)
UNAUTHORISED = (Refused, Code.TARGET_UNAUTHORISED)
UNAVAILABLE = (Unavailable, Code.TARGET_UNAVAILABLE)
THROTTLED = (Throttled, Code.TARGET_THROTTLED)
MOVED_ON = (MovedOn, Code.TARGET_MOVED_ON)
GONE = (Gone, Code.TARGET_GONE)

ANSWERS: dict[str, tuple[int, str, tuple[type[SyncError], Code]]] = {
    "record missing": (404, "0x80040217", GONE),
    "key value missing": (404, "0x80060891", GONE),
    "unknown set": (404, "0x80060888", REFUSED),
    "unknown segment": (404, "0x8006088a", REFUSED),
    "unknown property in a query": (400, "0x80060888", REFUSED),
    "unknown property or bad literal in a payload": (400, "0x80048d19", REFUSED),
    "string too long": (400, "0x80044331", REFUSED),
    "picklist value": (400, "0x8004431A", REFUSED),
    "integer range": (400, "0x8004432F", REFUSED),
    "decimal range": (400, "0x80044330", REFUSED),
    "money range": (400, "0x80040317", REFUSED),
    "required missing": (400, "0x80040200", REFUSED),
    "required missing, second code": (400, "0x80040203", REFUSED),
    "required missing, third code": (400, "0x8004203e", REFUSED),
    "state and status pair": (400, "0x80048408", REFUSED),
    "wrong state for the operation": (400, "0x80040233", REFUSED),
    "opportunity set-state": (400, "0x80100005", REFUSED),
    "opportunity already closed": (400, "0x80040515", REFUSED),
    "case already closed": (400, "0x80044411", REFUSED),
    "quote already closed": (400, "0x800404cf", REFUSED),
    "primary key duplicate": (412, "0x80040237", MOVED_ON),
    "alternate key conflict": (412, "0x80060892", REFUSED),
    "alternate key not defined": (400, "0x80060890", REFUSED),
    "alternate key fits several": (400, "0x8006089d", REFUSED),
    "other unique index": (400, "0x80073002", REFUSED),
    "account above itself": (400, "0x80040507", REFUSED),
    "duplicate rule hit": (412, "0x80040333", REFUSED),
    "duplicate rule hit, as once": (500, "0x80040333", REFUSED),
    "stale ETag": (412, "0x80060882", MOVED_ON),
    "ETag on a table without it": (400, "0x8006088D", REFUSED),
    "privilege": (403, "0x80040220", UNAUTHORISED),
    "record access": (403, "0x80048306", UNAUTHORISED),
    "record access, second code": (403, "0x8004020d", UNAUTHORISED),
    "user has no role": (403, "0x80042f09", UNAUTHORISED),
    "owner disabled": (403, "0x80040225", REFUSED),
    "owner disabled, as once": (400, "0x80040225", REFUSED),
    "invalid owner id": (400, "0x80040229", REFUSED),
    "impersonation refused": (403, "0x8004A110", UNAUTHORISED),
    "delete restricted": (405, "0x80040227", REFUSED),
    "plug-in refusal": (400, "0x80040265", REFUSED),
    "plug-in time-out 1": (500, "0x80044171", UNAVAILABLE),
    "plug-in time-out 2": (500, "0x80044172", UNAVAILABLE),
    "plug-in time-out 3": (500, "0x80044173", UNAVAILABLE),
    "plug-in time-out 4": (500, "0x80081111", UNAVAILABLE),
    "attachment size": (400, "0x80044a02", REFUSED),
    "attachment type": (400, "0x80043e09", REFUSED),
    "token expired or missing": (401, "", UNAUTHORISED),
    "service protection: execution time": (429, "0x80072321", THROTTLED),
    "service protection: requests": (429, "0x80072322", THROTTLED),
    "service protection: concurrency": (429, "0x80072326", THROTTLED),
    "generic SQL or deadlock": (500, "0x80044150", UNAVAILABLE),
    "SQL time-out": (500, "0x80044151", UNAVAILABLE),
    "lock not obtained": (500, "0x80044339", UNAVAILABLE),
    "lock not obtained, second code": (500, "0x8004Ed47", UNAVAILABLE),
    "transaction aborted": (500, "0x80040255", UNAVAILABLE),
    "unexpected": (500, "0x80040216", UNAVAILABLE),
    "organisation down for an update": (503, "0x80048543", UNAVAILABLE),
    "organisation down for an import": (500, "0x80048553", UNAVAILABLE),
    "gateway 502": (502, "", UNAVAILABLE),
    "gateway 503": (503, "", UNAVAILABLE),
    "gateway 504": (504, "", UNAVAILABLE),
    "request too large": (413, "", REFUSED),
}


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with start(Settings(customisations=CUSTOMISATIONS)) as running:
        yield running


@pytest.mark.parametrize(("status", "code", "meant"), ANSWERS.values(), ids=ANSWERS)
async def test_an_answer_of_the_service_becomes_its_failure(
    simulated: SimulatedOrganisation,
    simulator: Simulator,
    status: int,
    code: str,
    meant: tuple[type[SyncError], Code],
) -> None:
    row_id = uuid4()
    made = await simulated.rows.create(ACCOUNT, row_id, {"name": "A"})
    # Once more for the repeat after a renewed token.
    fault = {"status": status, "code": code, "times": 2 if status == 401 else 1, "message": f"On {row_id}"}
    simulator.api.faults.add({**fault, "method": "PATCH", "retry_after": 1 if status == 429 else None})

    with pytest.raises(SyncError) as raised:
        await simulated.rows.update(ACCOUNT, row_id, {"name": "B"}, made.version)

    error = raised.value
    assert (type(error), error.code) == meant
    assert getattr(error, "answer", None) in {None, code, str(status)}
    assert error.request_id is not None


def test_every_code_we_know_is_in_the_table() -> None:
    assert {code.lower() for _, code, _ in ANSWERS.values()} - {""} == set(BY_CODE)
