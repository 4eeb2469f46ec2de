"""`$management` of a queue: everything a client does that is not sending, receiving or settling on a link."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from local.broker.amqp.sections import Request, response
from local.broker.amqp.values import (
    LONG_ARRAY,
    STRING_ARRAY,
    TIMESTAMP_ARRAY,
    Array,
    Int,
    Malformed,
    Symbol,
    Timestamp,
)
from local.broker.entities.errors import InvalidArgument, NotAllowed, NotImplementedHere, Refusal
from local.broker.entities.queue import Queue
from local.broker.entities.session import Hold
from local.broker.entities.session_queue import SessionQueue
from local.broker.service.arguments import Arguments
from local.broker.service.intake import checked
from local.broker.service.wire import render

# A client that lists sessions with this time (the year 10000) asks for all that are active, not for changed
# states.
ACTIVE_SESSIONS = 253_402_300_800_000

# What one answer may carry at most.
MAX_PEEKED = 1000
MAX_ANSWER_BYTES = 1024 * 1024
MAX_LISTED = 100

# Settled mode of a request to receive deferred messages that removes them at once.
_FIRST = 0

_Answer = dict[str, Any] | None


class Management:
    """The operations on one queue. Those on a session count only on the connection that holds it."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._operations: dict[str, Callable[[Arguments, object], _Answer]] = {
            "peek-message": self._peek,
            "schedule-message": self._schedule,
            "cancel-scheduled-message": self._cancel,
            "receive-by-sequence-number": self._receive_deferred,
            "update-disposition": self._settle,
            "renew-lock": self._renew,
            "renew-session-lock": self._renew_session,
            "get-session-state": self._session_state,
            "set-session-state": self._set_session_state,
            "get-message-sessions": self._sessions,
        }

    def answer(self, request: Request, owner: object) -> bytes:
        """Do what is asked: 200 with a map, 204 when there is nothing, or the refusal's code and
        condition.
        """
        status: dict[str, Any]
        body: Any = None
        try:
            body = self._operation(request.application.get("operation"))(Arguments(request.body), owner)
            status = {"statusCode": Int(204 if body is None else 200), "statusDescription": "OK"}
        except Refusal as no:
            status = _error(no.status, no.condition, no.description)
        except Malformed as wrong:
            status = _error(InvalidArgument.status, InvalidArgument.condition, str(wrong))
        return response(request.message_id, status, body)

    def _operation(self, name: Any) -> Callable[[Arguments, object], _Answer]:
        operation = self._operations.get(str(name).removeprefix("com.microsoft:"))
        if operation is None:
            raise NotImplementedHere("no such operation on a queue")
        return operation

    def _peek(self, arguments: Arguments, owner: object) -> _Answer:
        del owner
        start = arguments.number("from-sequence-number")
        count = min(arguments.number("message-count"), MAX_PEEKED)
        found: list[dict[str, bytes]] = []
        size = 0
        for message in self._queue.peek(start, count, arguments.text_or_none("session-id")):
            encoded = render(message, None)
            size += len(encoded)
            if found and size > MAX_ANSWER_BYTES:
                break
            found.append({"message": encoded})
        return {"messages": found} if found else None

    def _schedule(self, arguments: Arguments, owner: object) -> _Answer:
        del owner
        drafts = [checked(self._queue, item.binary("message")) for item in arguments.maps("messages")]
        numbers = tuple(self._queue.send(content, scheduled_for) for content, scheduled_for in drafts)
        return {"sequence-numbers": Array(LONG_ARRAY, numbers)}

    def _cancel(self, arguments: Arguments, owner: object) -> _Answer:
        del owner
        self._queue.cancel(arguments.numbers("sequence-numbers"))
        return {}

    def _receive_deferred(self, arguments: Arguments, owner: object) -> _Answer:
        hold = self._hold(arguments, owner)
        delete = arguments.number("receiver-settle-mode") == _FIRST
        found = self._queue.receive_deferred(arguments.numbers("sequence-numbers"), hold, delete=delete)
        return {
            "messages": [
                {"lock-token": lock.token, "message": render(message, None if delete else lock)}
                for message, lock in found
            ]
        }

    def _settle(self, arguments: Arguments, owner: object) -> _Answer:
        hold = self._hold(arguments, owner)
        locks = [self._queue.find_lock(token, hold) for token in _tokens(arguments)]
        changes = arguments.map_or_empty("properties-to-modify")
        status = arguments.text("disposition-status")
        for lock in locks:
            if status == "completed":
                self._queue.complete(lock)
            elif status == "abandoned":
                self._queue.abandon(lock, changes)
            elif status == "defered":
                self._queue.defer(lock, changes)
            elif status == "suspended":
                self._queue.dead_letter(lock, changes | _grave(arguments))
            else:
                raise InvalidArgument("disposition-status: completed, abandoned, defered or suspended")
        return {}

    def _renew(self, arguments: Arguments, owner: object) -> _Answer:
        del owner
        ends = tuple(Timestamp(self._queue.renew(token)) for token in _tokens(arguments))
        return {"expirations": Array(TIMESTAMP_ARRAY, ends)}

    def _hold(self, arguments: Arguments, owner: object) -> Hold | None:
        """The session that a request on a session queue must name, held by who asks."""
        if not isinstance(self._queue, SessionQueue):
            return None
        return self._queue.held(arguments.text("session-id"), owner)

    def _session_queue(self) -> SessionQueue:
        if not isinstance(self._queue, SessionQueue):
            raise NotAllowed("the queue has no sessions")
        return self._queue

    def _renew_session(self, arguments: Arguments, owner: object) -> _Answer:
        return {
            "expiration": Timestamp(self._session_queue().renew_session(arguments.text("session-id"), owner))
        }

    def _session_state(self, arguments: Arguments, owner: object) -> _Answer:
        return {
            "session-state": self._session_queue().held(arguments.text("session-id"), owner).session.state
        }

    def _set_session_state(self, arguments: Arguments, owner: object) -> _Answer:
        state = arguments.binary_or_none("session-state")
        self._session_queue().set_session_state(arguments.text("session-id"), owner, state)
        return {}

    def _sessions(self, arguments: Arguments, owner: object) -> _Answer:
        del owner
        since, skip = arguments.number("last-updated-time"), arguments.number("skip")
        ids = self._session_queue().session_ids(None if since >= ACTIVE_SESSIONS else since)
        page = ids[skip : skip + min(arguments.number("top"), MAX_LISTED)]
        return (
            {"skip": Int(skip + len(page)), "sessions-ids": Array(STRING_ARRAY, tuple(page))}
            if page
            else None
        )


def _tokens(arguments: Arguments) -> list[UUID]:
    return arguments.all_of("lock-tokens", UUID)


def _grave(arguments: Arguments) -> dict[str, str]:
    found = {
        "DeadLetterReason": arguments.text_or_none("deadletter-reason"),
        "DeadLetterErrorDescription": arguments.text_or_none("deadletter-description"),
    }
    return {key: value for key, value in found.items() if value is not None}


def _error(code: int, condition: str, description: str) -> dict[str, Any]:
    return {"statusCode": Int(code), "statusDescription": description, "errorCondition": Symbol(condition)}
