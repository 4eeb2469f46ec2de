"""The app run once from end to end on an engine and a Python, against everything it talks to on this machine.

A run is a process (`drive.py`) with the settings of the sample, a new SQLite file and new far sides. What it
answered, what is in its state and what the far sides saw are kept in a `Run`.
"""

import fcntl
import gc
import json
import os
import shutil
import sqlite3
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.broker.config import read_config
from local.broker.server import in_thread
from local.crm.rest import start as start_crm
from local.crm.systems import SYSTEMS
from local.dataverse.server import Settings as DataverseSettings
from local.dataverse.server import start as start_dataverse
from local.desk import start as start_desk
from local.identity.clients import identity_header_kept_in
from local.identity.issuer import TENANT
from local.setup import RUNTIME, is_stamped, stamp_of
from local.stack.certificates import certificates_in
from local.stack.ports import pick_ports
from local.stack.settings import issuer
from local.telemetry.sink import start as start_sink

ROOT = Path(__file__).parents[3]
DRIVE = Path(__file__).parent / "drive.py"
OTHER = (3, 13)
"""The Python of the newer Functions workers, beside the one that runs the tests."""


@dataclass(frozen=True)
class Surroundings:
    """What the app is told of its identity and its vault, and what people and Allegory know."""

    settings: dict[str, str]
    tokens: dict[str, str]
    allegory_key: Path


@dataclass(frozen=True)
class Run:
    """One run of the app: its listing, the end of each call, its state, and what the far sides hold."""

    python: tuple[int, int]
    listing: dict[str, list[dict[str, Any]]]
    ended: list[dict[str, Any]]
    rows: Callable[[str], list[tuple[Any, ...]]]
    queues: dict[str, int]
    allegory: dict[str, dict[str, str]]
    accounts: list[dict[str, Any]]
    tickets: list[dict[str, Any]]
    told: list[dict[str, Any]]


@pytest.fixture(scope="session")
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Surroundings]:
    """The local issuer and vault, as processes."""
    state = tmp_path_factory.mktemp("surroundings")
    files = certificates_in(state / "ca")
    ports = pick_ports({}, state / "ports.json")
    pair = ("--cert", str(files.certificate), "--key", str(files.key))
    programs = {
        "identity": (*pair, "--state", str(state / "identity")),
        "vault": (
            *(*pair, "--state", str(state / "vault")),
            *("--issuer", issuer(ports), "--ca", str(files.authority)),
        ),
    }
    trust = ssl.create_default_context(cafile=str(files.authority))
    with ExitStack() as ending, httpx.Client(verify=trust, trust_env=False) as http:
        for name, arguments in programs.items():
            command = [sys.executable, "-m", f"local.{name}", "--port", str(ports[name]), *arguments]
            process = ending.enter_context(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL))
            ending.callback(process.terminate)
            _wait_for(http, f"https://127.0.0.1:{ports[name]}/health", process)
        secrets = json.loads((state / "vault" / "secrets.json").read_text())
        (key,) = (each["versions"][-1]["value"] for each in secrets if each["name"] == "allegory-api-key")
        (state / "allegory-key").write_text(key)
        base = f"https://127.0.0.1:{ports['identity']}"
        settings = {
            "IDENTITY_ENDPOINT": f"{base}/msi/token",
            "IDENTITY_HEADER": identity_header_kept_in(state / "identity"),
            "REQUESTS_CA_BUNDLE": str(files.bundle),
            "SSL_CERT_FILE": str(files.bundle),
            "KEY_VAULT_URL": f"https://127.0.0.1:{ports['vault']}",
            "AUTH_ISSUER": issuer(ports),
            "AUTH_JWKS_URL": f"{base}/{TENANT}/discovery/v2.0/keys",
        }
        tokens = json.loads((state / "identity" / "tokens.json").read_text())
        yield Surroundings(settings, tokens, state / "allegory-key")


