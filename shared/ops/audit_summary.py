"""The findings of an audit, counted: by severity, by file, by code."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.core.reading.codes import FindingCode, Severity
from shared.core.reading.finding import Finding

MEANINGS: Mapping[Severity, str] = {
    Severity.REFUSE: "the file, or what it points at, is not taken",
    Severity.HOLD: "the record waits until somebody has settled it",
    Severity.FLAG: "goes over, after somebody has looked",
    Severity.INFO: "goes over; told for the record",
}
"""What each severity means for the move, the gravest first."""

_SHOWN = 12
"""Records that are named for each kind of finding; the list of findings names all."""

_RANK = {severity: rank for rank, severity in enumerate(MEANINGS)}


@dataclass(slots=True)
class Summary:
    """Counts of findings, and of each kind in each file the first few records; no more of them is kept."""

    severities: Counter[Severity] = field(default_factory=Counter)
    files: dict[str, Counter[tuple[Severity, FindingCode]]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    examples: dict[tuple[str, Severity, FindingCode], list[str]] = field(default_factory=dict)

    def add(self, finding: Finding) -> None:
        """Count one finding; the texts of one folder count as one file."""
        head, slash, _ = finding.file.partition("/")
        file = head + slash
        self.severities[finding.severity] += 1
        self.files.setdefault(file, Counter())[finding.severity, finding.code] += 1
        shown = self.examples.setdefault((file, finding.severity, finding.code), [])
        if len(shown) < _SHOWN:
            shown.append(_place(finding))

    def by_file(self) -> list[tuple[str, list[tuple[tuple[Severity, FindingCode], int]]]]:
        """The counts of each file, gravest and most frequent first."""
        return [
            (file, sorted(found.items(), key=lambda entry: (_RANK[entry[0][0]], -entry[1], entry[0][1])))
            for file, found in self.files.items()
        ]

    def by_code(self) -> list[tuple[FindingCode, Severity, int]]:
        """The counts over all files, gravest and most frequent first."""
        total: Counter[tuple[Severity, FindingCode]] = Counter()
        for found in self.files.values():
            total.update(found)
        return sorted(
            ((code, severity, count) for (severity, code), count in total.items()),
            key=lambda entry: (_RANK[entry[1]], -entry[2], entry[0]),
        )


def _place(finding: Finding) -> str:
    """Where a finding is, in the words of the export: its record and column, and what is said of it."""
    record = " > ".join(finding.record) if isinstance(finding.record, tuple) else finding.record
    column = f" ({finding.remark.field})" if finding.remark.field else ""
    if record is None:
        return f"{finding.remark.detail}{column}".strip() or "the file"
    return f"{record}{column}" + (f": {finding.remark.detail}" if finding.remark.detail else "")
