"""On the whole stack: a contact of two companies, a tag, and the maps against the organisation."""

from typing import TYPE_CHECKING, Any

from tests.acceptance.conftest import eventually

if TYPE_CHECKING:
    from tests.acceptance.conftest import Stack


def test_a_further_company_is_a_connection_and_a_tag_joins_its_record(stack: "Stack", tag: str) -> None:
    first, further, person = f"C-{tag}-1", f"C-{tag}-2", f"P-{tag}"
    contact = {"last_name": "X", "primary_company_id": first, "company_ids": f"{first}|{further}"}
    vip = {"object_type": "company", "object_id": first, "tag": "vip"}
    with stack.allegory() as crm:
        for name in (first, further):
            assert crm.put(f"/companies/{name}", json={"name": name}).status_code == 201
        assert crm.put(f"/contacts/{person}", json=contact).status_code == 201
        assert crm.put(f"/tags/company%2F{first}%2Fvip", json=vip).status_code == 201

    def connected() -> list[dict[str, Any]] | None:
        row = stack.row_of(f"allegory:contact:{person}", "contacts")
        with stack.dataverse() as client:
            found: list[dict[str, Any]] = client.get("connections").raise_for_status().json()["value"]
        return [one for one in found if row and one["_record1id_value"] == row["contactid"]] or None

    def tagged() -> dict[str, Any] | None:
        row = stack.row_of(f"allegory:company:{first}", "accounts")
        return row if row and row["tandem_tags"] else None

    (connection,) = eventually("a connection", connected)
    other = stack.row_of(f"allegory:company:{further}", "accounts")
    assert other is not None
    assert connection["_record2id_value"] == other["accountid"]
    assert eventually("a tag", tagged)["tandem_tags"] == "vip"


def test_the_maps_fit_the_organisation_they_were_written_for(stack: "Stack") -> None:
    told = stack.tandem("mappings", "check")

    assert (told.returncode, "everything the maps may bring fits" in told.stdout) == (0, True)
