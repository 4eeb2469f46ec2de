"""What becomes of each failure: tried again, parked, rejected or held (E-13); a test per row."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from shared.core.change import Change, Message, Operation
from shared.core.codes import Code
from shared.core.errors import (
    Fault,
    Gone,
    InvalidMessage,
    Looping,
    MovedOn,
    OneWay,
    OwnerUnmatched,
    ParentElsewhere,
    ParentMissing,
    Refused,
    SyncError,
    Throttled,
    Unavailable,
)
from shared.core.failure import Backoff, early, group_of, refusal, unexpected, verdict_of
from shared.core.identity import RecordKey, row_key
from shared.core.outcome import Outcome
from shared.core.record_owner import Unfound, Unmatched, owner_key
from shared.core.shadow import Shadow
from shared.core.verdict import Failing, ItemState, LaneItem

KEY = RecordKey("allegory", "deal", "D-7")
CHANGE = Change("m-1", KEY, Operation.UPSERT, datetime(2026, 3, 1, tzinfo=UTC), {})
ROW = row_key("account", UUID(int=1))
BACKOFF = Backoff(timedelta(seconds=5), timedelta(minutes=15), lambda: 0.0)
NOBODY = Unmatched(owner_key("allegory", "ada@crm.example"), "ada@crm.example", Unfound.UNKNOWN)
SECONDS = timedelta(seconds=1)
ITEM = LaneItem(1, UUID(int=1), Message("m-1", "inbound", None, b""), ItemState.WAITING)


@pytest.mark.parametrize(
    ("error", "outcome", "retry_in"),
    [
        (Throttled("slow down", retry_after=60 * SECONDS), Outcome.FAILED, 60 * SECONDS),
        (Throttled("slow down"), Outcome.FAILED, 5 * SECONDS),
        (Unavailable("no answer in time"), Outcome.FAILED, 5 * SECONDS),
        (MovedOn("changed 4 times"), Outcome.FAILED, 5 * SECONDS),
        (ParentMissing("/data/company_id", RecordKey("allegory", "company", "C-1")), Outcome.PARKED, None),
        (ParentElsewhere("parentaccountid", ROW, "allegory", ("legrand",)), Outcome.PARKED, None),
        (OwnerUnmatched("owner_email", NOBODY), Outcome.PARKED, None),
        (InvalidMessage(Fault("/data/x", Code.VALUE_TOO_LONG, "at most 5")), Outcome.REJECTED, None),
        (Refused("no", answer="0x80040265"), Outcome.FAILED, None),
        (Refused("no", answer="401", code=Code.TARGET_UNAUTHORISED), Outcome.FAILED, None),
        (Gone("deleted there"), Outcome.FAILED, None),
        (OneWay("legrand", "address1_city"), Outcome.FAILED, None),
        (Looping(Code.TARGET_REFUSED, "back and forth", None, Shadow()), Outcome.FAILED, None),
    ],
)
def test_each_kind_of_failure_has_its_fate(
    error: SyncError, outcome: Outcome, retry_in: timedelta | None
) -> None:
    verdict = verdict_of(error, CHANGE, ITEM, BACKOFF)

    assert verdict.outcome is outcome
    assert (verdict.failing.retry_in if verdict.failing else None) == retry_in
    assert (verdict.waits_for is not None) == isinstance(error, ParentMissing)
    assert verdict.unmatched == (NOBODY if isinstance(error, OwnerUnmatched) else None)


def test_every_leaf_of_the_tree_is_in_the_table() -> None:
    def leaves(kind: type[SyncError]) -> set[type[SyncError]]:
        below = kind.__subclasses__()
        return set().union(*map(leaves, below)) if below else {kind}

    known = {
        Throttled,
        Unavailable,
        MovedOn,
        OneWay,
        ParentElsewhere,
        OwnerUnmatched,
        InvalidMessage,
        Refused,
        Gone,
        Looping,
    }

    assert {leaf for leaf in leaves(SyncError) if leaf.__module__ == "shared.core.errors"} == known


def test_what_nobody_foresaw_is_held_under_its_own_name() -> None:
    verdict = unexpected(KeyError("Ms Secret"), CHANGE.subject)

    assert (verdict.outcome, verdict.failing and verdict.failing.retry_in) == (Outcome.FAILED, None)
    assert "Secret" not in str(verdict)


def test_what_comes_from_the_future_is_set_aside() -> None:
    verdict = early(CHANGE)

    assert verdict.outcome is Outcome.HELD
    assert verdict.failing is not None
    assert (verdict.failing.code, verdict.failing.field) == (Code.FROM_THE_FUTURE, "/changedOn")


def test_pauses_double_up_to_the_longest_and_never_undercut_the_far_side() -> None:
    pauses = [BACKOFF.pause(attempts, None) / SECONDS for attempts in (0, 1, 2, 7, 8, 99)]

    assert pauses == [5, 10, 20, 640, 900, 900]
    assert BACKOFF.pause(0, 7200 * SECONDS) == 7200 * SECONDS


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        (Failing("Refused", Code.TARGET_REFUSED, "a", "deal", answer="1"), {"rule": "b"}, True),
        (Failing("Refused", Code.TARGET_REFUSED, "a", "deal", answer="1"), {"answer": "2"}, False),
        (Failing("Refused", Code.TARGET_REFUSED, "a", "deal"), {"table": "company"}, False),
        (Failing("Refused", Code.TARGET_REFUSED, "a", "deal"), {"code": Code.TARGET_GONE}, False),
        (Failing("Refused", Code.TARGET_REFUSED, "a", "deal"), {"kind": "Gone"}, False),
        (Failing("Refused", Code.TARGET_REFUSED, "a", "deal"), {"far_side": "allegory"}, False),
        (Failing("InvalidMessage", Code.VALUE_TOO_LONG, "5", "deal", "/data/x"), {"field": "/data/y"}, False),
        (Failing("InvalidMessage", Code.VALUE_TOO_LONG, "5", "deal", "/data/x"), {"rule": "6"}, False),
    ],
)
def test_a_group_is_a_cause_and_not_a_text(one: Failing, other: dict[str, object], *, together: bool) -> None:
    parts = {name: getattr(one, name) for name in ("kind", "code", "rule", "table", "field", "answer")}

    assert (group_of(one) == group_of(Failing(**{**parts, **other}))) is together


def test_what_the_gate_refused_is_grouped_by_sender_too() -> None:
    cause = refusal([Fault("", Code.NOT_JSON, "one JSON object")], None)

    assert len({group_of(cause), group_of(cause, "erp"), group_of(cause, "shop")}) == 3
    assert group_of(cause, "erp") == group_of(cause, "erp")
