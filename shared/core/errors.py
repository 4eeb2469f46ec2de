"""Every failure the service can raise, arranged by what happens next.

SyncError
├── Transient              the retry timer tries again, nobody is woken
│   ├── Throttled            the far side named a time to come back
│   ├── Unavailable          the far side is down, or did not answer in time
│   └── MovedOn              the far side's record changed while we decided; decide again
├── ParentMissing          parked until the record it hangs from arrives
│   ├── ParentElsewhere      parked, and told at once: only another system has what it hangs from
│   └── OwnerUnmatched       parked until whom it belongs to is a user
└── Permanent              recorded and alerted; waits for a person
    ├── InvalidMessage       not the envelope we agreed on, or a value with no place on the other side
    ├── Refused              the far side understood us and said no
    ├── Gone                 the far side no longer has the record
    ├── OneWay               nothing is written to the system it would have to be written to
    └── Looping              the record's changes cross back and forth without an end

A stale, duplicate or echoed message is not a failure but an `Outcome`: returned, counted, never raised.
No error carries a customer's value: messages reach logs, rows and tickets.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from shared.core.codes import EXPLANATIONS, Code
from shared.core.identity import RecordKey
from shared.core.record_owner import Unmatched
from shared.core.shadow import Shadow


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with one field.

    `field` is a JSON pointer into the body (`/data/amount`), `expected` says the rule in words
    ("a decimal with a point"), never the value that broke it.
    """

    field: str
    code: Code
    expected: str

    def __str__(self) -> str:
        return f"{self.field or '(message)'}: {self.code}: {self.expected}"


BODY_CHANGED = Fault("", Code.BODY_CHANGED, "the body this message id was first used with")
"""What is wrong with a message whose id was another body's first."""


class SyncError(Exception):
    """The root of every failure; `code` is stable, `field` and `rule` say where and what.

    `request_id` is what the far side's support asks for: its own id of the request that failed, or the one
    we sent along when there was no answer. `far_side` names the legacy system in which it did not go through.
    """

    def __init__(self, code: Code, rule: str, *, field: str | None = None) -> None:
        self.code = code
        self.rule = rule
        self.field = field
        self.request_id: str | None = None
        self.far_side = ""
        super().__init__(f"{field}: {rule}" if field else rule)

    @property
    def cause(self) -> str:
        """What went wrong, in plain words."""
        return EXPLANATIONS[self.code].cause

    @property
    def advice(self) -> str:
        """What to do next."""
        return EXPLANATIONS[self.code].advice


@contextmanager
def in_system(name: str) -> Iterator[None]:
    """Whatever does not go through in here did not in this legacy system."""
    try:
        yield
    except SyncError as error:
        error.far_side = error.far_side or name
        raise


class Transient(SyncError):
    """It may work later; `retry_after` is the pause the far side asked for, if it named one.

    `begun` is what is known once a write was tried that may have happened all the same, `phases` the phase of
    each system in which that was decided.
    """

    def __init__(self, code: Code, rule: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(code, rule)
        self.retry_after = retry_after
        self.begun: Shadow | None = None
        self.phases: Mapping[str, str] = {}


class Throttled(Transient):
    """The far side named a time to come back."""

    def __init__(self, rule: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(Code.TARGET_THROTTLED, rule, retry_after=retry_after)


class Unavailable(Transient):
    """The far side is down, or did not answer in time."""

    def __init__(self, rule: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(Code.TARGET_UNAVAILABLE, rule, retry_after=retry_after)


class MovedOn(Transient):
    """The far side's record is no longer at the version the write was decided on."""

    def __init__(self, rule: str) -> None:
        super().__init__(Code.TARGET_MOVED_ON, rule)


class ParentMissing(SyncError):
    """The record hangs from `key`, which has not arrived yet."""

    def __init__(self, field: str, key: RecordKey) -> None:
        super().__init__(Code.PARENT_MISSING, f"waits for {key}", field=field)
        self.key = key


class ParentElsewhere(ParentMissing):
    """The row it hangs from is a record of the `holders` alone; nothing brings it to `system` by itself."""

    def __init__(self, field: str, key: RecordKey, system: str, holders: tuple[str, ...]) -> None:
        super().__init__(field, key)
        self.code = Code.PARENT_ELSEWHERE
        self.system = self.far_side = system
        self.holders = holders

    @property
    def expected(self) -> str:
        """What has to be, whichever the record: what such failures have in common."""
        return f"a record of {self.system}, where {' and '.join(self.holders)} alone has one"


class OwnerUnmatched(ParentMissing):
    """The record's owner is no user in Dataverse yet, and its object waits for that (C-30)."""

    def __init__(self, field: str, unmatched: Unmatched) -> None:
        super().__init__(field, unmatched.key)
        self.code = Code.OWNER_UNMATCHED
        self.unmatched = unmatched


class Permanent(SyncError):
    """Repeating it as it is cannot help."""


class InvalidMessage(Permanent):
    """Not the envelope we agreed on, or a value with no place on the other side: all faults at once."""

    def __init__(self, *faults: Fault) -> None:
        first = faults[0]
        super().__init__(first.code, first.expected, field=first.field)
        self.faults = faults


class Refused(Permanent):
    """The far side understood us and said no; `answer` is its own stable code."""

    def __init__(
        self, rule: str, *, answer: str, code: Code = Code.TARGET_REFUSED, field: str | None = None
    ) -> None:
        super().__init__(code, rule, field=field)
        self.answer = answer


class Gone(Permanent):
    """The far side no longer has the record."""

    def __init__(self, rule: str) -> None:
        super().__init__(Code.TARGET_GONE, rule)


class OneWay(Permanent):
    """Nothing is written to `system`: it has no REST interface, and no place for imports is set."""

    def __init__(self, system: str, field: str) -> None:
        super().__init__(Code.TARGET_ONE_WAY, one_way(system), field=field)
        self.far_side = system


def one_way(system: str) -> str:
    """What may be decided of a column that a record of such a system has."""
    return f"what {system} holds, to which nothing is written: it has no place for imports"


class Looping(Permanent):
    """The record's changes cross back and forth; `begun` is its shadow with the count begun anew.

    So a person who lets it go on gives it its whole budget once more.
    """

    def __init__(self, code: Code, rule: str, field: str | None, shadow: Shadow) -> None:
        super().__init__(code, rule, field=field)
        self.begun = replace(shadow, turns=())
