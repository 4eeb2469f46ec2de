"""Waiting for a process that picks its own ports and says when it is ready, and where.

A test that picks a free port, lets it go and hands it to a process may find it taken.
"""

import re
import subprocess


def said_when_ready(process: "subprocess.Popen[str]", line: str) -> re.Match[str]:
    """The line, a pattern, of a process' output; fails with what it said instead before it ended."""
    assert process.stdout is not None
    said = []
    while text := process.stdout.readline():
        if found := re.fullmatch(line, text.rstrip("\n")):
            return found
        said.append(text)
    raise AssertionError(f"the process ended and said {''.join(said)!r}")
