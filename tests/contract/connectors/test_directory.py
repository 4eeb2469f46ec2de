"""What the lookups may rely on when they ask for users, currencies and placeholders."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from mappers.dataverse import account
from shared.core.mapping.columns import placeholder_id
from shared.core.mapping.references import DirectoryRef, RowRef

if TYPE_CHECKING:
    from tests.contract.connectors.conftest import Organisation, SimulatedOrganisation

ACCOUNT = account.TABLE


async def test_a_user_is_found_by_either_address_whatever_its_letters(organisation: Organisation) -> None:
    user = await organisation.user("Kim.O'Neil@contoso.example")

    found = [
        await organisation.directory.find(
            DirectoryRef("systemuser", "internalemailaddress", value, required=True)
        )
        for value in ("kim.o'neil@CONTOSO.example", " Kim.O'Neil@contoso.example ", "kim@contoso.example")
    ]

    assert found == [user, user, None]
    assert (
        await organisation.directory.value_of(RowRef("systemuser", user), "internalemailaddress")
        == "Kim.O'Neil@contoso.example"
    )


async def test_a_disabled_user_does_not_count(organisation: Organisation) -> None:
    await organisation.user("left@contoso.example", disabled=True)
    ref = DirectoryRef("systemuser", "internalemailaddress", "left@contoso.example", required=False)

    assert await organisation.directory.find(ref) is None


async def test_an_address_of_two_users_is_nobodys(organisation: Organisation) -> None:
    await organisation.user("team@contoso.example")
    await organisation.user("team@contoso.example")
    ref = DirectoryRef("systemuser", "internalemailaddress", "team@contoso.example", required=False)

    assert await organisation.directory.find(ref) is None


async def test_a_currency_is_found_by_its_code_and_told_by_it(organisation: Organisation) -> None:
    euro = await organisation.currency("EUR")
    ref = DirectoryRef("transactioncurrency", "isocurrencycode", "eur", required=True)

    assert await organisation.directory.find(ref) == euro
    assert (
        await organisation.directory.value_of(RowRef("transactioncurrency", euro), "isocurrencycode") == "EUR"
    )


async def test_a_row_that_is_not_there_holds_nothing(organisation: Organisation) -> None:
    nowhere = RowRef("systemuser", uuid4())

    assert await organisation.directory.value_of(nowhere, "internalemailaddress") is None


async def test_there_is_one_placeholder_however_often_it_is_asked_for(organisation: Organisation) -> None:
    first = await organisation.directory.placeholder(ACCOUNT)
    organisation.time_passes(timedelta(hours=1))
    second = await organisation.directory.placeholder(ACCOUNT)

    row = await organisation.rows.read(ACCOUNT, first)
    assert first == second == placeholder_id("account")
    assert row is not None
    assert row.values["name"] == "(no company)"


async def test_a_found_user_is_remembered_for_a_while_and_a_miss_for_a_moment(
    simulated: SimulatedOrganisation,
) -> None:
    ref = DirectoryRef("systemuser", "internalemailaddress", "new@contoso.example", required=False)
    assert await simulated.directory.find(ref) is None
    user = await simulated.user("new@contoso.example")

    at_once = await simulated.directory.find(ref)
    simulated.time_passes(timedelta(seconds=6))
    soon = await simulated.directory.find(ref)
    await simulated.person.patch(f"systemusers({user})", json={"isdisabled": True})
    simulated.time_passes(timedelta(minutes=4))
    still = await simulated.directory.find(ref)
    simulated.time_passes(timedelta(minutes=2))
    later = await simulated.directory.find(ref)

    assert (at_once, soon, still, later) == (None, user, user, None)
