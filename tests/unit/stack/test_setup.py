"""Setting up a bare machine: what is checked before anything is installed."""

import importlib.util
import signal
from pathlib import Path
from types import ModuleType

import pytest

SETUP = Path(__file__).parents[3] / "local" / "setup.py"


@pytest.fixture
def setup(tmp_path: Path) -> ModuleType:
    """The script as a module whose checkout is an empty folder."""
    spec = importlib.util.spec_from_file_location("tandem_setup", SETUP)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, path in {
        "ROOT": tmp_path,
        "VENV": tmp_path / ".venv",
        "NPM": tmp_path / ".local" / "npm",
        "LOG": tmp_path / ".local" / "log" / "setup.log",
    }.items():
        setattr(module, name, path)
    return module


def program(folder: Path, name: str, says: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\necho '{says}'\n")
    file.chmod(0o755)


def test_a_step_that_fails_says_where_its_log_is(
    setup: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(setup.SetupError, match=r"^Trying failed with status 3; the log is .*setup\.log$"):
        setup.step("Trying", ["sh", "-c", "echo the reason; exit 3"], setup.ROOT)

    assert "the reason" in setup.LOG.read_text()
    assert capsys.readouterr().out == "Trying ... failed\n"


def test_a_changed_input_changes_the_stamp(setup: ModuleType, tmp_path: Path) -> None:
    pins = tmp_path / "constraints.txt"
    pins.write_text("a==1\n")
    before = setup.stamp_of(pins)
    (tmp_path / "stamp").write_text(before)

    assert setup.is_stamped(tmp_path / "stamp", setup.stamp_of(pins))
    pins.write_text("a==2\n")
    assert not setup.is_stamped(tmp_path / "stamp", setup.stamp_of(pins))
    assert not setup.is_stamped(tmp_path / "none", before)


@pytest.mark.parametrize(
    ("tools", "told"),
    [
        ({}, r"^node is not installed; the storage emulator needs node 20 or newer and npm\.$"),
        ({"node": "v20.1.0"}, r"^npm is not installed"),
        ({"node": "v18.19.0", "npm": "9"}, r"^node 20 or newer is needed; this is v18\.19\.0\.$"),
    ],
)
def test_a_missing_or_old_node_is_told_in_a_sentence(
    setup: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tools: dict[str, str], told: str
) -> None:
    for name, says in tools.items():
        program(tmp_path, name, says)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(setup.SetupError, match=told):
        setup.check_node()


def test_an_old_python_looks_for_a_newer_one(
    setup: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, "old", "3 9")
    monkeypatch.setattr(setup.sys, "executable", str(tmp_path / "old"))
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(setup.SetupError, match=r"^Python 3\.11 or newer is needed"):
        setup.interpreter()

    program(tmp_path, "python3.12", "3 12")
    assert setup.interpreter() == "python3.12"


def test_an_interrupted_step_is_told_in_a_sentence_and_done_again(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    interrupting = "import os, signal; os.kill(os.getppid(), signal.SIGINT)"

    def step() -> None:
        setup.step("Trying", [setup.sys.executable, "-c", interrupting])

    monkeypatch.setitem(setup.STEPS, "python", step)
    # Whoever runs the tests in the background may have it ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    try:
        assert setup.main(["python"]) == 130
    finally:
        signal.signal(signal.SIGINT, before)
    told = capsys.readouterr()
    assert told.out.startswith("Trying ...")
    assert told.err == "\nInterrupted; the next start does this step again.\n"


def test_a_step_that_does_not_exist_is_told(setup: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert setup.main(["ruby"]) == 2
    assert capsys.readouterr().err == "There is no step called ruby; the steps are python, node, clients.\n"
