"""A reader sees what happened to a record, and nothing of the person behind it."""

import json

from shared.core.mapping.personal import Mask, Personal
from shared.recovery.masking import masked, masked_conflict, table_of, without_payload

CLASSIFIED = {"contact": {"firstname": Personal.NAME, "emailaddress1": Personal.EMAIL, "code": Personal.NO}}
DECISION = {
    "number": 1,
    "reason": "firstname",
    "changes": {
        "firstname": {"before": "Annabel", "after": "Belinda"},
        "code": {"before": None, "after": "DE"},
    },
}
MESSAGE = {
    "subject": "allegory:contact:K-1",
    "properties": {"contentType": "application/json", "correlationId": "call Annabel"},
    "application_properties": {"source": "allegory", "note": "Annabel"},
}
ENTRY = {
    "record": "r",
    "crosswalk": [{"key": "allegory:contact:K-1"}],
    "shadow": {"columns": {"emailaddress1": {"value": "annabel@quay.example", "origin": "allegory"}}},
    "messages": [{**MESSAGE, "decisions": [DECISION]}],
    "journal": [DECISION],
    "conflicts": [{"column": "firstname", "base": "Annabel", "inbound": "Belinda", "outbound": None}],
}


def test_no_value_of_a_person_is_left_anywhere() -> None:
    shown = json.dumps(masked(ENTRY, "contact", CLASSIFIED))

    assert "nnabel" not in shown
    assert "elinda" not in shown
    assert "quay" not in shown


def test_a_change_is_still_seen_and_what_is_no_secret_stays() -> None:
    shown = masked(ENTRY, "contact", CLASSIFIED)

    assert shown["journal"][0]["changes"] == {
        "firstname": {"before": "A••••••", "after": "B••••••"},
        "code": {"before": None, "after": "DE"},
    }
    assert shown["messages"][0]["properties"]["contentType"] == "application/json"
    assert shown["masked"] is True


def test_a_record_of_an_unknown_table_shows_no_text_at_all() -> None:
    shown = masked(ENTRY, table_of(ENTRY, {}), CLASSIFIED)

    assert shown["journal"][0]["changes"]["code"] == {"before": None, "after": "(2 characters)"}


def test_the_table_is_found_by_the_key_of_either_side() -> None:
    row = {"crosswalk": [], "messages": [{"subject": "dataverse:contact:0b"}]}

    assert table_of(ENTRY, {("allegory", "contact"): "contact"}) == "contact"
    assert table_of(row, {}) == "contact"


def test_a_conflict_shows_that_the_sides_differ_and_not_in_what() -> None:
    waiting = {
        "subject": "allegory:contact:K-1",
        "column": "firstname",
        "agreed": "Annabel",
        "inbound": "Belinda",
        "outbound": "Annabel",
        "value": None,
    }

    shown = masked_conflict(waiting, {("allegory", "contact"): "contact"}, Mask(CLASSIFIED))

    sides = {"agreed": "A••••••", "inbound": "B••••••", "outbound": "A••••••"}
    assert shown == waiting | sides | {"masked": True}


def test_a_message_without_a_record_hides_what_its_sender_wrote() -> None:
    assert "nnabel" not in json.dumps(without_payload(MESSAGE))
