"""Personal data as those see it who need not know it."""

import pytest

from shared.core.mapping.personal import Mask, Personal

TABLES = {"contact": {"firstname": Personal.NAME, "code": Personal.NO}}


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        (Personal.NAME, "Zoë", "Z••"),
        (Personal.ADDRESS, "Quay 7", "Q•••••"),
        (Personal.EMAIL, "zoe@quay.example", "z••@••••••••••••"),
        (Personal.EMAIL, "no address", "n•••••••••"),
        (Personal.PHONE, "+49 381 1234", "••••••••••34"),
        (Personal.PHONE, "112", "•••"),
        (Personal.FREE_TEXT, "met at the fair", "(15 characters)"),
    ],
)
def test_a_value_keeps_its_shape(kind: Personal, value: str, shown: str) -> None:
    assert Mask({}).text(kind, value) == shown


def test_equal_values_look_equal_and_different_ones_different() -> None:
    mask = Mask(TABLES)
    shown = [mask.value("contact", "firstname", value) for value in ("Anna", "Anne", "Anna")]

    assert shown == ["A•••", "A••• ~2", "A•••"]


def test_what_nobody_classified_is_hidden() -> None:
    assert Mask(TABLES).value("contact", "new_column", "secret") == "(6 characters)"
    assert Mask(TABLES).value("unheard_of", "firstname", "Anna") == "(4 characters)"


def test_what_tells_of_no_person_is_plain() -> None:
    mask = Mask(TABLES)

    assert [mask.value("contact", "code", "DE"), mask.value("contact", "x", 7)] == ["DE", 7]
    assert [mask.value("contact", "firstname", None), mask.value("contact", "firstname", "")] == [None, ""]
