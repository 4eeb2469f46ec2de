"""`python -m local.telemetry --port N --store F`: the sink as a process."""

import argparse
from pathlib import Path

from local.loopback.server import serve
from local.telemetry.sink import application


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="local.telemetry", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--store", type=Path)
    arguments = parser.parse_args()
    serve("telemetry", application(arguments.store), arguments.port)


if __name__ == "__main__":
    main()
