"""Tickets reach the team that can help."""

from typing import Any

import pytest

from mappers import SYSTEMS
from shared.recovery.teams import Teams, routes_of

TABLE = (
    "allegory = crm-team, allegory/deal=sales-team, */contact=people-team, sender:erp=erp-team, legrand=fr"
)


def group(table: str = "company", sender: str | None = None, **systems: int) -> dict[str, Any]:
    return {"table": table, "sender": sender, "systems": systems, "targets": {}, "units": {}}


def going(table: str, **targets: int) -> dict[str, Any]:
    """A group of edits from Dataverse, of rows with so many records in each system."""
    return group(table, dataverse=3) | {"targets": targets}


@pytest.mark.parametrize(
    ("of", "team"),
    [
        (group(allegory=2), "crm-team"),
        (group("deal", allegory=2), "sales-team"),
        (group("contact", allegory=2), "people-team"),
        (group("contact", legrand=1), "people-team"),
        (group("deal", legrand=1), "fr"),
        (group(allegory=2, legrand=3), "fr"),
        (group(dataverse=1), "dataverse-support"),
        (group(sender="erp", allegory=5), "erp-team"),
        (group(sender="legrand", legrand=5), "fr"),
        (group(sender="unheard-of"), "unheard-of-support"),
        (group(sender="unknown"), "sync-support"),
        (group(), "sync-support"),
    ],
)
def test_the_closest_entry_decides(of: dict[str, Any], team: str) -> None:
    assert Teams(routes_of(TABLE)).of(of) == team


@pytest.mark.parametrize(
    ("of", "unit", "team"),
    [
        (group("deal", allegory=2), "North", "north-sales"),
        (group("deal", allegory=2), "South", "sales-team"),
        (group("contact", allegory=2), "North", "north"),
        (group("company", dataverse=2), "North", "north"),
        (group("company", dataverse=2), "South", "dataverse-support"),
        (group(sender="erp", allegory=5), "North", "erp-team"),
    ],
)
def test_an_entry_of_the_unit_most_come_from_goes_first(of: dict[str, Any], unit: str, team: str) -> None:
    teams = Teams(routes_of(TABLE + ", allegory/deal@North=north-sales, *@North=north"))

    assert teams.of(of | {"units": {"East": 1, unit: 2}}) == team
    assert (teams.by_unit, Teams(routes_of(TABLE)).by_unit) == (True, False)


@pytest.mark.parametrize(
    ("of", "team"),
    [
        (going("account", allegory=3), "crm-team"),
        (going("account", allegory=1, legrand=2), "fr"),
        # In its system's words, or by its table.
        (going("opportunity", allegory=3), "sales-team"),
        (going("contact", legrand=3), "people-team"),
        # A new row is made in the first system that takes it; quotes go out to none.
        (going("account"), "crm-team"),
        (going("quote", legrand=3), "dataverse-support"),
        (going("spaceship"), "dataverse-support"),
    ],
)
def test_an_edit_that_does_not_go_out_is_told_where_it_was_going(of: dict[str, Any], team: str) -> None:
    assert Teams(routes_of(TABLE), SYSTEMS).of(of) == team


def test_without_a_table_every_system_and_sender_has_its_own_team() -> None:
    assert Teams().of(group(allegory=1)) == "allegory-support"
    assert Teams().of(group(sender="erp")) == "erp-support"


@pytest.mark.parametrize("text", ["allegory", "=team", "allegory=", "a=b,c"])
def test_an_entry_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="entries of the form"):
        routes_of(text)
