"""Every oddity of our own exports is found where it is, and nothing else; the page names each record."""

import json
from html import escape
from pathlib import Path

import pytest

from shared.ops.cli import main
from tests.data.exports import build
from tests.integration.audit.conftest import audited

EXPECTED = Path(__file__).parents[2] / "data" / "expected"
SYSTEMS = {"allegory": build.allegory, "legrand": build.legrand}


def line(told: dict[str, str | list[str] | None]) -> str:
    record = told["record"]
    where = ",".join(record) if isinstance(record, list) else record or "-"
    return f"{told['severity']:<6} {told['finding']} | {told['file']} | {where} | {told['field'] or '-'}"


@pytest.mark.parametrize("system", SYSTEMS)
def test_what_is_wrong_on_purpose_is_found_and_nothing_else(system: str, tmp_path: Path) -> None:
    SYSTEMS[system](tmp_path / system)

    found = [line(dict(told)) for told in audited(system, tmp_path / system, build.USERS)]

    assert sorted(found) == sorted((EXPECTED / f"{system}_findings.txt").read_text("utf-8").splitlines())


@pytest.mark.parametrize("system", SYSTEMS)
def test_whoever_has_only_the_page_knows_which_records_wait(system: str, tmp_path: Path) -> None:
    SYSTEMS[system](tmp_path / system)
    out, html = tmp_path / "findings.jsonl", tmp_path / "findings.html"
    asked = {"--system": system, "--export": str(tmp_path / system), "--users": str(build.USERS)}

    status = main(
        [
            "migrate",
            "audit",
            *(word for pair in asked.items() for word in pair),
            "--out",
            str(out),
            "--html",
            str(html),
        ]
    )

    page = html.read_text("utf-8")
    told = [json.loads(one) for one in out.read_text("utf-8").splitlines()]
    waiting = [one for one in told if one["severity"] in {"hold", "refuse"}]
    assert status == 1
    assert len(waiting) > 10
    for one in waiting:
        record = " &gt; ".join(one["record"]) if isinstance(one["record"], list) else one["record"]
        assert record in page, one
        assert escape(one["detail"]) in page, one
    for address in ("roberta.almeida@turbinen.example", "mara.okafor@harbour.example", "Okafor"):
        assert address not in page
