"""`tandem migrate audit`: an export read from end to end, its findings written down and summed up."""

import argparse
import json
import sys
from collections.abc import Iterator
from typing import IO

from mappers.exports import EXPORTS
from shared.connectors.exports import pages
from shared.connectors.exports.folder import Folder
from shared.core.reading.codes import RULES, Severity
from shared.core.reading.finding import Finding
from shared.core.reading.source import Unreadable
from shared.migration.audit import Audit
from shared.migration.users import Users
from shared.ops.audit_page import page
from shared.ops.audit_summary import MEANINGS, Summary
from shared.ops.screen import put


def audited(asked: argparse.Namespace) -> int:
    """Audit an export. 0: nothing holds anything up; 1: something does; 2: the audit could not be run."""
    others = [tuple(other.partition("=")[::2]) for other in asked.also]
    if not all(folder for _, folder in others):
        return _impossible("--also wants SYSTEM=FOLDER, such as crm=exports/crm")
    if unknown := [system for system in (asked.system, *dict(others)) if system not in EXPORTS]:
        return _impossible(f"no system is called {unknown[0]}; there are {', '.join(EXPORTS)}")
    try:
        users = Users.read(asked.users.read_bytes())
        twins = tuple(
            Audit(EXPORTS[system], Folder(folder), users, pages.plain, pages.is_html)
            for system, folder in others
        )
        for twin in twins:
            # Only what it remembers is wanted; its own findings are the business of its own audit.
            for _ in twin.run():
                pass
        audit = Audit(EXPORTS[asked.system], Folder(asked.export), users, pages.plain, pages.is_html, twins)
        with asked.out.open("w", encoding="utf-8", newline="\n") as out:
            summary = _written(audit.run(), out)
        summary.counts.update(audit.counts)
        if asked.html:
            asked.html.write_text(page(summary, asked.system), encoding="utf-8")
    except Unreadable as problem:
        return _impossible(str(problem))
    except OSError as problem:
        return _impossible(f"{problem.strerror}: {problem.filename}" if problem.strerror else str(problem))
    put(_screen(summary, asked.system) + _next(asked))
    return 1 if summary.severities[Severity.HOLD] or summary.severities[Severity.REFUSE] else 0


def _written(findings: Iterator[Finding], out: IO[str]) -> Summary:
    summary = Summary()
    for finding in findings:
        out.write(json.dumps(finding.told(), ensure_ascii=False) + "\n")
        summary.add(finding)
    return summary


def _screen(summary: Summary, system: str) -> str:
    """The findings by file and code, the gravest first."""
    read = sum(summary.counts.values())
    lines = [f"{system}: {read} records read, {sum(summary.severities.values())} findings", ""]
    lines += [
        f"  {severity.value:<7}{summary.severities[severity]:>6}   {meaning}"
        for severity, meaning in MEANINGS.items()
    ]
    for file, found in summary.by_file():
        lines += ["", file]
        lines += [
            f"  {severity.value:<7}{count:>6}   {code.value:<28} {RULES[code].meaning}"
            for (severity, code), count in found
        ]
    return "\n".join(lines)


def _next(asked: argparse.Namespace) -> str:
    """Where the rest is, and what it means."""
    page_of = f", the picture in {asked.html}" if asked.html else ""
    return (
        f"\n\nRecord by record in {asked.out}{page_of}.\n"
        "What each finding means and what the import does: docs/reference/findings.md. Begin with refuse."
    )


def _impossible(problem: str) -> int:
    print(f"tandem: {problem}", file=sys.stderr)
    return 2
