from uuid import UUID

import pytest

from shared.core.codes import Code
from shared.core.identity import RecordKey
from shared.core.mapping.columns import Reference
from shared.core.mapping.references import DirectoryRef, PlaceholderRef, RecordRef, RowRef
from shared.core.mapping.spec import Unfit
from shared.core.mapping.transforms import currency_by_code, lookup, owner_by_email, owner_by_name

COMPANY = lookup("allegory", "company")
PRIMARY = lookup("allegory", "company", placeholder="account")
C1 = RecordRef(RecordKey("allegory", "company", "C-1"))


def test_an_id_names_a_record_of_the_same_system_and_comes_back_as_the_id() -> None:
    assert COMPANY.to_dataverse(" C-1 ") == C1
    assert COMPANY.to_legacy(C1) == "C-1"


def test_a_blank_clears_a_lookup_or_means_the_placeholder_where_there_is_one() -> None:
    assert COMPANY.to_dataverse("") is None
    assert PRIMARY.to_dataverse("") == PlaceholderRef("account")
    assert PRIMARY.to_legacy(PlaceholderRef("account")) == ""
    assert PRIMARY.to_legacy(None) == ""


def test_what_hangs_from_the_placeholder_names_nothing_in_the_legacy_system_whatever_the_map() -> None:
    assert COMPANY.to_legacy(PlaceholderRef("account")) == ""


@pytest.mark.parametrize(
    "reference",
    [
        RecordRef(RecordKey("allegory", "contact", "P-1")),
        RecordRef(RecordKey("legrand", "company", "C-1")),
        RowRef("account", UUID(int=1)),
    ],
)
def test_a_row_the_legacy_system_cannot_mean_is_refused(reference: Reference) -> None:
    with pytest.raises(Unfit) as caught:
        COMPANY.to_legacy(reference)

    assert caught.value.code is Code.VALUE_UNKNOWN_REFERENCE


def test_owners_and_currencies_are_found_by_what_the_legacy_system_calls_them() -> None:
    assert owner_by_email().to_dataverse(" Anna@Nordwind.example ") == DirectoryRef(
        "systemuser", "internalemailaddress", "Anna@Nordwind.example", required=False
    )
    assert owner_by_name().to_dataverse("Anna Berg") == DirectoryRef(
        "systemuser", "fullname", "Anna Berg", required=False
    )
    assert currency_by_code().to_dataverse("usd") == DirectoryRef(
        "transactioncurrency", "isocurrencycode", "USD", required=True
    )


def test_an_owner_comes_back_as_the_address() -> None:
    found = DirectoryRef("systemuser", "internalemailaddress", "anna@nordwind.example", required=False)

    assert owner_by_email().to_legacy(found) == "anna@nordwind.example"
    with pytest.raises(Unfit):
        owner_by_name().to_legacy(found)
