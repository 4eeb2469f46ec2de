"""Start-up: what a cold start imports before the first message, against azure-functions alone."""

import subprocess
import sys
from collections.abc import Iterator
from statistics import median

from tests.bench.measure import Measure, rounded
from tests.bench.stack import ROOT

_ROUNDS = 7
_TIMED = "import time; began = time.process_time(); import {}; print(time.process_time() - began)"


def startup() -> Iterator[Measure]:
    """CPU of `import function_app` against `import azure.functions`, in turns."""
    rounds = [(_seconds("function_app"), _seconds("azure.functions")) for _ in range(_ROUNDS + 1)][1:]
    ours, theirs = (median(times) for times in zip(*rounds, strict=True))
    ratio = median(app / library for app, library in rounds)
    yield Measure("import of function_app, of azure.functions", rounded(ratio), "ratio", most=1.5)
    yield Measure("import of function_app", rounded(1000 * ours), "ms")
    yield Measure("import of azure.functions", rounded(1000 * theirs), "ms")


def _seconds(module: str) -> float:
    command = [sys.executable, "-c", _TIMED.format(module)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return float(done.stdout)
