"""`python -m local.dataverse`: the simulator as a process of the local stack."""

import argparse
import logging
import os
import signal
import threading
from pathlib import Path

from local.dataverse.flows.execution_context import ServiceEndpoint
from local.dataverse.server import Settings, start


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    arguments = _parser().parse_args()
    settings = Settings(
        store=arguments.store,
        http_port=arguments.http_port,
        https_port=arguments.https_port,
        cert=arguments.cert,
        key=arguments.key,
        customisations=arguments.customisations,
        organisation=arguments.organisation,
        security=arguments.security,
        control=arguments.control,
        flows=arguments.flows,
        servicebus=arguments.servicebus or os.environ.get("DATAVERSE_SERVICEBUS"),
        service_endpoint=_service_endpoint(arguments),
    )
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: ended.set())
    with start(settings) as simulator:
        print(
            f"dataverse: listening on {simulator.http_url} and {simulator.https_url or 'no https'}",
            flush=True,
        )
        ended.wait()
    print("dataverse: stopped", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.dataverse", description=__doc__)
    parser.add_argument("--http-port", type=int, default=0)
    parser.add_argument("--https-port", type=int)
    parser.add_argument(
        "--cert", type=Path, help="PEM certificate chain; without it there is no HTTPS listener"
    )
    parser.add_argument("--key", type=Path, help="PEM private key of the certificate")
    parser.add_argument("--store", type=Path, help="SQLite file; without it nothing survives a restart")
    parser.add_argument("--customisations", type=Path, help="the publisher's columns and keys")
    parser.add_argument("--organisation", type=Path, help="what one customer's organisation has of its own")
    parser.add_argument("--security", type=Path, help="security roles and who holds them")
    parser.add_argument("--control", action="store_true", help="open /admin: faults, limits, roles, counts")
    parser.add_argument("--flows", type=Path, help="folder of cloud flow definitions to execute")
    parser.add_argument("--servicebus", help="connection string the flows send to")
    parser.add_argument("--service-endpoint", help="queue that gets every change as RemoteExecutionContext")
    parser.add_argument("--service-endpoint-tables", default="", help="comma list; without it every table")
    parser.add_argument(
        "--service-endpoint-sessions",
        action="store_true",
        help="set the session id, as a forwarder in front of a session queue would",
    )
    return parser


def _service_endpoint(arguments: argparse.Namespace) -> ServiceEndpoint | None:
    if arguments.service_endpoint is None:
        return None
    tables = frozenset(
        name for part in arguments.service_endpoint_tables.split(",") if (name := part.strip())
    )
    return ServiceEndpoint(arguments.service_endpoint, tables, arguments.service_endpoint_sessions)


if __name__ == "__main__":
    main()
