"""Sets up a checkout on a bare machine: `python3 local/setup.py [python] [node] [clients]`.

Runs on the standard library alone, because it is what installs everything else. `python` makes `.venv` with
the pinned packages and the project in it; `node` puts the storage emulator into `.local/npm`; these two are
done if nothing is named. `clients` puts what only tests need into `.local/clients` and `.local/conformance`:
clients that nobody here wrote, and the suite that one of them is tested with. Each leaves a stamp of what it
was made from, so that a second run costs next to nothing. Registries, proxies and certificates are those of
the machine's own pip and npm configuration.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
NPM = ROOT / ".local" / "npm"
CLIENTS = ROOT / ".local" / "clients"
SUITE = ROOT / ".local" / "conformance"
LOG = ROOT / ".local" / "log" / "setup.log"

OLDEST_PYTHON = (3, 11)
OLDEST_NODE = 20

# The Functions worker's own library says that it needs Python 3.13, and runs on 3.11 all the same; pip can be
# told so per command, not per requirement, hence a step of its own.
RUNTIME = ("azure-functions-runtime==1.3.0", "azurefunctions-extensions-base==1.2.0")


class SetupError(Exception):
    """A step cannot be done; the message is for the person at the terminal."""


def stamp_of(*inputs: Path, more: str = "") -> str:
    """A text that changes whenever one of the files, or `more`, does."""
    digest = hashlib.sha256(more.encode())
    for path in inputs:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def is_stamped(stamp: Path, wanted: str) -> bool:
    """Whether the step that leaves this stamp was done from the same inputs."""
    return stamp.exists() and stamp.read_text() == wanted


def step(what: str, command: list[str], directory: Path = ROOT) -> None:
    """Runs one command with its output in the log; a failure raises SetupError with a sentence."""
    print(f"{what} ...", end=" ", flush=True)
    began = time.monotonic()
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with LOG.open("a") as log:
        log.write(f"\n$ {' '.join(command)}\n")
        log.flush()
        done = subprocess.run(
            command,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode != 0:
        print("failed", flush=True)
        raise SetupError(f"{what} failed with status {done.returncode}; the log is {LOG}")
    print(f"{time.monotonic() - began:.0f} s", flush=True)


def version_of(python: str) -> tuple[int, ...] | None:
    """The version of a Python interpreter, or None if it cannot be run."""
    try:
        said = subprocess.run(
            [python, "-c", "import sys; print(*sys.version_info[:2])"],
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return None
    return tuple(int(number) for number in said.stdout.split()) if said.returncode == 0 else None


def interpreter() -> str:
    """A Python that is new enough: this one, or another on the PATH."""
    for candidate in (sys.executable, "python3.13", "python3.12", "python3.11"):
        version = version_of(candidate)
        if version is not None and version >= OLDEST_PYTHON:
            return candidate
    wanted = ".".join(str(number) for number in OLDEST_PYTHON)
    raise SetupError(f"Python {wanted} or newer is needed; this is {sys.version.split()[0]}.")


def make_environment(folder: Path) -> None:
    """Makes a virtual environment in the folder if there is none that works."""
    version = version_of(str(folder / "bin" / "python"))
    if version is not None and version >= OLDEST_PYTHON:
        return
    shutil.rmtree(folder, ignore_errors=True)
    python = interpreter()
    if (
        subprocess.run([python, "-c", "import ensurepip, venv"], capture_output=True, check=False).returncode
        != 0
    ):
        raise SetupError(
            f"{python} has no venv module; on Debian and Ubuntu `apt-get install python3-venv` brings it."
        )
    step(f"Making {folder.relative_to(ROOT)}", [python, "-m", "venv", str(folder)])


def pip_install(folder: Path) -> list[str]:
    """The beginning of a command that installs into the virtual environment in the folder."""
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install"]
    return [*pip, "--disable-pip-version-check", "--no-input"]


def set_up_python() -> None:
    """`.venv` with the pinned packages, the worker's library and the project itself."""
    inputs = [
        ROOT / name
        for name in ("requirements.txt", "requirements-dev.txt", "constraints.txt", "pyproject.toml")
    ]
    # A checkout that was moved needs its scripts and its link to the sources written anew.
    wanted = stamp_of(*inputs, more=" ".join((*RUNTIME, str(ROOT))))
    stamp = VENV / "tandem.stamp"
    if is_stamped(stamp, wanted):
        return
    make_environment(VENV)
    pip = pip_install(VENV)
    step(
        "Installing the Python packages (a minute or two)",
        [*pip, "-r", "requirements-dev.txt", "-c", "constraints.txt"],
    )
    step(
        "Installing the Functions worker's library", [*pip, "--no-deps", "--ignore-requires-python", *RUNTIME]
    )
    step("Installing the project", [*pip, "--no-deps", "--no-build-isolation", "-e", "."])
    stamp.write_text(wanted)


