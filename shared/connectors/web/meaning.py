"""What an HTTP answer means for the message: the one place where a status becomes a failure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from shared.connectors.web.pause import retry_after
from shared.core.codes import Code
from shared.core.errors import Gone, MovedOn, Refused, SyncError, Throttled, Unavailable

if TYPE_CHECKING:
    import httpx


class Meaning(Enum):
    """What happens next after an answer; each is one failure of `core.errors`."""

    THROTTLED = auto()
    UNAVAILABLE = auto()
    MOVED_ON = auto()
    ABSENT = auto()
    UNAUTHORISED = auto()
    REFUSED = auto()


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer's meaning and, in words of ours, what the far side said. Never its own text: that can quote
    a customer's value.
    """

    meaning: Meaning
    rule: str


BY_STATUS: Mapping[int, Answer] = {
    400: Answer(Meaning.REFUSED, "the request is not valid"),
    401: Answer(Meaning.UNAUTHORISED, "the credentials are not accepted"),
    403: Answer(Meaning.UNAUTHORISED, "a right is missing"),
    404: Answer(Meaning.ABSENT, "the record does not exist"),
    405: Answer(Meaning.REFUSED, "this is not allowed on this record"),
    408: Answer(Meaning.UNAVAILABLE, "the request took too long"),
    409: Answer(Meaning.REFUSED, "it contradicts what is there"),
    410: Answer(Meaning.ABSENT, "the record does not exist any more"),
    412: Answer(Meaning.MOVED_ON, "the record is at another version"),
    413: Answer(Meaning.REFUSED, "the request is too large"),
    422: Answer(Meaning.REFUSED, "a field is not accepted"),
    425: Answer(Meaning.UNAVAILABLE, "it is too early"),
    429: Answer(Meaning.THROTTLED, "it asked us to slow down"),
    501: Answer(Meaning.REFUSED, "this operation does not exist there"),
}
"""Statuses that mean more than their hundred; see `of_status` for the others."""


_REQUEST_IDS = ("x-ms-service-request-id", "req_id", "x-ms-request-id")


def of_status(status: int) -> Answer:
    """The meaning of a status alone: other 5xx pass, other answers that are no success do not."""
    known = BY_STATUS.get(status)
    if known is not None:
        return known
    if status >= 500:
        return Answer(Meaning.UNAVAILABLE, "it failed inside")
    return Answer(Meaning.REFUSED, "it answered something unexpected")


def failure(
    who: str, answer: Answer, response: "httpx.Response", *, code: str = "", field: str | None = None
) -> SyncError:
    """The failure to raise for an answer; `code` is the far side's own, else its status stands in."""
    error = _failure(who, answer, response, code=code, field=field)
    error.request_id = next(filter(None, map(response.headers.get, _REQUEST_IDS)), None)
    return error


def _failure(
    who: str, answer: Answer, response: "httpx.Response", *, code: str, field: str | None
) -> SyncError:
    stands = code or str(response.status_code)
    rule = f"{who} answered {stands}: {answer.rule}"
    pause = retry_after(response.headers.get("Retry-After"))
    match answer.meaning:
        case Meaning.THROTTLED:
            return Throttled(rule, retry_after=pause)
        case Meaning.UNAVAILABLE:
            return Unavailable(rule, retry_after=pause)
        case Meaning.MOVED_ON:
            return MovedOn(rule)
        case Meaning.ABSENT:
            return Gone(rule)
        case Meaning.UNAUTHORISED:
            return Refused(rule, answer=stands, code=Code.TARGET_UNAUTHORISED, field=field)
        case Meaning.REFUSED:
            return Refused(rule, answer=stands, field=field)


def named_in(text: str, names: Iterable[str]) -> str | None:
    """The one of `names` an answer's text speaks of, so that the failure can say where without quoting it.

    A quoted name counts before a bare word; two names, or none, are no answer.
    """
    words = text.replace("'", '"')
    known = set(names)
    for found in (
        {name for name in known if f'"{name}"' in words},
        known.intersection("".join(c if c.isalnum() or c == "_" else " " for c in words).split()),
    ):
        if len(found) == 1:
            return found.pop()
    return None
