"""Activities and files cross the bus with parties, times and bytes; a second time nothing is written."""

import base64
import csv
import hashlib
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import Stack, eventually
from tests.acceptance.users import provision


def _send(stack: Stack, entity: str, key: str, data: dict[str, Any], second: int = 0) -> str:
    body = {
        "schemaVersion": "1.0",
        "source": "allegory",
        "entity": entity,
        "sourceKey": key,
        "operation": "upsert",
        "changedOn": f"2024-05-01T10:00:{second:02d}Z",
        "data": data,
    }
    return stack.send("inbound", body, session=f"allegory:{entity}:{key}")


def _parties(stack: Stack, kind: str, activity: str) -> list[tuple[int, str | None, str | None]]:
    with stack.dataverse() as dataverse:
        rows = (
            dataverse.get(f"{kind}s({activity})/{kind}_activity_parties").raise_for_status().json()["value"]
        )
    return [(row["participationtypemask"], row["_partyid_value"], row["addressused"]) for row in rows]


def _applied(stack: Stack, *sent: str) -> None:
    for message in sent:
        assert stack.outcome(message, "applied", "rejected", "failed")["outcome"] == "applied"


def _row(stack: Stack, key: str, entity_set: str) -> dict[str, Any]:
    return eventually(f"the row of {key}", lambda: stack.row_of(key, entity_set))


def test_an_email_waits_for_its_company_and_has_its_parties_and_its_file(stack: Stack, tag: str) -> None:
    mail = {
        "type": "email",
        "subject": f"Offer {tag}",
        "direction": "outbound",
        "from": f"nobody-{tag}@nordwind.example",
        "to": [f"Roberta <roberta-{tag}@turbinen.example>"],
        "cc": [f"cc-{tag}@turbinen.example"],
        "sent_at": "2017-12-16T11:21:50Z",
        "body_html": "<p>Dear <b>Roberta</b></p><script>alert(1)</script>",
        "body_text": "",
        "related_type": "company",
        "related_id": f"{tag}-C",
        "contact_id": f"{tag}-P",
        "owner_email": "",
        "created_at": "2017-12-16T11:22:00Z",
    }
    content = f"offer of {tag}".encode() * 1000
    note = {
        "attachment_id": f"{tag}-A",
        "object_type": "email",
        "object_id": f"{tag}-E",
        "file_name": "offer.txt",
        "mime_type": "text/plain",
        "size_bytes": str(len(content)),
        "path": "attachments/offer.txt",
        "sha256": hashlib.sha256(content).hexdigest(),
        "uploaded_by": "",
        "uploaded_at": "2017-12-16T06:03:12Z",
    }
    with stack.allegory() as crm:
        crm.put(f"/attachments/{tag}-A/content", content=content).raise_for_status()

    file = _send(stack, "attachment", f"{tag}-A", note)
    person = _send(
        stack, "contact", f"{tag}-P", {"last_name": "Almeida", "email": f"roberta-{tag}@turbinen.example"}
    )
    _applied(stack, person)
    sent = _send(stack, "email", f"{tag}-E", mail)
    stack.outcome(sent, "parked")
    _send(stack, "company", f"{tag}-C", {"name": f"Turbinen {tag}"})
    _applied(stack, sent, file)

    row = _row(stack, f"allegory:email:{tag}-E", "emails")
    contact = _row(stack, f"allegory:contact:{tag}-P", "contacts")
    told = {
        name: row[name]
        for name in ("statecode", "statuscode", "directioncode", "description", "actualend", "createdon")
    }
    assert told == {
        "statecode": 1,
        "statuscode": 3,
        "directioncode": True,
        "description": "<p>Dear <b>Roberta</b></p>",
        "actualend": "2017-12-16T11:21:50Z",
        "createdon": "2017-12-16T11:22:00Z",
    }
    assert sorted(_parties(stack, "email", row["activityid"]), key=lambda party: party[0]) == [
        (1, None, f"nobody-{tag}@nordwind.example"),
        (2, contact["contactid"], None),
        (3, None, f"cc-{tag}@turbinen.example"),
    ]
    kept = _row(stack, f"allegory:attachment:{tag}-A", "annotations")
    assert kept["_objectid_value"] == row["activityid"]
    assert hashlib.sha256(base64.b64decode(kept["documentbody"])).hexdigest() == note["sha256"]

    again = [_send(stack, "email", f"{tag}-E", mail, 5), _send(stack, "attachment", f"{tag}-A", note, 5)]
    for message in again:
        assert stack.outcome(message, "echo", "applied", "rejected")["outcome"] == "echo"
    assert _row(stack, f"allegory:email:{tag}-E", "emails")["versionnumber"] == row["versionnumber"]
    assert (
        _row(stack, f"allegory:attachment:{tag}-A", "annotations")["versionnumber"] == kept["versionnumber"]
    )


