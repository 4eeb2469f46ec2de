"""Which list a campaign's member has a place in."""

from uuid import uuid4

from mappers.legrand.campaign_members import marketing_list
from shared.core.mapping.columns import Value
from shared.core.mapping.references import RowRef
from shared.core.mapping.transforms.text import length

CAMPAIGN = RowRef("campaign", uuid4())


def test_contacts_and_leads_of_one_campaign_have_lists_of_their_own() -> None:
    contact, lead = RowRef("contact", uuid4()), RowRef("lead", uuid4())
    common: dict[str, Value] = {"subject": "Bike Week", "regardingobjectid": CAMPAIGN}

    (first,) = marketing_list(uuid4(), {**common, "tandem_contactid": contact}).memberships
    (again,) = marketing_list(uuid4(), {**common, "tandem_contactid": RowRef("contact", uuid4())}).memberships
    (other,) = marketing_list(uuid4(), {**common, "tandem_leadid": lead}).memberships

    assert (first.name, first.campaign, first.member) == ("Bike Week (contacts)", CAMPAIGN.id, contact)
    assert (other.name, other.campaign, other.member) == ("Bike Week (leads)", CAMPAIGN.id, lead)
    assert first.list_id == again.list_id != other.list_id


def test_a_list_is_called_by_as_much_of_its_campaign_as_fits() -> None:
    person = RowRef("lead", uuid4())
    values: dict[str, Value] = {
        "subject": "x" + "🚲" * 100,
        "regardingobjectid": CAMPAIGN,
        "tandem_leadid": person,
    }

    (place,) = marketing_list(uuid4(), values).memberships

    assert place.name == "x" + "🚲" * 59 + " (leads)"
    assert length(place.name) <= 128


def test_whoever_has_no_campaign_or_is_nobody_has_no_place() -> None:
    assert marketing_list(uuid4(), {"subject": "S", "regardingobjectid": CAMPAIGN}).memberships == ()
    assert marketing_list(uuid4(), {"tandem_leadid": RowRef("lead", uuid4())}).memberships == ()
