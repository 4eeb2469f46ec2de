"""Microsoft's own test suite for the Service Bus client, run against the local broker.

    python -m tests.conformance [--short] [-n WORKERS] [pytest arguments]

The tests come with the client's source distribution, which `local/setup.py clients` fetches into
`.local/conformance/`; it is never committed. `exclusions.tsv` beside this file says which of them cannot run
here and why.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.ready import said_when_ready

VERSION = "7.15.0"
HERE = Path(__file__).parent
CHECKOUT = HERE.parent.parent
HOME = CHECKOUT / ".local" / "conformance"

FILES = (
    "test_queues.py",
    "test_sessions.py",
    "test_list_sessions.py",
    "async_tests/test_queues_async.py",
    "async_tests/test_sessions_async.py",
    "async_tests/test_list_sessions_async.py",
)

_CONFIG = '{"UserConfig": {"Namespaces": [{"Name": "sbemulatorns", "Queues": []}]}}'

# Seconds one test may take; the longest sleeps for 310.
_TIMEOUT = "420"


def unpack() -> Path:
    """The folder with the tests, out of the archive that `local/setup.py clients` fetched."""
    with tarfile.open(HOME / f"azure_servicebus-{VERSION}.tar.gz") as source:
        source.extractall(HOME, filter="data")
    tests = HOME / f"azure_servicebus-{VERSION}" / "tests"
    # Theirs needs a recording proxy, and a preparer that needs a subscription in Azure.
    (tests / "conftest.py").unlink()
    (tests / "servicebus_preparer.py").unlink()
    (tests / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n")
    standins = HOME / "standins"
    shutil.rmtree(standins, ignore_errors=True)
    shutil.copytree(HERE / "standins", standins)
    return tests


@contextmanager
def broker() -> Iterator[dict[str, str]]:
    """A broker of its own in its own process; gives the environment that leads the tests to it."""
    config = HOME / "config.json"
    config.write_text(_CONFIG)
    command = [sys.executable, "-m", "local.broker", "--config", str(config)]
    command += ["--amqp-port", "0", "--admin-port", "0"]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = r"broker: AMQP on (\d+), admin on (\d+); not for production"
            amqp, admin = said_when_ready(process, line).groups()
            yield {"TANDEM_CONFORMANCE_AMQP_PORT": amqp, "TANDEM_CONFORMANCE_ADMIN_PORT": admin}
        finally:
            process.terminate()
            # Its last words are read, so that it can say them.
            process.communicate()


def main() -> int:
    """Run the suite; pytest's exit code."""
    parser = argparse.ArgumentParser(prog="tests.conformance")
    parser.add_argument("--short", action="store_true", help="leave out the tests that mostly sleep")
    parser.add_argument(
        "-n", "--workers", default="8", help="tests at a time; they sleep more than they work"
    )
    options, rest = parser.parse_known_args()
    tests = unpack()
    with broker() as leading:
        # A test of ours may be who asks: what its own runner left in the environment is not for theirs.
        ours = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        environment = ours | leading
        environment["PYTHONPATH"] = str(HOME / "standins")
        environment["TANDEM_CONFORMANCE_TABLE"] = str(HERE / "exclusions.tsv")
        environment["TANDEM_CONFORMANCE_SHORT"] = "1" if options.short else ""
        command = [sys.executable, "-m", "pytest", "-p", "tandem_conformance", "-p", "no:cacheprovider"]
        command += ["-q", "-n", options.workers, "--dist", "worksteal", "--timeout", _TIMEOUT, *rest]
        return subprocess.run([*command, *FILES], cwd=tests, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
