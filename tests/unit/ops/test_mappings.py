"""What `tandem mappings check` puts on the screen, and what it is made of."""

from mappers.allegory import ALLEGORY
from mappers.dataverse import account
from shared.core.mapping.columns import Table
from shared.core.mapping.fit import Columns, Facts, reached
from shared.core.rest import Rest
from shared.core.system import LegacySystem
from shared.ops.commands import mappings
from shared.recovery.mappings import MappingCheck


class Shortened:
    """An organisation as it is delivered, but for the length of its accounts' names."""

    async def columns(self, table: Table) -> Columns | None:
        return {
            name: Facts(None, max_length=10 if name == account.name.name else column.max_length)
            for name, column in table.columns.items()
        }


async def test_a_misfit_is_told_with_the_fields_it_concerns_and_what_to_do() -> None:
    company = next(entry for entry in ALLEGORY.maps if entry.entity == "company")
    system = LegacySystem("allegory", (company,), Rest({"company": "companies"}))

    told = await MappingCheck({"allegory": system}, Shortened()).told()

    assert told == {
        "tables": 1,
        "columns": len(company.fields),
        "misfits": [
            {
                "table": "account",
                "column": "name",
                "problem": "it holds 10 characters, the maps write up to 160",
                "fields": ["allegory company.name"],
            }
        ],
    }
    shown = mappings.screen(told)
    assert "account.name" in shown
    assert shown.endswith("Next: change the column in Dataverse, or have the sender keep to its limit.")


def test_all_is_well_in_one_line() -> None:
    told = {"tables": 12, "columns": 150, "misfits": []}

    assert mappings.screen(told) == ("150 columns of 12 tables compared: everything the maps may bring fits.")


def test_a_lines_own_labels_tell_which_options_it_needs() -> None:
    tier = next(line for entry in ALLEGORY.maps for line in entry.fields if line.legacy == "cf_tier")

    assert reached(tier) == {100_000_000, 100_000_001, 100_000_002}
