"""The descriptions' words lead to what is really there."""

from collections import Counter
from pathlib import Path

import pytest

from local.dataverse.api.router import ON_SET, UNBOUND
from local.dataverse.schema.catalog import load_catalog
from mappers import SYSTEMS
from mappers.deviations import DEVIATIONS, Deviation
from mappers.terms import TERMS, Term

CATALOG = load_catalog(Path(__file__).parents[3] / "infra/dataverse/customisations.json")
PROMISED = (
    "StageName",
    "Record Type",
    "EmailMessage",
    "Event",
    "ContentDocument",
    "CampaignMember",
    "QuoteLineItem",
    "TaskSubtype",
    "ActivityDate",
    "__c",
    "Bulk API",
    "Lead.leadqualitycode",
    "Lead.statecode",
    "OwnerId",
    "AccountId",
)


@pytest.mark.parametrize("known", TERMS, ids=lambda known: known.word)
def test_what_a_term_means_is_there(known: Term) -> None:
    if known.operation:
        assert (known.table, known.column) == ("", "")
        assert known.operation in UNBOUND.keys() | ON_SET.keys()
    else:
        assert known.table in CATALOG.tables
        assert not known.column or known.column in CATALOG.tables[known.table].columns


def test_a_word_is_told_once_and_cites_its_lines() -> None:
    assert [word for word, count in Counter(known.word for known in TERMS).items() if count > 1] == []
    assert all(known.lines and all(line[0] in "AL" for line in known.lines) for known in TERMS)


@pytest.mark.parametrize("word", PROMISED)
def test_a_promised_word_is_known(word: str) -> None:
    assert word in {known.word for known in TERMS}


def test_every_alias_of_a_map_is_a_term() -> None:
    words = {known.word for known in TERMS}
    aliases = {line.alias for system in SYSTEMS for entry in system.maps for line in entry.fields}

    assert aliases - {""} - words == set()


@pytest.mark.parametrize("one", DEVIATIONS, ids=lambda one: ",".join(one.lines))
def test_a_deviation_says_what_and_why_in_sentences(one: Deviation) -> None:
    assert one.lines
    assert all(text.endswith(".") and "|" not in text for text in (one.said, one.done, one.why))
