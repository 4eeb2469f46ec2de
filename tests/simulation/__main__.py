"""`python -m tests.simulation [--seeds N] [--first SEED] [--shared] [--plans]`: seeds by the thousand.

They are told of as they are tried. Ctrl-C ends it and says how to go on. The exit code is 1 when a seed
breaks a promise; the story of the first one, cut to what it takes, comes last.
"""

import argparse
import os
import sys
import time

from tests.simulation.shrinking import told
from tests.simulation.trial import tried
from tests.simulation.weather import ORDINARY, Fault
from tests.simulation.world import Plan

_EVERY = 100
"""After so many seeds something is said."""


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> int:
    """Try the seeds asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10_000, help="how many (10,000)")
    first = int(os.environ.get("TANDEM_SEEDS_FROM", "0"))
    parser.add_argument("--first", type=int, default=first, help="the first (TANDEM_SEEDS_FROM, or 0)")
    shared = "with a second legacy system that has some of the same customers"
    parser.add_argument("--shared", action="store_true", help=shared)
    parser.add_argument("--plans", action="store_true", help="where much is refused and replayed by plan")
    asked = parser.parse_args()
    faults = (
        ORDINARY | ({Fault.SHARED} if asked.shared else set()) | ({Fault.PLANS} if asked.plans else set())
    )
    seeds = range(asked.first, asked.first + asked.seeds)
    began, ran, messages, broken = time.monotonic(), 0, 0, list[int]()
    try:
        for block in tried(seeds, faults):
            ran, messages = ran + len(block.seeds), messages + block.messages
            broken += block.broken
            for seed in block.broken:
                _say(f"seed {seed} breaks a promise")
            if ran % _EVERY == 0 or ran == len(seeds):
                took = time.monotonic() - began
                left = took / ran * (len(seeds) - ran)
                _say(f"{ran} of {len(seeds)} seeds, {messages} messages, {took:.0f} s; {left:.0f} s to go")
    except KeyboardInterrupt:
        _say(
            f"stopped; go on with: make simulate SEEDS={len(seeds) - ran} TANDEM_SEEDS_FROM={seeds[0] + ran}"
            f"{' SHARED=1' if asked.shared else ''}{' PLANS=1' if asked.plans else ''}"
        )
        return 130
    if broken:
        _say("\n".join((f"seeds that break a promise: {broken}", told(Plan(broken[0], faults)))))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
