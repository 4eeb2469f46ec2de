"""How much of the machine the local broker takes: ratios against the client it serves, or against itself.

`python -m tests.bench.broker` prints JSON: `{"bench": "broker", "measures": [{name, value, limit, unit},
...]}`. A value above its limit is a broken promise; the exit code is then 1.
"""

import asyncio
import gc
import json
import multiprocessing
import sys
import time
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from uuid import uuid4

from azure.servicebus import (
    NEXT_AVAILABLE_SESSION,
    ServiceBusClient,
    ServiceBusMessage,
    ServiceBusReceiver,
    ServiceBusSender,
)
from azure.servicebus.exceptions import OperationTimeoutError

from local.broker.amqp.encode import encode
from local.broker.amqp.sections import parse
from local.broker.amqp.values import Described, ULong
from local.broker.entities.message import Lock, Message
from local.broker.entities.ports import Forgetful, World
from local.broker.entities.queue import Queue
from local.broker.entities.session import Hold
from local.broker.entities.session_queue import SessionQueue
from local.broker.entities.settings import QueueSettings
from local.broker.server import now_ms, serve

BODY = b'{"record": "' + b"x" * 580 + b'"}'

QUEUES = {"plain": QueueSettings(), "sessions": QueueSettings(requires_session=True)}

_MOST_CPU = 0.5


@dataclass(frozen=True, slots=True)
class Measure:
    """One number and the most it may be."""

    name: str
    value: float
    limit: float
    unit: str

    @property
    def kept(self) -> bool:
        return self.value <= self.limit


@dataclass(frozen=True, slots=True)
class Vitals:
    """What a broker process says about itself."""

    cpu_seconds: float
    traced_bytes: int
    connections: int
    sessions: int


def _broker(pipe: Connection, *, traced: bool) -> None:
    """A broker in a process of its own, which answers each line on the pipe with its vitals."""

    async def run() -> None:
        async with serve(QUEUES) as broker:
            pipe.send(broker.connection_string)
            while await asyncio.to_thread(pipe.recv):
                if traced:
                    gc.collect()
                queue = broker.namespace.queue("sessions")
                assert isinstance(queue, SessionQueue)
                memory = tracemalloc.get_traced_memory()[0] if traced else 0
                pipe.send(
                    Vitals(time.process_time(), memory, len(broker.connections), len(queue.session_ids(None)))
                )

    if traced:
        tracemalloc.start()
    asyncio.run(run())


class Running:
    """A broker process."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self.connection_string: str = pipe.recv()

    def vitals(self) -> Vitals:
        self._pipe.send("vitals")
        answer = self._pipe.recv()
        assert isinstance(answer, Vitals)
        return answer


@contextmanager
def running(*, traced: bool = False) -> Iterator[Running]:
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_broker, args=(theirs,), kwargs={"traced": traced}
    )
    process.start()
    try:
        yield Running(ours)
    finally:
        ours.send("")
        process.join()


def send_many(sender: ServiceBusSender, count: int, session: str | None = None) -> None:
    for start in range(0, count, 100):
        messages = [ServiceBusMessage(BODY, session_id=session) for _ in range(min(100, count - start))]
        sender.send_messages(messages)


def receive_many(receiver: ServiceBusReceiver, count: int) -> None:
    while count > 0:
        for message in receiver.receive_messages(100, max_wait_time=5):
            receiver.complete_message(message)
            count -= 1


def cpu_per_message(messages: int = 3000, rounds: int = 6) -> Measure:
    """Broker CPU for receive and complete, as a share of the client's; the quietest of some rounds."""
    shares = []
    with running() as broker, ServiceBusClient.from_connection_string(broker.connection_string) as client:
        for _ in range(rounds):
            with client.get_queue_sender("plain") as sender:
                send_many(sender, messages + 200)
            with client.get_queue_receiver("plain", prefetch_count=200) as receiver:
                receive_many(receiver, 200)
                theirs, ours = broker.vitals().cpu_seconds, time.process_time()
                receive_many(receiver, messages)
                theirs, ours = broker.vitals().cpu_seconds - theirs, time.process_time() - ours
            shares.append(theirs / ours)
    return Measure(
        "broker CPU per received and completed message", round(min(shares), 3), _MOST_CPU, "of the client's"
    )


def _drain_one(client: ServiceBusClient) -> bool:
    link = client.get_queue_receiver(
        "sessions", session_id=NEXT_AVAILABLE_SESSION, prefetch_count=10, keep_alive=0, max_wait_time=2
    )
    try:
        with link:
            for message in link.receive_messages(1, max_wait_time=2):
                link.complete_message(message)
    except OperationTimeoutError:
        return False
    return True


