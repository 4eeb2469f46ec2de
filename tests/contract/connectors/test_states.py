"""A row is led to the status its record tells, whatever actions that takes, and its columns with it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest

from mappers.dataverse import lifecycles
from shared.core.codes import Code
from shared.core.errors import MovedOn, Refused
from shared.core.mapping.columns import Option, Value, day, money, status, table, text
from shared.core.mapping.lifecycle import STATUS

if TYPE_CHECKING:
    from tests.contract.connectors.conftest import Organisation

OPEN, ON_HOLD, WON, CANCELED = Option(1), Option(2), Option(3), Option(4)

OPPORTUNITY = table(
    "opportunity",
    "opportunities",
    "opportunityid",
    text("name", "Topic", 300),
    money("actualvalue", "Actual Revenue", -1_000_000_000, 1_000_000_000),
    day("actualclosedate", "Actual Close Date"),
    status(lifecycles.OPPORTUNITY_STATUS),
    lifecycle=lifecycles.OPPORTUNITY,
)
QUOTE = table(
    "quote",
    "quotes",
    "quoteid",
    text("name", "Name", 300),
    status(lifecycles.QUOTE_STATUS),
    lifecycle=lifecycles.QUOTE,
)
LEAD = table(
    "lead",
    "leads",
    "leadid",
    text("subject", "Topic", 300),
    text("lastname", "Last Name", 50),
    status(lifecycles.LEAD_STATUS),
    lifecycle=lifecycles.LEAD,
)

CLOSED: dict[str, Value] = {
    "name": "200 chairs",
    "actualvalue": Decimal("1054.00"),
    "actualclosedate": date(2017, 3, 1),
    STATUS: WON,
}


async def _held(organisation: Organisation, row_id: UUID) -> tuple[dict[str, Value], str]:
    row = await organisation.rows.read(OPPORTUNITY, row_id)
    assert row is not None
    return dict(row.values), row.version


async def test_a_won_opportunity_is_created_open_and_won_in_one_go(organisation: Organisation) -> None:
    row_id = uuid4()

    made = await organisation.rows.create(OPPORTUNITY, row_id, CLOSED)

    values, version = await _held(organisation, row_id)
    assert values == CLOSED
    assert made.version == version, "or what the row was on its way would count as news"


async def test_creating_it_again_says_that_it_is_there(organisation: Organisation) -> None:
    row_id = uuid4()
    await organisation.rows.create(OPPORTUNITY, row_id, CLOSED)

    with pytest.raises(MovedOn):
        await organisation.rows.create(OPPORTUNITY, row_id, CLOSED)


async def test_late_columns_of_a_won_opportunity_are_written_and_it_stays_won(
    organisation: Organisation,
) -> None:
    row_id = uuid4()
    await organisation.rows.create(OPPORTUNITY, row_id, CLOSED)
    _, version = await _held(organisation, row_id)

    changed = await organisation.rows.update(OPPORTUNITY, row_id, {"name": "201 chairs"}, version)

    values, version = await _held(organisation, row_id)
    assert values == {**CLOSED, "name": "201 chairs"}
    assert changed.version == version


@pytest.mark.parametrize("target", [OPEN, ON_HOLD, CANCELED])
async def test_a_won_opportunity_is_brought_to_any_other_status(
    organisation: Organisation, target: Option
) -> None:
    row_id = uuid4()
    await organisation.rows.create(OPPORTUNITY, row_id, CLOSED)
    _, version = await _held(organisation, row_id)

    await organisation.rows.update(OPPORTUNITY, row_id, {STATUS: target, "name": "again"}, version)

    values, _ = await _held(organisation, row_id)
    assert (values[STATUS], values["name"]) == (target, "again")


async def test_nothing_at_all_happens_to_a_row_that_moved_on(organisation: Organisation) -> None:
    row_id = uuid4()
    made = await organisation.rows.create(OPPORTUNITY, row_id, {"name": "200 chairs"})
    await organisation.person_sets(OPPORTUNITY, row_id, "name", "a person's")

    with pytest.raises(MovedOn):
        await organisation.rows.update(OPPORTUNITY, row_id, {STATUS: WON}, made.version)

    values, _ = await _held(organisation, row_id)
    assert (values[STATUS], values["name"]) == (OPEN, "a person's")


async def test_a_quote_that_was_won_is_never_opened_again(organisation: Organisation) -> None:
    row_id = uuid4()
    await organisation.rows.create(QUOTE, row_id, {"name": "Q-1", STATUS: Option(4)})
    row = await organisation.rows.read(QUOTE, row_id)
    assert row is not None
    assert row.values[STATUS] == Option(4)

    with pytest.raises(Refused) as refused:
        await organisation.rows.update(QUOTE, row_id, {STATUS: Option(1)}, row.version)

    assert (refused.value.code, refused.value.field) == (Code.TARGET_STATE, STATUS)


async def test_a_lead_is_qualified_without_making_rows_of_its_own(organisation: Organisation) -> None:
    row_id = uuid4()

    await organisation.rows.create(
        LEAD, row_id, {"subject": "Chairs", "lastname": "Almeida", STATUS: Option(3)}
    )

    row = await organisation.rows.read(LEAD, row_id)
    assert row is not None
    assert row.values[STATUS] == Option(3)
