"""The `tandem` command: what a person asks of a running service, answered on one screen.

Exit status: 0 fine, 1 the answer is bad news (a wrong sum, nothing found, a replay that did not go through),
2 the question could not be put, 130 it was left by Ctrl-C.
"""

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    try:
        # Read only now: whoever leaves meanwhile is told so, too.
        from shared.ops.asking import answered  # noqa: PLC0415 - as above

        return answered(list(sys.argv[1:] if arguments is None else arguments))
    except KeyboardInterrupt:
        print("\ntandem: left; what the service was asked to do goes on", file=sys.stderr)
        return 130
