"""A deal is won, lost and opened again on either side, and its late columns find it closed."""

from typing import Any

import httpx

from tests.acceptance.conftest import Stack, eventually


def _status(crm: httpx.Client, deal_id: str) -> str:
    return str(crm.get(f"/deals/{deal_id}").raise_for_status().json()["status"])


def _row(stack: Stack, key: str, **columns: Any) -> dict[str, Any] | None:
    """The opportunity, once it holds these columns."""
    row = stack.row_of(key, "opportunities")
    return row if row is not None and columns.items() <= row.items() else None


def test_a_deal_won_in_allegory_is_won_in_dataverse_and_opened_again_in_both(stack: Stack, tag: str) -> None:
    key = f"allegory:deal:{tag}-D1"
    deal = {
        "name": f"Pump {tag}",
        "amount": "1054",
        "status": "open",
        "expected_close_date": "2017-03-10",
    }
    with stack.allegory() as crm, stack.dataverse() as dataverse:
        crm.put(f"/deals/{tag}-D1", json=deal).raise_for_status()
        row = eventually("the opportunity", lambda: _row(stack, key))
        assert (row["statecode"], row["statuscode"]) == (0, 1)

        crm.patch(f"/deals/{tag}-D1", json={"status": "won", "close_date": "2017-03-01"}).raise_for_status()
        won = eventually(
            "it is won",
            lambda: _row(stack, key, statecode=1),
        )
        assert (won["statuscode"], won["actualclosedate"], won["actualvalue"]) == (3, "2017-03-01", 1054)

        crm.patch(f"/deals/{tag}-D1", json={"name": f"Two pumps {tag}"}).raise_for_status()
        late = eventually(
            "its new name",
            lambda: _row(stack, key, name=f"Two pumps {tag}"),
        )
        assert (late["statecode"], late["actualclosedate"]) == (1, "2017-03-01")

        opened = dataverse.patch(
            f"opportunities({won['opportunityid']})", json={"statecode": 0, "statuscode": 2}
        )
        assert opened.status_code == 204, opened.text
        eventually("it is open in Allegory", lambda: _status(crm, f"{tag}-D1") == "open" or None)

        crm.patch(f"/deals/{tag}-D1", json={"product": "Pump 7"}).raise_for_status()
        again = eventually(
            "its product",
            lambda: _row(stack, key, tandem_product="Pump 7"),
        )
        # On Hold is more than Allegory can tell; the word "open" said once more does not undo it.
        assert (again["statecode"], again["statuscode"]) == (0, 2)
