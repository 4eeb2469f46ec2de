"""The bare loop that Tandem is measured against: receive and complete with Microsoft's SDK, nothing else.

`python -m tests.bench.peer CONNECTION QUEUE MESSAGES SLOTS IDLE_SECONDS` holds a session per slot until it
was idle for so long, as the Functions extension does, and prints its last message's time and its own CPU.
"""

import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from azure.servicebus import NEXT_AVAILABLE_SESSION, ServiceBusClient
from azure.servicebus.exceptions import OperationTimeoutError


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


def _slot(client: ServiceBusClient, queue: str, idle_s: float, tally: Tally) -> None:
    while tally.left > 0:
        receiver = client.get_queue_receiver(queue, session_id=NEXT_AVAILABLE_SESSION, max_wait_time=1)
        try:
            with receiver:
                while found := receiver.receive_messages(1, max_wait_time=idle_s):
                    for message in found:
                        receiver.complete_message(message)
                    tally.count(len(found))
        except OperationTimeoutError:
            continue


def main(connection: str, queue: str, messages: str, slots: str, idle_s: str) -> None:
    """Receive that many messages and say what it took."""
    tally = Tally(int(messages))
    with ServiceBusClient.from_connection_string(connection, retry_total=0) as client:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        with ThreadPoolExecutor(int(slots)) as pool:
            began = time.process_time()
            for _ in range(int(slots)):
                pool.submit(_slot, client, queue, float(idle_s), tally)
        took = time.process_time() - began
    sys.stdout.write(json.dumps({"finished": tally.finished, "cpu_seconds": took}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
