"""The desk as the supervisor runs it: a process that says when it is ready and ends when told."""

import signal
import subprocess
import sys
from pathlib import Path

import httpx

from tests.ready import said_when_ready

ROOT = Path(__file__).parents[3]


def test_the_process_says_when_it_is_ready_and_ends_cleanly_when_told(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("right")
    command = [sys.executable, "-m", "local.desk", "--port", "0", "--store", str(tmp_path / "store.db")]
    with subprocess.Popen(
        [*command, "--api-key-file", str(key)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        url = said_when_ready(process, r"desk: listening on (http://127\.0\.0\.1:\d+)")[1]
        assert httpx.get(f"{url}/health").status_code == 200
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=60)

    assert (process.returncode, said) == (0, "desk: stopped\n")
