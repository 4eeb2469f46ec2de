"""The documents keep up with the code: links lead somewhere, codes have their runbook, examples hold."""

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.core import envelope
from shared.core.change import Change, Message
from shared.core.codes import Code
from shared.ops.asking import parser

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
NOW = datetime(2030, 1, 1, tzinfo=UTC)
SKEW = timedelta(minutes=5)
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def pages(root: Path, files: list[Path]) -> dict[Path, str]:
    return {path: (root / path).read_text() for path in files if path.suffix == ".md"}


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def blocks(text: str, language: str) -> Iterator[str]:
    for _, named, body in FENCE.findall(text):
        if named == language:
            yield body


def test_every_link_leads_somewhere(root: Path, pages: dict[Path, str]) -> None:
    broken: list[str] = []
    for path, text in pages.items():
        for link in (one or other for one, other in LINK.findall(FENCE.sub("", text))):
            if re.match(r"[a-z]+:", link):
                continue
            target, _, anchor = link.partition("#")
            file = (root / path).parent / target if target else root / path
            if not file.exists():
                broken.append(f"{path}: {link}")
            elif anchor and anchor not in anchors(file.read_text()):
                broken.append(f"{path}: {link} (no such heading)")

    assert broken == []


def test_every_error_code_has_a_section_in_its_runbook(root: Path) -> None:
    sections = {
        path.stem: set(re.findall(r"^## ([\w.]+)$", path.read_text(), re.MULTILINE))
        for path in (root / "docs/runbooks").glob("*.md")
    }

    for code in Code:
        assert code.value in sections[code.value.partition(".")[0]]
    families = {code.value.partition(".")[0] for code in Code}
    assert set().union(*(sections[family] for family in families)) == {code.value for code in Code}


def test_every_answer_of_the_doors_has_a_section(root: Path) -> None:
    told = {
        code
        for path in (root / "shared/triggers").glob("*.py")
        for code in re.findall(r'"((?:auth|request|settings|state)\.\w+)"', path.read_text())
    }
    page = (root / "docs/runbooks/doors.md").read_text()

    assert told == set(re.findall(r"^## ((?:auth|request|settings|state)\.\w+)$", page, re.MULTILINE))


def test_every_decision_is_listed_and_has_its_four_parts(root: Path) -> None:
    folder = root / "docs/adr"
    listed = re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", (folder / "README.md").read_text())
    decisions = sorted(path.name for path in folder.glob("[0-9]*.md"))

    assert listed == decisions
    for name in decisions:
        headings = re.findall(r"^## (.+)$", (folder / name).read_text(), re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences", "Rejected"], name


def test_every_json_example_is_json(pages: dict[Path, str]) -> None:
    for path, text in pages.items():
        for block in blocks(text, "json"):
            try:
                json.loads(block)
            except ValueError as error:
                pytest.fail(f"{path}: {error}\n{block}")


def test_every_shell_example_is_shell(pages: dict[Path, str]) -> None:
    for path, text in pages.items():
        for block in blocks(text, "sh"):
            plain = re.sub(r"<[a-z][^<>\n|]*>", "NAME", block)
            checked = subprocess.run(["bash", "-n"], input=plain, capture_output=True, text=True, check=False)
            assert checked.returncode == 0, f"{path}: {checked.stderr}\n{block}"


def test_every_tandem_command_shown_exists(pages: dict[Path, str]) -> None:
    """Each `tandem ...` in a shell example is one the command line understands."""
    shown = {
        line
        for text in pages.values()
        for block in blocks(text, "sh")
        for line in re.findall(
            r"^\s*(?:\.venv/bin/)?tandem ([^|#>\n]*)", re.sub(r"<[^<>\n]*>", "7", block), re.MULTILINE
        )
    }
    grammar = parser()

    assert shown
    for line in shown:
        try:
            grammar.parse_args(shlex.split(line))
        except SystemExit:
            pytest.fail(f"tandem {line} is not understood")


def test_every_make_target_shown_exists(root: Path, pages: dict[Path, str]) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(), re.MULTILINE))
    shown = {
        (path.as_posix(), target)
        for path, text in pages.items()
        for target in re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE)
    }

    assert {place for place in shown if place[1] not in targets} == set()


def test_every_envelope_in_the_documents_is_admitted(pages: dict[Path, str]) -> None:
    """The examples a sender copies are read by the code that reads the sender's messages."""
    found = 0
    for path, text in pages.items():
        for body in re.findall(r"\{\s*\"schemaVersion\".*?\n\s*\}(?='|\n)", text, re.DOTALL):
            sample = json.loads(body)
            key = f"{sample['source']}:{sample['entity']}:{sample['sourceKey']}"
            message = Message("docs", "inbound", key, body.encode())
            assert isinstance(envelope.read(message, NOW, SKEW), Change), path
            found += 1

    assert found >= 2


def test_every_promise_that_is_referred_to_is_written_down_with_what_tries_it(
    root: Path, files: list[Path]
) -> None:
    page = root / "docs/reference/promises.md"
    rows = re.findall(r"^\| `([A-Z]-\d\d[a-z]?)` \| [^|]+ \| (.+) \|$", page.read_text(), re.MULTILINE)
    told = {
        promise
        for path in files
        if path.suffix in {".py", ".md"} and path.parts[:2] != ("tests", "data") and root / path != page
        for promise in re.findall(r"(?<![\w-])[ACEGLNPX]-\d\d[a-z]?(?![\w-])", (root / path).read_text())
    }

    assert told - {promise for promise, _ in rows} == set()
    for promise, tried in rows:
        named = re.findall(r"\(\.\./\.\./(tests/[\w/]+/test_\w+\.py)\)", tried)
        assert named, promise
        assert all("def test_" in (root / name).read_text() for name in named), promise
