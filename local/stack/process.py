"""One process of a part: started on a leash, so that it cannot outlive the supervisor, and stopped whole."""

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from local.stack.part import Part

_PR_SET_PDEATHSIG = 1
_LINUX = sys.platform.startswith("linux")
# Looked up before any fork: the child may only make calls that need no lock of the parent's.
_LIBC: Any = ctypes.CDLL(None) if _LINUX else None


def leash(supervisor: int) -> None:
    """In a child, before it becomes its program: the kernel ends it when the supervisor dies.

    Elsewhere than on Linux the next start clears what a killed supervisor left behind.
    """
    if _LIBC is None:
        return
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != supervisor:
        os._exit(1)


def started_at(pid: int) -> str | None:
    """When a process started, as the system tells it, or None if there is no such process.

    A process id alone says nothing after a while, because ids are given out again; with its start it does.
    """
    if _LINUX:
        try:
            # The name in parentheses may hold anything; the fields after it are 3 (state) to 52.
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        return None if fields[0] == "Z" else fields[19]
    asked = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return asked.stdout.strip() or None


def kill_group(pid: int) -> None:
    """Ends a part's process and all that it started, now."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


class PartProcess:
    """A running part. Its process leads a session of its own: Ctrl-C at the terminal reaches only us."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.pid = process.pid
        self.started = started_at(process.pid)

    @classmethod
    async def start(cls, part: Part, directory: Path, log: Path) -> "PartProcess":
        """Starts the part in `directory`; what it prints is added to `log`. OSError if it cannot be run."""
        supervisor = os.getpid()
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *part.command,
                cwd=directory,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **part.environment},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=lambda: leash(supervisor),
            )
        return cls(process)

    @property
    def status(self) -> int | None:
        """The exit status, or None while it runs; negative for a signal."""
        return self._process.returncode

    async def ended(self) -> int:
        """Waits for the end; what the process itself had started is ended too. Returns the exit status."""
        status = await self._process.wait()
        kill_group(self.pid)
        return status

    async def stop(self, grace: float) -> None:
        """Asks the process to stop and, after `grace` seconds, makes it."""
        if self.status is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), grace)
        kill_group(self.pid)
        await self._process.wait()
