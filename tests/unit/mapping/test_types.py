"""What the type checker must refuse: mypy warns of an ignore that is not needed, so each one is a claim."""

from mappers.dataverse import account, contact, opportunity
from shared.core.mapping.spec import EntityMap, Field, Line
from shared.core.mapping.transforms import choice, date, instant, integer, lookup, money, text, yes_no

OPEN = {"open": 1}


def test_a_map_holds_lines_of_every_type() -> None:
    lines: tuple[Line, ...] = (
        Field("name", account.name, text(160)),
        Field("amount", opportunity.estimatedvalue, money(0, 10)),
        Field("status", opportunity.tandem_forecastcategory, choice(OPEN)),
        Field("birthday", contact.birthdate, date()),
        Field("company_id", contact.parentcustomerid, lookup("allegory", "company")),
        Field("do_not_email", contact.donotemail, yes_no()),
    )

    entry = EntityMap(entity="thing", table=account.TABLE, key="id", fields=lines)

    assert [line.legacy for line in entry.fields] == [line.legacy for line in lines]


def test_a_transform_of_another_type_than_its_column_is_a_type_error() -> None:
    entry = EntityMap(
        entity="thing",
        table=account.TABLE,
        key="id",
        fields=(
            Field("amount", opportunity.estimatedvalue, choice(OPEN)),  # type: ignore[misc]
            Field("count", account.numberofemployees, choice(OPEN)),  # type: ignore[misc]
            Field("status", opportunity.tandem_forecastcategory, integer(0, 1)),  # type: ignore[misc]
            Field("birthday", contact.birthdate, instant()),  # type: ignore[misc]
            Field("name", account.name, lookup("allegory", "company")),  # type: ignore[misc]
        ),
    )

    assert len(entry.fields) == 5
