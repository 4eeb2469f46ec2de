"""The closed list of findings, its policies, and the page made from them."""

import os
import re
from pathlib import Path

from shared.core.reading import catalogue
from shared.core.reading.codes import RULES, FindingCode

PAGE = Path(__file__).parents[3] / "docs/reference/findings.md"


def test_every_code_has_one_policy_in_words() -> None:
    assert list(RULES) == list(FindingCode)
    assert [code for code, rule in RULES.items() if not rule.meaning.endswith(".") or not rule.action] == []


def test_codes_are_made_of_an_area_and_a_fact() -> None:
    assert [code for code in FindingCode if not re.fullmatch(r"[a-z]+\.[a-z0-9_]+", code.value)] == []


def test_the_page_is_made_from_the_codes() -> None:
    if os.environ.get("TANDEM_APPROVE"):
        PAGE.write_text(catalogue.page(), "utf-8")

    assert PAGE.read_text("utf-8") == catalogue.page()
