"""The Functions host alone: how many sessions of one message it turns over, with the settings of host.json.

One record per session is the normal case. A slot holds a session until it was idle for `sessionIdleTimeout`,
so slots and idle time say what no host could exceed; that is the peer. The app does nothing, on each engine.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from azure.servicebus import ServiceBusClient, ServiceBusMessage

from tests.bench.broker import Running, running
from tests.bench.measure import Measure, rounded
from tests.bench.stack import ROOT, cpu_seconds, slots, until

_QUEUE = "sessions"
_LOT = 640
_LOTS = 3

_APP = """
import azure.functions as func

app = func.FunctionApp()


@app.function_name("nothing")
@app.service_bus_queue_trigger(
    arg_name="message", queue_name="sessions", connection="ServiceBus", is_sessions_enabled=True
)
async def nothing(message: func.ServiceBusMessage) -> None:
    pass
"""

_LEAST = 0.625
"""Two hundred a second with the 32 slots and the tenth of a second that host.json has."""


def host() -> Iterator[Measure]:
    """Sessions a second on each engine, as a share of what the settings allow."""
    count, idle_s = slots()
    most = count / idle_s
    for engine in ("direct", "official"):
        with running() as broker, _serving(broker, engine) as process:
            lots = [_turned_over(broker, process) for _ in range(_LOTS)]
        rate, cpu = max(lots)
        share = rounded(rate / most)
        yield Measure(
            f"{engine}: sessions of one message, of what the settings allow", share, "ratio", least=_LEAST
        )
        yield Measure(f"{engine}: sessions of one message", rounded(rate), "sessions/s")
        yield Measure(f"{engine}: CPU of the host", rounded(1000 * cpu), "ms/session")


def _turned_over(broker: Running, process: "subprocess.Popen[bytes]") -> tuple[float, float]:
    """Sessions a second, and CPU seconds of the host for each."""
    before = cpu_seconds(process.pid)
    with (
        ServiceBusClient.from_connection_string(broker.connection_string) as client,
        client.get_queue_sender(_QUEUE) as sender,
    ):
        began = time.monotonic()
        for first in range(0, _LOT, 80):
            sender.send_messages(
                [ServiceBusMessage("{}", session_id=str(number)) for number in range(first, first + 80)]
            )
        until("every session to be turned over", lambda: broker.vitals().sessions == 0)
    return _LOT / (time.monotonic() - began), (cpu_seconds(process.pid) - before) / _LOT


@contextmanager
def _serving(broker: Running, engine: str) -> "Iterator[subprocess.Popen[bytes]]":
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as folder:
        app, settings = Path(folder), Path(folder) / "local.settings.json"
        (app / "function_app.py").write_text(_APP, encoding="utf-8")
        shutil.copy(ROOT / "host.json", app)
        settings.write_text(
            json.dumps({"Values": {"ServiceBus": broker.connection_string}}), encoding="utf-8"
        )
        command = [sys.executable, "-m", "local.host", "--app", folder, "--settings", str(settings)]
        command += ["--port", "0", "--engine", engine]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
            said = process.stdout
            assert said is not None
            try:
                until("the host", lambda: b" on http://" in said.readline())
                yield process
            finally:
                process.terminate()
                process.wait()