def check_node() -> None:
    """Raises SetupError unless node and npm are here and node is new enough."""
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            raise SetupError(
                f"{tool} is not installed; the storage emulator needs node {OLDEST_NODE} or newer and npm."
            )
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout.strip()
    major = said.lstrip("v").partition(".")[0]
    if not major.isdecimal() or int(major) < OLDEST_NODE:
        raise SetupError(f"node {OLDEST_NODE} or newer is needed; this is {said or 'unknown'}.")


def npm_install(what: str, sources: Path, target: Path) -> None:
    """Installs into `target` exactly what the lock file in `sources` names, unless that was done already."""
    files = [sources / name for name in ("package.json", "package-lock.json")]
    wanted = stamp_of(*files)
    stamp = target / "tandem.stamp"
    if is_stamped(stamp, wanted):
        return
    check_node()
    target.mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.copyfile(file, target / file.name)
    # No package here needs an install script, and none gets to run one.
    options = ["--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund"]
    step(what, ["npm", "ci", *options], target)
    stamp.write_text(wanted)


def set_up_node() -> None:
    """The storage emulator, exactly as the lock file has it."""
    npm_install("Installing the storage emulator", ROOT / "local" / "npm", NPM)


def set_up_clients() -> None:
    """What only tests need: other people's clients as pinned in `local/clients`, and a client's own suite."""
    pins = ROOT / "local" / "clients"
    npm_install("Installing the npm clients for the tests", pins, CLIENTS / "node")
    environment = CLIENTS / "python"
    wanted = stamp_of(pins / "requirements.txt", more=str(ROOT))
    stamp = environment / "tandem.stamp"
    if not is_stamped(stamp, wanted):
        make_environment(environment)
        arguments = ["--no-deps", "-r", str(pins / "requirements.txt")]
        step("Installing the Python client for the tests", [*pip_install(environment), *arguments])
        stamp.write_text(wanted)
    fetch_suite()


def fetch_suite() -> None:
    """The source distribution of the Service Bus client, which carries the client's own live tests."""
    pin = ROOT / "tests" / "conformance" / "requirements.txt"
    wanted = stamp_of(pin)
    stamp = SUITE / "tandem.stamp"
    if is_stamped(stamp, wanted):
        return
    shutil.rmtree(SUITE, ignore_errors=True)
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "download", "--disable-pip-version-check", "--no-input"]
    options = ["--no-deps", "--no-binary", ":all:", "--no-build-isolation", "--require-hashes"]
    what = "Fetching the Service Bus client's own tests"
    step(what, [*pip, *options, "--dest", str(SUITE), "-r", str(pin)])
    stamp.write_text(wanted)


STEPS = {"python": set_up_python, "node": set_up_node, "clients": set_up_clients}
# What a run of the local stack needs; the other steps are for tests and have to be named.
ORDINARY = ("python", "node")


def main(names: list[str]) -> int:
    """Does the steps of these names; exit status 2, and a sentence, if one cannot be done."""
    unknown = [name for name in names if name not in STEPS]
    if unknown:
        print(f"There is no step called {unknown[0]}; the steps are {', '.join(STEPS)}.", file=sys.stderr)
        return 2
    (ROOT / ".local").mkdir(exist_ok=True)
    with (ROOT / ".local" / "setup.lock").open("w") as lock:
        # Two terminals may set up the same checkout; the second waits and then finds the stamps.
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            for name in names or ORDINARY:
                STEPS[name]()
        except SetupError as fault:
            print(fault, file=sys.stderr)
            return 2
        except KeyboardInterrupt:
            print("\nInterrupted; the next start does this step again.", file=sys.stderr)
            return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
