"""The desk as the supervisor runs it: a process that is ready when its health answers and ends when told."""

import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[3]


def test_the_process_is_ready_by_its_health_and_ends_cleanly_when_told(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    key = tmp_path / "key"
    key.write_text("right")
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "local.desk", "--port", str(port), "--store", str(tmp_path / "store.db")]
    with subprocess.Popen(
        [*command, "--api-key-file", str(key)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        deadline, pause = time.monotonic() + 15, threading.Event()
        while True:
            try:
                assert httpx.get(f"{url}/health").status_code == 200
                break
            except httpx.TransportError:
                assert time.monotonic() < deadline
                pause.wait(0.02)
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=2)

    assert (process.returncode, said) == (0, f"desk: listening on {url}\ndesk: stopped\n")