def _wait_for(http: httpx.Client, health: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            if http.get(health).status_code == 200:
                return
        except httpx.TransportError:
            assert process.poll() is None, f"{health} will never answer"
        assert time.monotonic() < deadline, f"{health} does not answer"


@pytest.fixture(scope="session")
def run_app(surroundings: Surroundings, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Run]:
    """Run the app on an engine, with a Python, through calls; some with settings of their own."""

    def run(
        engine: str, python: str, asked: Sequence[dict[str, Any]], settings: Mapping[str, str] | None = None
    ) -> Run:
        folder = tmp_path_factory.mktemp("run")
        with ExitStack() as ending:
            broker = ending.enter_context(in_thread(read_config(ROOT / "infra/servicebus/config.json")))
            organisation = DataverseSettings(customisations=ROOT / "infra/dataverse/customisations.json")
            dataverse = ending.enter_context(start_dataverse(organisation))
            crm = start_crm(SYSTEMS["allegory"], api_key_file=surroundings.allegory_key)
            allegory, desk, sink = (ending.enter_context(each) for each in (crm, start_desk(), start_sink()))
            for number in (1, 2):
                record = {"name": f"Nordwind {number}", "phone": "+49 40 1"}
                httpx.put(f"{allegory.url}/companies/C-{number}", json=record).raise_for_status()
            environment = {
                **json.loads((ROOT / "local.settings.sample.json").read_text())["Values"],
                **surroundings.settings,
                "ServiceBusConnection": broker.connection_string,
                "SQL_URL": f"sqlite:///{folder / 'tandem.db'}",
                "DATAVERSE_URL": dataverse.http_url,
                "ALLEGORY_URL": allegory.url,
                "TICKETS_URL": desk.url,
                "APPLICATIONINSIGHTS_CONNECTION_STRING": (
                    f"InstrumentationKey=7a2d0000-0000-4000-8000-00000000fee2;IngestionEndpoint={sink.url}/"
                ),
                "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
                # Telemetry that a far side did not take waits here, and in no folder that runs share.
                "TMPDIR": str(folder),
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(ROOT),
                **(settings or {}),
            }
            answered = _driven(engine, python, asked, environment, folder)
            person = {"Authorization": "Bearer a-person"}
            accounts = httpx.get(f"{dataverse.http_url}/api/data/v9.2/accounts", headers=person).json()
            records = httpx.get(f"{allegory.url}/companies").json()["records"]
            queues = httpx.get(f"http://127.0.0.1:{broker.admin_port}/admin/queues").json()["queues"]
            return Run(
                python=answered["python"],
                listing=answered["listing"],
                ended=answered["ended"],
                rows=lambda query: _rows(folder / "tandem.db", query),
                queues={queue["name"]: queue["active"] for queue in queues},
                allegory={record["company_id"]: record for record in records},
                accounts=accounts["value"],
                tickets=httpx.get(f"{desk.url}/tickets").json()["tickets"],
                told=httpx.get(f"{sink.url}/items").json()["items"],
            )

    return run


def _driven(
    engine: str, python: str, asked: Sequence[dict[str, Any]], environment: dict[str, str], folder: Path
) -> dict[str, Any]:
    (folder / "asked.json").write_text(json.dumps(asked))
    done = subprocess.run(
        [python, str(DRIVE), engine, str(folder / "asked.json"), str(folder / "answered.json")],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    if done.returncode:
        pytest.fail(f"the app ended with {done.returncode}: {done.stderr or done.stdout}", pytrace=False)
    answered: dict[str, Any] = json.loads((folder / "answered.json").read_text())
    return answered


def _rows(file: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(query).fetchall()


@pytest.fixture(scope="session")
def other_python() -> str:
    """A Python 3.13 with what the app needs, made under `.local/py313` from the same pins, once."""
    found = _interpreter()
    if found is None:
        pytest.skip(
            "there is no Python 3.13 on this machine: not on the PATH, and not among pyenv's versions"
        )
    environment = ROOT / ".local" / "py313"
    environment.mkdir(parents=True, exist_ok=True)
    with (ROOT / ".local" / "py313.lock").open("w") as lock:
        # Two runs of the tests may want it; the second waits and then finds it made.
        fcntl.flock(lock, fcntl.LOCK_EX)
        pins = (ROOT / "requirements.txt", ROOT / "constraints.txt")
        wanted = stamp_of(*pins, more=" ".join((*RUNTIME, found)))
        if not is_stamped(environment / "tandem.stamp", wanted):
            _make(environment, found)
            (environment / "tandem.stamp").write_text(wanted)
    return str(environment / "bin" / "python")


def _interpreter() -> str | None:
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    name = "python" + ".".join(map(str, OTHER))
    candidates = [shutil.which(name), *sorted(map(str, pyenv.glob(f"versions/*/bin/{name}")))]
    # A name on the PATH may be a shim that answers only inside some folders.
    return next((each for each in candidates if each is not None and _version(each) == OTHER), None)


def _version(python: str) -> tuple[int, ...]:
    said = subprocess.run(
        [python, "-c", "import sys; print(*sys.version_info[:2])"],
        capture_output=True,
        text=True,
        check=False,
    )
    return tuple(map(int, said.stdout.split())) if said.returncode == 0 else ()


def _make(environment: Path, python: str) -> None:
    pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check", "-q"]
    for command in (
        [python, "-m", "venv", "--clear", str(environment)],
        [*pip, "-r", "requirements.txt", "-c", "constraints.txt"],
        [*pip, "--no-deps", *RUNTIME],
    ):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.fail(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}", pytrace=False)


@pytest.fixture(autouse=True, scope="session")
def collected() -> Iterator[None]:
    """What the simulators' own clients left is collected here and not in a stranger's test."""
    yield
    gc.collect()
