"""Legrand's desk and campaigns cross as they are, in any order, and said again they change nothing."""

import random
from typing import Any

from tests.acceptance.conftest import Stack, envelope, eventually

Bodies = dict[str, dict[str, Any]]


def _legrand(entity: str, record: str, **data: Any) -> dict[str, Any]:
    return {**envelope(entity, record, data), "source": "legrand"}


def _post(stack: Stack, name: str, bodies: Bodies) -> None:
    """Send every envelope in the session of its record, under its name."""
    keys = [f"{body['source']}:{body['entity']}:{body['sourceKey']}" for body in bodies.values()]
    sent: list[tuple[str, str | None, Any]] = [
        (f"{name}-{about}", key, body) for about, key, body in zip(bodies, keys, bodies.values(), strict=True)
    ]
    random.Random(name).shuffle(sent)  # noqa: S311  # an order, not a secret
    stack.send_all("inbound", sent)


def _everything(tag: str) -> Bodies:
    member = {"Campaign ID": f"{tag}-M", "Campaign Name": f"Talk {tag}"}
    return {
        "company": _legrand("company", f"{tag}-C", **{"Company Name": f"Radhaus {tag}"}),
        "contact": _legrand("contact", f"{tag}-P", **{"Last Name": "Okafor", "Company ID": f"{tag}-C"}),
        "lead": _legrand("lead", f"{tag}-L", **{"Last Name": "Nilsen", "Lead Status": "Unqualified"}),
        "opportunity": _legrand(
            "opportunity",
            f"{tag}-O",
            **{
                "Opportunity Name": f"Fleet {tag}",
                "Company ID": f"{tag}-C",
                "Stage": "Closing phase",
                "Estimated Value": "18250.5",
                "Status": "Closed-Won",
                "Closed Date": "12/06/2017",
            },
        ),
        "ticket": _legrand(
            "ticket",
            f"{tag}-T",
            **{"Subject": f"Bell {tag}", "Board": "Warranty", "Status": "Closed", "Company ID": f"{tag}-C"},
        ),
        "comment": _legrand(
            "comment",
            f"{tag}-T/1",
            **{"Ticket No": f"{tag}-T", "Comment #": "1", "Type": "Internal", "Comment": "Third this year."},
        ),
        "campaign": _legrand(
            "campaign",
            f"{tag}-M",
            **{"Campaign Name": f"Talk {tag}", "Campaign Type": "Podcast", "Status": "Active"},
        ),
        "member": _legrand(
            "campaign_member",
            f"{tag}-M/Contact/{tag}-P",
            **member,
            **{"Member Type": "Contact", "Member ID": f"{tag}-P", "Response": "Opened"},
        ),
        "member_lead": _legrand(
            "campaign_member",
            f"{tag}-M/Lead/{tag}-L",
            **member,
            **{"Member Type": "Lead", "Member ID": f"{tag}-L", "Response": "Unsubscribed"},
        ),
        "custom_field": _legrand(
            "custom_field",
            "Service Desk Tickets/Warranty (custom)",
            Module="Service Desk Tickets",
            Field="Warranty (custom)",
            Type="Checkbox",
        ),
    }


def test_everything_crosses_in_any_order_and_said_again_changes_nothing(stack: Stack, tag: str) -> None:
    bodies = _everything(tag)
    _post(stack, tag, bodies)
    for about in bodies:
        stack.outcome(f"{tag}-{about}", "applied", "merged")

    def held(entity: str, record: str, table: str) -> dict[str, Any]:
        return stack.row_of(f"legrand:{entity}:{tag}-{record}", table) or {}

    contact, lead = held("contact", "P", "contacts"), held("lead", "L", "leads")
    opportunity, case = held("opportunity", "O", "opportunities"), held("ticket", "T", "incidents")
    note, campaign = held("comment", "T/1", "annotations"), held("campaign", "M", "campaigns")
    opened = held("campaign_member", f"M/Contact/{tag}-P", "campaignresponses")
    ended = held("campaign_member", f"M/Lead/{tag}-L", "campaignresponses")
    assert (lead["statecode"], lead["tandem_leadstatus"]) == (2, "Unqualified")
    assert (opportunity["statecode"], opportunity["actualclosedate"]) == (1, "2017-06-12")
    assert (opportunity["tandem_stagename"], opportunity["estimatedvalue"]) == ("Closing phase", 18250.5)
    assert (case["statecode"], case["statuscode"], case["tandem_boardstatus"]) == (1, 5, "Closed")
    assert (note["_objectid_value"], note["tandem_visibility"]) == (case["incidentid"], 100_000_001)
    assert (campaign["statuscode"], campaign["typecode"], campaign["tandem_campaigntype"]) == (
        2,
        5,
        "Podcast",
    )
    assert [
        (row["_regardingobjectid_value"], row["_tandem_contactid_value"], row["_tandem_leadid_value"])
        for row in (opened, ended)
    ] == [
        (campaign["campaignid"], contact["contactid"], None),
        (campaign["campaignid"], None, lead["leadid"]),
    ]
    assert (opened["responsecode"], ended["responsecode"]) == (None, 3)

    again = {about: body | {"changedOn": "2026-02-01T11:00:00Z"} for about, body in bodies.items()}
    _post(stack, f"{tag}-again", again)

    assert {about: stack.fate(f"{tag}-again-{about}")["outcome"] for about in again} == dict.fromkeys(
        again, "echo"
    )
    assert [
        held(*of)["modifiedon"]
        for of in (("opportunity", "O", "opportunities"), ("ticket", "T", "incidents"))
    ] == [opportunity["modifiedon"], case["modifiedon"]]


def test_a_member_nobody_knows_waits_and_is_not_dropped(stack: Stack, tag: str) -> None:
    bodies = {
        about: body for about, body in _everything(tag).items() if about in {"campaign", "member", "company"}
    }
    _post(stack, tag, bodies)
    # It may have waited for its campaign first.
    awaited = f"legrand:contact:{tag}-P"
    eventually(
        "it waits for the person",
        lambda: awaited in stack.outcome(f"{tag}-member", "parked")["reason"] or None,
    )

    _post(stack, f"{tag}-late", {"contact": _everything(tag)["contact"]})

    stack.outcome(f"{tag}-member", "applied")


def test_a_custom_field_without_a_column_is_refused_with_what_is_to_be_created(
    stack: Stack, tag: str
) -> None:
    field = f"Colour {tag} (custom)"
    body = _legrand("custom_field", f"Contacts/{field}", Module="Contacts", Field=field, Type="Text")

    _post(stack, tag, {"field": body})

    (fault,) = stack.outcome(f"{tag}-field", "rejected")["faults"]
    assert (fault["pointer"], fault["code"]) == ("/data/Field", "message.unknown_field")
    assert "create one of type string on contact" in fault["expected"]
