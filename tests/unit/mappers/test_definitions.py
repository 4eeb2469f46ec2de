"""A custom field of Legrand has a place, or is refused with what is to be created."""

import pytest

from mappers.legrand.custom_fields import CUSTOM_FIELD
from shared.core.change import Json

FIELD: dict[str, Json] = {"Module": "Companies", "Field": "Contract Signed (custom)", "Type": "Checkbox"}


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({}, []),
        ({"Type": "checkbox"}, []),
        ({"Field": "Bike Brands Stocked (custom)", "Type": "Text", "Max Length": "200"}, []),
        ({"Module": "Contacts", "Field": "Date of Birth (custom)", "Type": "Date"}, []),
        ({"Module": "Assets"}, ["/data/Module message.unknown_entity"]),
        ({"Field": "Colour (custom)"}, ["/data/Field message.unknown_field"]),
        ({"Type": "Formula"}, ["/data/Type value.no_option"]),
        ({"Type": "Number"}, ["/data/Type value.no_option"]),
        (
            {"Field": "Bike Brands Stocked (custom)", "Type": "Text", "Max Length": "201"},
            ["/data/Max Length value.too_long"],
        ),
        (
            {"Field": "Company Type", "Type": "Dropdown", "Options": ["Customer", "Distributor"]},
            ["/data/Options value.no_option"],
        ),
        ({"Field": "Company Type", "Type": "Dropdown", "Options": "Customer\nPartner"}, []),
    ],
)
def test_a_definition_is_held_against_the_map_of_its_module(said: dict[str, Json], told: list[str]) -> None:
    faults = CUSTOM_FIELD.to_columns(FIELD | said).faults

    assert [f"{fault.field} {fault.code}" for fault in faults] == told
