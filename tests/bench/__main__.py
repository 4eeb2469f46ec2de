"""`python -m tests.bench [NAME ...]`: the benchmarks, as a table and as `.local/bench.json`.

Every stated limit is a ratio against a peer or a count, measured in this run; absolute numbers are told
beside them and judged by nobody. The exit code is 1 when a limit is broken. What they measure is told in
`docs/reference/performance.md`.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict

from tests.bench import stack
from tests.bench.crossing import inbound, outbound
from tests.bench.dataverse import dataverse
from tests.bench.host import host
from tests.bench.latency import latency
from tests.bench.mapping import mapping
from tests.bench.measure import Measure
from tests.bench.reading import reading
from tests.bench.replay import replay
from tests.bench.sparse import sparse
from tests.bench.startup import startup
from tests.bench.state import state
from tests.bench.web import web
from tests.bench.writer import writer

ON_THE_STACK: dict[str, Callable[[stack.Stack], Iterator[Measure]]] = {
    "inbound": inbound,
    "outbound": outbound,
    "sparse": sparse,
    "latency": latency,
    "replay": replay,
}
_BROKER = "tests.bench.broker"


def _broker() -> Iterator[Measure]:
    """What the broker's own bench says."""
    command = [sys.executable, "-m", _BROKER]
    done = subprocess.run(command, cwd=stack.ROOT, capture_output=True, text=True, check=False)
    if not done.stdout:
        raise RuntimeError(f"{_BROKER} told nothing: {done.stderr}")
    for told in json.loads(done.stdout)["measures"]:
        yield Measure(told["name"], told["value"], told["unit"], most=told["limit"])


def alone() -> dict[str, Callable[[], Iterator[Measure]]]:
    """The benchmarks that need no stack."""
    return {
        "startup": startup,
        "state": state,
        "web": web,
        "mapping": mapping,
        "reading": reading,
        "dataverse": dataverse,
        "writer": writer,
        "host": host,
        "broker": _broker,
    }


def _told(name: str, measures: Iterator[Measure]) -> list[Measure]:
    """The measures of one benchmark, each printed as it comes."""
    _say(f"\n{name}")
    found = []
    for measure in measures:
        found.append(measure)
        _say(_line(measure))
    return found


def _line(measure: Measure) -> str:
    limit = f"at most {measure.most:g}" if measure.most is not None else ""
    limit = f"at least {measure.least:g}" if measure.least is not None else limit
    broken = "" if measure.kept else "  BROKEN"
    return f"  {measure.name:<72} {measure.value:>9g} {measure.unit:<16} {limit}{broken}".rstrip()


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _run(names: list[str]) -> dict[str, list[Measure]]:
    by_itself = alone()
    results = {name: _told(name, by_itself[name]()) for name in names if name in by_itself}
    crossings = [name for name in names if name in ON_THE_STACK]
    if crossings:
        with stack.running() as running:
            results |= {name: _told(name, ON_THE_STACK[name](running)) for name in crossings}
    return results


def main() -> int:
    """Run the benchmarks asked for, all without arguments; 1 when a limit is broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    every = [*alone(), *ON_THE_STACK]
    parser.add_argument("name", nargs="*", choices=[*every, []], help=", ".join(every))
    began = time.monotonic()
    results = _run(parser.parse_args().name or every)
    broken = [measure.name for found in results.values() for measure in found if not measure.kept]
    target = stack.write_results(
        {
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "seconds": round(time.monotonic() - began, 1),
            "kept": not broken,
            "benches": {
                name: [asdict(measure) | {"kept": measure.kept} for measure in found]
                for name, found in results.items()
            },
        }
    )
    _say(f"\n{time.monotonic() - began:.0f} s; written to {target.relative_to(stack.ROOT)}")
    for name in broken:
        _say(f"Broken: {name}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
