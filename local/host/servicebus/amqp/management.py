"""`$management` of a queue, as far as a receiver needs it: renewing locks."""

import asyncio
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from local.broker.amqp.decode import decode
from local.broker.amqp.encode import encode
from local.broker.amqp.sections import APPLICATION, PROPERTIES, VALUE
from local.broker.amqp.values import UUID_ARRAY, Array, Described, ULong
from local.host.servicebus.amqp.connection import Connection
from local.host.servicebus.amqp.link import Link, Refused
from local.host.servicebus.port import Disconnected, LockLost

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CORRELATION_ID = 5
_READ_S = 3600.0

_Answer = tuple[dict[Any, Any], Any]


class Management:
    """A pair of links to one queue's management node, attached when first used. Requests may overlap."""

    def __init__(self, connection: Connection, path: str) -> None:
        self._connection = connection
        self._node = f"{path}/$management"
        self._numbers = itertools.count()
        self._waiting: dict[str, asyncio.Future[_Answer]] = {}
        self._attaching = asyncio.Lock()
        self._requests: Link | None = None
        self._reader: asyncio.Task[None] | None = None

    async def renew_session(self, session_id: str) -> datetime:
        """Hold a session longer. Raises LockLost and Disconnected."""
        answer = await self._ask("renew-session-lock", {"session-id": session_id})
        return _EPOCH + timedelta(milliseconds=int(answer["expiration"]))

    async def renew_message(self, lock_token: str) -> datetime:
        """Hold a message longer. Raises LockLost and Disconnected."""
        tokens = Array(UUID_ARRAY, (UUID(lock_token),))
        answer = await self._ask("renew-lock", {"lock-tokens": tokens})
        return _EPOCH + timedelta(milliseconds=int(answer["expirations"].items[0]))

    async def _ask(self, operation: str, body: dict[str, Any]) -> Any:
        requests = await self._attached()
        number = str(next(self._numbers))
        answer: asyncio.Future[_Answer] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            requests.send(
                encode(Described(ULong(PROPERTIES), [number, None, None, None, self._node]))
                + encode(Described(ULong(APPLICATION), {"operation": f"com.microsoft:{operation}"}))
                + encode(Described(ULong(VALUE), body))
            )
            status, said = await self._connection.bounded(answer)
        finally:
            del self._waiting[number]
        if int(status.get("statusCode", 500)) == 200:
            return said
        condition = str(status.get("errorCondition", operation))
        raise LockLost(condition) if condition.endswith("lock-lost") else Disconnected(condition)

    async def _attached(self) -> Link:
        async with self._attaching:
            if self._requests is None:
                requests, answers = Link(self._connection), Link(self._connection)
                try:
                    await requests.attach(self._node, self._node, receives=False)
                    await answers.attach(self._node, self._node, receives=True)
                except Refused as refused:
                    raise Disconnected(refused.condition) from refused
                self._reader = asyncio.ensure_future(self._read(answers))
                self._requests = requests
            return self._requests

    async def _read(self, answers: Link) -> None:
        try:
            while True:
                delivery = await answers.receive(_READ_S)
                if delivery is not None:
                    self._hear(delivery.payload)
        except (Disconnected, LockLost) as lost:
            self._requests = None
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_exception(Disconnected(str(lost)))

    def _hear(self, payload: bytes) -> None:
        sections: dict[int, Any] = {}
        position = 0
        while position < len(payload):
            section, position = decode(payload, position)
            sections[int(section.descriptor)] = section.value
        waiting = self._waiting.get(str(sections[PROPERTIES][_CORRELATION_ID]))
        if waiting is not None and not waiting.done():
            waiting.set_result((sections[APPLICATION], sections.get(VALUE)))