def test_calls_and_meetings_have_their_times_and_keep_whom_nobody_knows(stack: Stack, tag: str) -> None:
    call = {
        "subject": f"Call {tag}",
        "direction": "inbound",
        "duration_seconds": "61",
        "outcome": "Connected",
        "phone_number": "(171) 555-2222",
        "notes": "",
        "started_at": "2017-01-31T23:59:30Z",
        "related_type": "",
        "related_id": "",
        "contact_id": f"{tag}-nobody",
        "owner_email": "",
    }
    meeting = {
        "subject": f"Meeting {tag}",
        "location": "HQ",
        "start_at": "2017-03-05T22:00:00",
        "end_at": "2017-03-05T23:00:00",
        "time_zone": "America/Los_Angeles",
        "all_day": "false",
        "attendees": f"who-{tag}@turbinen.example",
        "organizer": f"boss-{tag}@nordwind.example",
        "description": "",
        "related_type": "",
        "related_id": "",
        "owner_email": "",
        "created_at": "2017-03-07T09:00:00Z",
    }

    _applied(stack, _send(stack, "call", f"{tag}-K", call), _send(stack, "meeting", f"{tag}-M", meeting))

    called = _row(stack, f"allegory:call:{tag}-K", "phonecalls")
    met = _row(stack, f"allegory:meeting:{tag}-M", "appointments")
    assert (called["statuscode"], called["directioncode"], called["actualend"]) == (
        4,
        False,
        "2017-02-01T00:00:31Z",
    )
    assert (called["actualdurationminutes"], called["tandem_unresolved"]) == (2, "sender (171) 555-2222")
    assert (met["statuscode"], met["scheduledstart"], met["scheduledend"]) == (
        3,
        "2017-03-06T06:00:00Z",
        "2017-03-06T07:00:00Z",
    )
    assert met["tandem_unresolved"] == (
        f"organizer boss-{tag}@nordwind.example\nrequired who-{tag}@turbinen.example"
    )


def test_what_people_do_in_allegory_comes_by_its_feed_with_the_file(stack: Stack, tag: str) -> None:
    content = f"minutes of {tag}".encode()
    about = {"related_type": "company", "related_id": f"{tag}-C"}
    sent = {"sent_at": "2017-12-16T11:21:50Z", "body_text": "Dear Roberta", "direction": "outbound"}
    people = {
        "from": f"a-{tag}@nordwind.example",
        "to": f"b-{tag}@turbinen.example; c-{tag}@turbinen.example",
    }
    started = {"started_at": "2017-01-31T23:59:30Z", "duration_seconds": "61", "direction": "inbound"}
    planned = {"start_at": "2017-03-05T22:00:00", "end_at": "2017-03-05T23:00:00", "time_zone": "UTC"}
    note = {"object_type": "call", "object_id": f"{tag}-K", "file_name": "minutes.txt"}
    with stack.allegory() as crm:
        for path, record in (
            (f"companies/{tag}-C", {"name": f"Company {tag}"}),
            ("custom_fields/contact/cf_linkedin", {"object": "contact", "key": "cf_linkedin", "type": "url"}),
            (f"emails/{tag}-E", {"type": "email", "subject": f"Mail {tag}", **sent, **people, **about}),
            (f"calls/{tag}-K", {"subject": f"Call {tag}", **started, **about}),
            (f"meetings/{tag}-M", {"subject": f"Met {tag}", "all_day": "false", **planned, **about}),
        ):
            crm.put(f"/{path}", json=record).raise_for_status()
        crm.put(f"/attachments/{tag}-A/content", content=content).raise_for_status()
        told = {**note, "size_bytes": str(len(content)), "sha256": hashlib.sha256(content).hexdigest()}
        crm.put(f"/attachments/{tag}-A", json=told).raise_for_status()

    company = _row(stack, f"allegory:company:{tag}-C", "accounts")
    mail = _row(stack, f"allegory:email:{tag}-E", "emails")
    called = _row(stack, f"allegory:call:{tag}-K", "phonecalls")
    met = _row(stack, f"allegory:meeting:{tag}-M", "appointments")
    kept = _row(stack, f"allegory:attachment:{tag}-A", "annotations")
    assert {row["_regardingobjectid_value"] for row in (mail, called, met)} == {company["accountid"]}
    assert (mail["description"], called["actualdurationminutes"], met["scheduledstart"]) == (
        "Dear Roberta",
        2,
        "2017-03-05T22:00:00Z",
    )
    assert sorted((mask, who) for mask, _, who in _parties(stack, "email", mail["activityid"])) == [
        (1, people["from"]),
        (2, f"b-{tag}@turbinen.example"),
        (2, f"c-{tag}@turbinen.example"),
    ]
    field = _row(stack, "allegory:custom_field:contact/cf_linkedin", "tandem_customfields")
    assert (field["tandem_recordtype"], field["tandem_fieldtype"]) == ("contact", "url")
    assert kept["_objectid_value"] == called["activityid"]
    with stack.dataverse() as dataverse:
        body = dataverse.get(f"annotations({kept['annotationid']})").raise_for_status().json()["documentbody"]
    assert base64.b64decode(body) == content


