"""`python -m local.host --app . --settings .local/settings.json --port N [--engine direct|official]`."""

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from local.host.engines.direct import DirectEngine
from local.host.engines.official import OfficialEngine
from local.host.engines.port import BrokenApp, Engine
from local.host.function import UnsupportedFunction
from local.host.host import Host
from local.host.servicebus.namespace import RECEIVERS
from local.host.settings import InvalidSettings, read_app_settings

ENGINES: dict[str, Callable[[], Engine]] = {"direct": DirectEngine, "official": OfficialEngine}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="local.host", description=__doc__)
    parser.add_argument(
        "--app", type=Path, required=True, help="the folder with function_app.py and host.json"
    )
    parser.add_argument("--settings", type=Path, help="a local.settings.json")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--engine", choices=ENGINES, default="direct")
    parser.add_argument("--receiver", choices=RECEIVERS, default="auto")
    return parser.parse_args()


def main() -> int:
    """Run the app until told to stop; 2 when it cannot be run."""
    given = _arguments()
    logging.basicConfig(
        level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    # The SDKs tell of every frame and request; what fails is told by who asked for it.
    for chatty in ("azure", "httpx", "azure_functions_runtime"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.getLogger("azure.servicebus").setLevel(logging.CRITICAL)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    try:
        for name, value in read_app_settings(given.settings).items():
            os.environ.setdefault(name, value)
        with Host(
            given.app.resolve(), ENGINES[given.engine](), os.environ, given.port, given.receiver
        ) as host:
            # One write, line feed included: other threads log to the same stream by now.
            sys.stdout.write(f"host: {len(host.functions)} functions on {host.url}\n")
            sys.stdout.flush()
            stop.wait()
    except (BrokenApp, UnsupportedFunction, InvalidSettings, OSError) as broken:
        print(f"host: {broken}", file=sys.stderr)
        return 2
    print("host: stopped", flush=True)
    return 0


def end_at_once(status: int) -> None:
    """End the process although app code may still block a thread that Python would wait for."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    end_at_once(main())
