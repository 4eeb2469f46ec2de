"""Every answer Dataverse is known to give, sorted by what happens next (E-13)."""

import json
from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from shared.connectors.dataverse.answers import BY_CODE
from shared.connectors.dataverse.refusal import Asked, is_absent, refusal
from shared.core.codes import Code
from shared.core.errors import Gone, MovedOn, Permanent, Refused, SyncError, Throttled, Transient, Unavailable
from shared.core.mapping.columns import Target, lookup, table, text
from shared.core.mapping.references import RowRef

ACCOUNT = table(
    "account",
    "accounts",
    "accountid",
    text("name", "Name", 160),
    text("emailaddress1", "Email", 100),
    lookup("parentaccountid", "Parent", Target("account", "accounts", "parentaccountid")),
    lookup(
        "customerid",
        "Customer",
        Target("account", "accounts", "customerid_account"),
        Target("contact", "contacts", "customerid_contact"),
    ),
)
ROW = UUID("11111111-2222-4333-8444-555555555555")
PARENT = UUID("aaaaaaaa-2222-4333-8444-555555555555")
UPDATING = Asked(ACCOUNT, ROW, {"name": "A name", "parentaccountid": RowRef("account", PARENT)})
CREATING = Asked(ACCOUNT, ROW, UPDATING.values, creating=True)

REFUSED = (Refused, Code.TARGET_REFUSED)
UNAUTHORISED = (Refused, Code.TARGET_UNAUTHORISED)
UNAVAILABLE = (Unavailable, Code.TARGET_UNAVAILABLE)
THROTTLED = (Throttled, Code.TARGET_THROTTLED)
MOVED_ON = (MovedOn, Code.TARGET_MOVED_ON)
GONE = (Gone, Code.TARGET_GONE)

ROWS = {
    (404, "0x80040217"): GONE,
    (404, "0x80060891"): GONE,
    (404, "0x80060888"): REFUSED,
    (404, "0x8006088a"): REFUSED,
    (400, "0x80060888"): REFUSED,
    (400, "0x80048d19"): REFUSED,
    (400, "0x80044331"): REFUSED,
    (400, "0x8004431A"): REFUSED,
    (400, "0x8004432F"): REFUSED,
    (400, "0x80044330"): REFUSED,
    (400, "0x80040317"): REFUSED,
    (400, "0x80040200"): REFUSED,
    (400, "0x80040203"): REFUSED,
    (400, "0x8004203e"): REFUSED,
    (400, "0x80048408"): REFUSED,
    (400, "0x80040233"): REFUSED,
    (400, "0x80100005"): REFUSED,
    (400, "0x80040515"): REFUSED,
    (400, "0x80044411"): REFUSED,
    (400, "0x800404cf"): REFUSED,
    (412, "0x80040237"): MOVED_ON,
    (400, "0x80040507"): REFUSED,
    (412, "0x80060892"): REFUSED,
    (400, "0x80073002"): REFUSED,
    (412, "0x80040333"): REFUSED,
    (500, "0x80040333"): REFUSED,
    (412, "0x80060882"): MOVED_ON,
    (400, "0x8006088D"): REFUSED,
    (400, "0x80060890"): REFUSED,
    (400, "0x8006089D"): REFUSED,
    (403, "0x80040220"): UNAUTHORISED,
    (403, "0x80048306"): UNAUTHORISED,
    (403, "0x8004020d"): UNAUTHORISED,
    (403, "0x80042f09"): UNAUTHORISED,
    (403, "0x80040225"): REFUSED,
    (400, "0x80040225"): REFUSED,
    (400, "0x80040229"): REFUSED,
    (403, "0x8004A110"): UNAUTHORISED,
    (405, "0x80040227"): REFUSED,
    (400, "0x80040265"): REFUSED,
    (500, "0x80044171"): UNAVAILABLE,
    (500, "0x80044172"): UNAVAILABLE,
    (500, "0x80044173"): UNAVAILABLE,
    (500, "0x80081111"): UNAVAILABLE,
    (400, "0x80044a02"): REFUSED,
    (400, "0x80043e09"): REFUSED,
    (401, ""): UNAUTHORISED,
    (429, "0x80072321"): THROTTLED,
    (429, "0x80072322"): THROTTLED,
    (429, "0x80072326"): THROTTLED,
    (429, ""): THROTTLED,
    (500, "0x80044150"): UNAVAILABLE,
    (500, "0x80044151"): UNAVAILABLE,
    (500, "0x80044339"): UNAVAILABLE,
    (500, "0x8004Ed47"): UNAVAILABLE,
    (500, "0x80040255"): UNAVAILABLE,
    (500, "0x80040216"): UNAVAILABLE,
    (503, "0x80048543"): UNAVAILABLE,
    (500, "0x80048553"): UNAVAILABLE,
    (502, ""): UNAVAILABLE,
    (503, ""): UNAVAILABLE,
    (504, ""): UNAVAILABLE,
    (500, "0xdeadbeef"): UNAVAILABLE,
    (501, ""): REFUSED,
    (413, ""): REFUSED,
    (403, ""): UNAUTHORISED,
    (412, ""): MOVED_ON,
    (404, ""): REFUSED,
    (400, "0x0"): REFUSED,
    (405, ""): REFUSED,
    (418, ""): REFUSED,
}