def test_a_file_too_large_is_refused_by_name_and_nothing_waits_for_it(stack: Stack, tag: str) -> None:
    note = {
        "attachment_id": f"{tag}-B",
        "object_type": "company",
        "object_id": f"{tag}-C",
        "file_name": "film.mp4",
        "mime_type": "video/mp4",
        "size_bytes": str(25 * 1024 * 1024 + 1),
        "path": "attachments/film.mp4",
        "sha256": "",
        "uploaded_by": "",
        "uploaded_at": "2017-12-16T06:03:12Z",
    }
    _send(stack, "company", f"{tag}-C", {"name": f"Turbinen {tag}"})

    refused = stack.outcome(_send(stack, "attachment", f"{tag}-B", note), "rejected", "failed", "applied")
    content = b"small"
    with stack.allegory() as crm:
        crm.put(f"/attachments/{tag}-B/content", content=content).raise_for_status()
    smaller = {**note, "size_bytes": "5", "file_name": "film.txt"}

    assert refused["outcome"] == "rejected"
    _applied(stack, _send(stack, "attachment", f"{tag}-B", smaller, 5))


SAMPLES = Path(os.environ.get("TANDEM_SAMPLE_DATA", Path(__file__).parents[3] / "shared" / "data"))
EXPORT = SAMPLES / "allegory" / "small"
FINAL = ("applied", "merged", "echo", "stale", "rejected", "failed", "parked", "held")
OWNERS = ("owner_email", "uploaded_by")
"""Who is responsible: all of them are users here, so that nothing waits for them."""


def _table(name: str) -> list[dict[str, Any]]:
    with (EXPORT / name).open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.DictReader(lines)
        return [{name: cell for name, cell in row.items() if name is not None} for row in rows]


@pytest.mark.skipif(not EXPORT.is_dir(), reason="the sample data is not here")
def test_the_samples_activities_and_files_cross_and_a_second_time_nothing_is_written(stack: Stack) -> None:
    entities = {
        "company": ("company_id", _table("companies.csv")),
        "contact": ("contact_id", _table("contacts.csv")),
        "lead": ("lead_id", _table("leads.csv")),
        "deal": ("deal_id", _table("deals.csv")),
        "email": ("activity_id", json.loads((EXPORT / "activities_email.json").read_text("utf-8"))),
        "call": ("activity_id", _table("activities_call.csv")),
        "meeting": ("activity_id", _table("activities_meeting.csv")),
        "attachment": ("attachment_id", _table("attachments.csv")),
    }
    hashes: dict[str, str] = {}
    with stack.allegory() as crm:
        for record in entities["attachment"][1]:
            path = EXPORT / record["path"]
            if path.is_file():
                content = path.read_bytes()
                hashes[record["attachment_id"]] = hashlib.sha256(content).hexdigest()
                crm.put(f"/attachments/{record['attachment_id']}/content", content=content).raise_for_status()
    activities = ("email", "call", "meeting", "attachment")
    rows = [record for _, records in entities.values() for record in records]
    said = {str(record.get(field) or "").strip().lower() for record in rows for field in OWNERS}
    for address in sorted(said - {""}):
        provision(stack, address)

    sent = [
        (entity, record[key], _send(stack, entity, record[key], record))
        for entity, (key, records) in entities.items()
        for record in records
    ]
    stack.quiet()
    fates = [(entity, name, stack.outcome(message, *FINAL)["outcome"]) for entity, name, message in sent]
    done = {(entity, name) for entity, name, fate in fates if fate in {"applied", "merged"}}
    counts = Counter((entity, fate) for entity, _, fate in fates if entity in activities)

    for name in sorted(name for entity, name in done if entity == "attachment"):
        kept = _row(stack, f"allegory:attachment:{name}", "annotations")
        assert hashlib.sha256(base64.b64decode(kept["documentbody"])).hexdigest() == hashes[name]
    again = [
        _send(stack, entity, record[key], record, 30)
        for entity in activities
        for key, records in (entities[entity],)
        for record in records
        if (entity, record[key]) in done
    ]
    assert Counter(stack.outcome(message, *FINAL)["outcome"] for message in again) == {"echo": len(again)}
    assert {entity for entity, fate in counts if fate in {"applied", "merged"}} == set(activities), counts
    assert not [pair for pair in counts if pair[1] == "failed"], counts
