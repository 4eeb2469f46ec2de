"""Who and what the sample traffic is about: users, companies, contacts and deals, all invented.

Every run uses ids of its own (`tag`), so that it can be told again and again on one stack.
"""

from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

USERS = (
    ("Ines Falk", "ines.falk@kontor.example"),
    ("Tom Okafor", "tom.okafor@kontor.example"),
    ("Mira Lindqvist", "mira.lindqvist@kontor.example"),
)


def user_id(email: str) -> str:
    """The fixed GUID of a user of the sample."""
    return str(uuid5(NAMESPACE_DNS, email))


@dataclass(frozen=True, slots=True)
class Scene:
    """One inbound message: a record's fields, and why it is in the story."""

    entity: str
    id: str
    data: dict[str, Any]
    about: str = ""


def _company(tag: str, number: int, name: str, **more: Any) -> Scene:
    record = f"{tag}-C{number}"
    data = {
        "company_id": record,
        "name": name,
        "domain": name.lower().replace(" ", "-") + ".example",
        "country": "Germany",
        "owner_email": USERS[number % 3][1],
        "created_at": "2025-11-03T08:15:00Z",
        "updated_at": "2026-02-01T09:00:00Z",
        **more,
    }
    return Scene("company", record, data)


def _contact(tag: str, number: int, first: str, last: str, company: str) -> Scene:
    record = f"{tag}-P{number}"
    data = {
        "contact_id": record,
        "first_name": first,
        "last_name": last,
        "email": f"{first}.{last}@kunde.example".lower(),
        "phone": f"+49 30 555 {number:04d}",
        "job_title": "Purchasing",
        "primary_company_id": company,
        "owner_email": USERS[number % 3][1],
        "created_at": "2025-11-04T10:00:00Z",
        "updated_at": "2026-02-01T09:05:00Z",
    }
    return Scene("contact", record, data)


def _deal(tag: str, number: int, name: str, amount: str, company: str, contact: str) -> Scene:
    record = f"{tag}-D{number}"
    data = {
        "deal_id": record,
        "name": name,
        "company_id": company,
        "primary_contact_id": contact,
        "amount": amount,
        "currency": "EUR",
        "probability": str(10 * number),
        "expected_close_date": f"2026-0{number}-15",
        "status": "open",
        "stage_name": "Engaging",
        "owner_email": USERS[number % 3][1],
        "created_at": "2025-12-01T08:00:00Z",
        "updated_at": "2026-02-01T09:10:00Z",
    }
    return Scene("deal", record, data)


def inbound(tag: str) -> list[Scene]:
    """The messages that external systems send, in the order in which they arrive."""
    parent = f"{tag}-C1"
    child = _company(tag, 2, "Nordlicht Werft Kiel", parent_company_id=parent, phone="+49 431 555 0102")
    scenes = [
        Scene(child.entity, child.id, child.data, "a subsidiary that arrives before its parent"),
        _company(tag, 1, "Nordlicht Gruppe", annual_revenue_musd="48.25", employees="310", cf_tier="Gold"),
        _company(tag, 3, "Backhaus Sommer", city="Leipzig", tags="regional;bakery"),
        _company(tag, 4, "Kobalt Optik", industry="medical"),
    ]
    people = (
        ("Jana", "Reuter"),
        ("Emil", "Bruhn"),
        ("Sofia", "Aydin"),
        ("Nils", "Thomsen"),
        ("Lea", "Brandt"),
    )
    scenes += [
        _contact(tag, number, first, last, f"{tag}-C{number % 4 + 1}")
        for number, (first, last) in enumerate(people, start=1)
    ]
    loose = _contact(tag, 6, "Paul", "Winter", "")
    scenes.append(
        Scene(loose.entity, loose.id, loose.data, "a contact without a company: hangs from the placeholder")
    )
    scenes += [
        _deal(tag, 1, "Bugstrahlruder", "18400.00", f"{tag}-C2", f"{tag}-P1"),
        _deal(tag, 2, "Ofenlinie", "96500.50", f"{tag}-C3", f"{tag}-P2"),
        _deal(tag, 3, "Messplatz", "7200", f"{tag}-C4", f"{tag}-P3"),
    ]
    wrong = _deal(tag, 4, "Ersatzteile", "12.500,00", f"{tag}-C4", f"{tag}-P3")
    scenes.append(
        Scene(wrong.entity, wrong.id, wrong.data, "an amount that can be read in two ways: refused")
    )
    orphan = _contact(tag, 7, "Ida", "Keller", f"{tag}-C99")
    scenes.append(Scene(orphan.entity, orphan.id, orphan.data, "its company never arrives: stays parked"))
    return scenes