def _turn_over(broker: Running, sessions: int) -> None:
    """Open, drain and close that many sessions."""
    with ServiceBusClient.from_connection_string(broker.connection_string, retry_total=0) as client:
        with client.get_queue_sender("sessions") as sender:
            for _ in range(sessions):
                sender.send_messages(ServiceBusMessage(BODY, session_id=str(uuid4())))
        with ThreadPoolExecutor(48) as pool:
            assert all(pool.map(lambda _: _drain_one(client), range(sessions)))


def growth(sessions: int = 1000) -> Measure:
    """Memory the broker keeps after a thousand sessions came and went, after a first lot filled its
    caches.
    """
    with running(traced=True) as broker:
        _turn_over(broker, 100)
        before = broker.vitals()
        _turn_over(broker, sessions)
        after = broker.vitals()
    assert (after.connections, after.sessions) == (0, 0), "sessions or connections stay behind"
    kept = (after.traced_bytes - before.traced_bytes) / sessions
    return Measure("memory kept per session that came and went", round(max(kept, 0), 1), 256, "bytes")


def slowing(sessions: int = 1000, lots: int = 5) -> Measure:
    """Broker CPU per session in the last lots of a thousand, against the first; the quieter of two each."""
    spent = []
    with running() as broker:
        _turn_over(broker, 100)
        for _ in range(lots):
            before = broker.vitals().cpu_seconds
            _turn_over(broker, sessions // lots)
            spent.append(broker.vitals().cpu_seconds - before)
    value = min(spent[-2:]) / min(spent[:2])
    name = "broker CPU per session opened, drained and closed, the last of 1,000"
    return Measure(name, round(value, 2), 1.5, "times the first")


class _Holder:
    """A receiver that takes a session and nothing from it."""

    deletes = False
    owner = None
    hold: Hold

    def capacity(self) -> int:
        return 0

    def deliver(self, message: Message, lock: Lock | None) -> None:
        raise AssertionError("there was no room")

    def evict(self, reason: Exception) -> None:
        raise AssertionError("there was a session")

    def granted(self, hold: Hold) -> None:
        self.hold = hold


def _payload(session: str) -> bytes:
    properties = encode(Described(ULong(0x73), [str(uuid4()), *[None] * 9, session]))
    return properties + encode(Described(ULong(0x75), BODY))


def _filled(messages: int, sessions: int) -> SessionQueue:
    world = World(now_ms, uuid4, Forgetful(), lambda _when: None)
    settings = QueueSettings(requires_session=True, default_ttl_ms=3_600_000)
    queue = SessionQueue("bench", settings, world, Queue("bench/dead", QueueSettings(), world))
    for number in range(messages):
        queue.send(parse(_payload(f"session-{number % sessions}")))
    return queue


def _accept_seconds(queue: SessionQueue, times: int = 10_000) -> float:
    start = time.process_time()
    for _ in range(times):
        holder = _Holder()
        queue.accept_next(holder, 0)
        queue.release(holder.hold)
    return (time.process_time() - start) / times


def accept_next(messages: int = 100_000, rounds: int = 7) -> Measure:
    """Accept any session, with many waiting, as a multiple of the same with few; the best of each."""
    few, many = _filled(messages, 100), _filled(messages, 10_000)
    seconds = [(_accept_seconds(few), _accept_seconds(many)) for _ in range(rounds)]
    fewest, most = (min(column) for column in zip(*seconds, strict=True))
    name = "accept the next of 10,000 sessions with 100,000 messages"
    return Measure(name, round(most / fewest, 2), 2.0, "times that of 100")


def memory_per_message(messages: int = 20_000) -> Measure:
    """What a waiting message takes beside its body."""
    gc.collect()
    tracemalloc.start()
    queue = _filled(messages, messages // 10)
    gc.collect()
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(queue.shelf.messages) == messages
    return Measure(
        "memory per waiting message beyond its body", round(taken / messages - len(BODY)), 4096, "bytes"
    )


def main() -> int:
    """Measure everything; 1 when a limit is broken."""
    measures = [memory_per_message(), accept_next(), cpu_per_message(), growth(), slowing()]
    sys.stdout.write(
        json.dumps({"bench": "broker", "measures": [asdict(measure) for measure in measures]}, indent=2)
        + "\n"
    )
    return 0 if all(measure.kept for measure in measures) else 1


if __name__ == "__main__":
    sys.exit(main())
