"""`python -m local.broker`: the broker as a process."""

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from local.broker.config import read_config
from local.broker.entities.errors import InvalidArgument
from local.broker.server import Listen, serve
from local.broker.store import StoreUnusable


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="local.broker", description="A local Service Bus. Not for production."
    )
    parser.add_argument("--config", type=Path, required=True, help="the official emulator's config.json")
    parser.add_argument("--amqp-port", type=int, required=True)
    parser.add_argument("--admin-port", type=int, required=True)
    parser.add_argument("--amqps-port", type=int)
    parser.add_argument("--cert", type=Path, help="PEM, for the AMQPS port")
    parser.add_argument("--key", type=Path, help="PEM, for the AMQPS port")
    parser.add_argument("--store", type=Path, help="SQLite file; without one, a restart forgets everything")
    return parser.parse_args()


async def run(options: argparse.Namespace) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    listen = Listen(options.amqp_port, options.admin_port, options.amqps_port, options.cert, options.key)
    async with serve(read_config(options.config), listen, store=options.store) as broker:
        ports = f"AMQP on {broker.amqp_port}, admin on {broker.admin_port}"
        print(f"broker: {ports}; not for production", flush=True)
        broker.failed.add_done_callback(lambda _failed: stop.set())
        await stop.wait()
        if broker.failed.done():
            broker.failed.result()
    print("broker: stopped", flush=True)


def main() -> int:
    """Run the broker; 2 for a configuration or a store that cannot work."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    try:
        asyncio.run(run(arguments()))
    except (InvalidArgument, StoreUnusable) as wrong:
        print(f"broker: {wrong}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
