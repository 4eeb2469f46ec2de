"""The loops that Tandem is measured against, with Microsoft's SDK and nothing of Tandem's state.

`python -m tests.bench.peer CONNECTION QUEUE MESSAGES SLOTS IDLE_SECONDS [URL]` holds a session per slot until
it was idle for so long, as the Functions extension does, and prints its last message's time and its own CPU.
Bare, it receives and completes. With the URL of Dataverse it is the floor: it reads each body, maps it, and
writes the row over a connection of the slot's own; no order, no merge, no memory of what was done.
"""

import json
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection
from urllib.parse import urlsplit

from azure.servicebus import NEXT_AVAILABLE_SESSION, ServiceBusClient
from azure.servicebus.exceptions import OperationTimeoutError

from mappers.allegory import ALLEGORY
from shared.connectors.dataverse.rows import API
from shared.core.identity import RecordKey, chosen_row_id
from shared.core.mapping.references import DirectoryRef, PlaceholderRef, RecordRef
from shared.core.mapping.rows import encode, write_row

Work = Callable[[bytes], None]


@dataclass(slots=True)
class Tally:
    """What is left to receive."""

    left: int
    finished: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, messages: int) -> None:
        with self.lock:
            self.left -= messages
            self.finished = time.monotonic()


def _nothing(_body: bytes) -> None:
    return


def _writer(url: str) -> Work:
    """Reads, maps and writes a company."""
    to, entry = urlsplit(url), ALLEGORY.map_of("company")
    assert entry is not None
    line = HTTPConnection(to.hostname or "", to.port)
    headers = {"Authorization": "Bearer a-floor", "Content-Type": "application/json"}

    def write(body: bytes) -> None:
        told = json.loads(body)
        values = entry.to_columns(told["data"]).values
        # What names another row is for the crosswalk, which a floor does without.
        plain = {
            name: value
            for name, value in values.items()
            if not isinstance(value, DirectoryRef | PlaceholderRef | RecordRef)
        }
        row = chosen_row_id(RecordKey("floor", "company", told["sourceKey"]))
        line.request("PATCH", f"/{API}/accounts({row})", encode(write_row(entry.table, plain)), headers)
        answer = line.getresponse()
        answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"the floor was answered {answer.status}")

    return write


def _slot(client: ServiceBusClient, queue: str, idle_s: float, tally: Tally, work: Work) -> None:
    while tally.left > 0:
        receiver = client.get_queue_receiver(queue, session_id=NEXT_AVAILABLE_SESSION, max_wait_time=1)
        try:
            with receiver:
                while found := receiver.receive_messages(1, max_wait_time=idle_s):
                    for message in found:
                        work(b"".join(message.body))
                        receiver.complete_message(message)
                    tally.count(len(found))
        except OperationTimeoutError:
            continue


def main(connection: str, queue: str, messages: str, slots: str, idle_s: str, url: str = "") -> None:
    """Receive that many messages and say what it took."""
    tally = Tally(int(messages))
    with ServiceBusClient.from_connection_string(connection, retry_total=0) as client:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        with ThreadPoolExecutor(int(slots)) as pool:
            began = time.process_time()
            held = [
                pool.submit(_slot, client, queue, float(idle_s), tally, _writer(url) if url else _nothing)
                for _ in range(int(slots))
            ]
            for slot in held:
                slot.result()
        took = time.process_time() - began
    sys.stdout.write(json.dumps({"finished": tally.finished, "cpu_seconds": took}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