def said(status: int, code: str, message: str = "", **headers: str) -> httpx.Response:
    body = json.dumps({"error": {"code": code, "message": message}})
    return httpx.Response(
        status, content=body, headers={name.replace("_", "-"): headers[name] for name in headers}
    )


@pytest.mark.parametrize(("answer", "meant"), ROWS.items(), ids=lambda each: str(each[:2]))
def test_an_answer_becomes_the_failure_that_says_what_happens_next(
    answer: tuple[int, str], meant: tuple[type[SyncError], Code]
) -> None:
    error = refusal(UPDATING, said(*answer))

    assert (type(error), error.code) == meant
    assert isinstance(error, Transient | Permanent)


def test_every_code_of_the_table_is_judged_here() -> None:
    assert {code.lower() for _, code in ROWS} >= set(BY_CODE)


def test_a_throttled_answer_carries_the_time_to_come_back() -> None:
    error = refusal(UPDATING, said(429, "0x80072322", Retry_After="17"))

    assert isinstance(error, Throttled)
    assert error.retry_after == timedelta(seconds=17)


def test_the_row_itself_missing_is_told_apart_from_a_missing_target() -> None:
    own = said(404, "0x80040217", f"account With Id = {ROW} Does Not Exist")
    other = said(404, "0x80040217", f"account With Id = {str(PARENT).upper()} Does Not Exist")

    missing = refusal(UPDATING, other)

    assert isinstance(refusal(UPDATING, own), Gone)
    assert isinstance(missing, Refused)
    assert (missing.code, missing.field, missing.answer) == (
        Code.VALUE_UNKNOWN_REFERENCE,
        "parentaccountid",
        "0x80040217",
    )


def test_a_create_never_finds_its_own_row_missing() -> None:
    itself = Asked(ACCOUNT, ROW, {"parentaccountid": RowRef("account", ROW)}, creating=True)

    for asked, text_ in ((itself, f"account With Id = {ROW} Does Not Exist"), (CREATING, "no id in here")):
        error = refusal(asked, said(404, "0x80040217", text_))
        assert (type(error), error.code) == (Refused, Code.VALUE_UNKNOWN_REFERENCE)


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ("The length of the 'name' attribute of the 'account' entity exceeded '160'.", "name"),
        ("The value of \"name\" is 'emailaddress1'", None),
        ("An undeclared property 'customerid_account@odata.bind' which only has", "customerid"),
        ("Something about a town's name", "name"),
        ("Nothing we sent", None),
    ],
)
def test_the_column_is_named_when_the_answer_speaks_of_one(message: str, field: str | None) -> None:
    customer = RowRef("account", PARENT)
    asked = Asked(ACCOUNT, ROW, {"name": "x", "emailaddress1": "y", "customerid": customer})

    error = refusal(asked, said(400, "0x80048d19", message))

    assert error.field == field


def test_no_word_of_the_answers_own_text_reaches_the_failure() -> None:
    for status, code in ROWS:
        error = refusal(UPDATING, said(status, code, "Mrs Secret lives at 'name' Hidden Street 5"))
        assert "Secret" not in f"{error} {error.rule} {error.field}"
        assert "Hidden" not in f"{error} {error.rule} {error.field}"


@pytest.mark.parametrize(
    "content", [b"", b"<html>Bad gateway</html>", b"[]", b'{"error": null}', b'"x"', b"\xff"]
)
def test_an_answer_that_is_not_the_services_is_judged_by_its_status(content: bytes) -> None:
    assert isinstance(refusal(UPDATING, httpx.Response(502, content=content)), Unavailable)


def test_only_the_service_can_say_that_a_row_is_absent() -> None:
    assert is_absent(said(404, "0x80040217"))
    assert not is_absent(said(404, "0x80060888"))
    assert not is_absent(httpx.Response(404, content=b"<html>no such page</html>"))
