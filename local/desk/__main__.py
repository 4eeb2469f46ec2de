"""`python -m local.desk --port N --store F [--api-key-file F]`: the ticket desk as a process."""

import argparse
from pathlib import Path

from local.desk.desk import application
from local.loopback.server import serve


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="local.desk", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--store", type=Path)
    parser.add_argument("--api-key-file", type=Path)
    arguments = parser.parse_args()
    serve("desk", application(arguments.store, arguments.api_key_file), arguments.port)


if __name__ == "__main__":
    main()
