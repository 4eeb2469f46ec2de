"""The forms in which match rules compare: what is the same customer's, however it was typed."""

from collections.abc import Callable

import pytest

from mappers.matching import RULES
from shared.core.matching import digits, host, mailbox, own_mailbox, words


@pytest.mark.parametrize(
    ("form", "typed", "same"),
    [
        (mailbox, " JO.Holm+shop@Birke.example ", "jo.holm@birke.example"),
        (mailbox, "Jo Holm <jo.holm@birke.example>", "jo.holm@birke.example"),
        (mailbox, "not-an-address", None),
        (own_mailbox, "JO.HOLM@birke.example", "jo.holm@birke.example"),
        (own_mailbox, "INFO@birke.example", None),
        (own_mailbox, "Sales+de@birke.example", None),
        (host, "HTTPS://www.Birke.example:443/de?x", "birke.example"),
        (host, "birke.example.", "birke.example"),
        (host, "https://facebook.com/birke", None),
        (host, "none", None),
        (words, "  BIRKE   Werke GmbH & Co. KG", "birke werke"),
        (words, "Birke-Werke Pty Ltd", "birke werke"),
        (words, "Limited", "limited"),
        (digits, "+49 (0)431 555-0102", "315550102"),
        (digits, "0431 5550102", "315550102"),
        (digits, "5550", None),
    ],
)
def test_what_is_the_same_looks_the_same(
    form: Callable[[str], str | None], typed: str, same: str | None
) -> None:
    assert form(typed) == same


def test_an_address_in_other_letters_is_the_same_persons() -> None:
    rules = [rule for rule in RULES if rule.table == "contact" and rule.name.startswith("mailbox")]
    ours = {"emailaddress1": "JO.HOLM@birke.example", "firstname": "Jo", "lastname": "Holm"}
    theirs = {**ours, "emailaddress1": "jo.holm+x@birke.example", "firstname": "JO"}

    assert len(rules) == 2
    assert [rule.digest(ours) == rule.digest(theirs) for rule in rules] == [True, True]
    assert None not in [rule.digest(ours) for rule in rules]
