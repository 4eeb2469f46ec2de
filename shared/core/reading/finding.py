"""What an audit reports: a finding, in the one shape that every reader of the list relies on."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shared.core.reading.codes import RULES, FindingCode, Severity


class Entry(StrEnum):
    """The columns of the list of findings, one JSON object per line."""

    SYSTEM = "system"
    FILE = "file"
    RECORD = "record"
    FIELD = "field"
    FINDING = "finding"
    SEVERITY = "severity"
    ACTION = "action"
    DETAIL = "detail"


@dataclass(frozen=True, slots=True)
class Remark:
    """Something odd about one value, row or file, before it is known whose it is.

    `detail` gives numbers, rules and column names, never a value of the export. `severity` is the code's own
    unless a place in the export makes it milder or worse.
    """

    code: FindingCode
    detail: str = ""
    field: str | None = None
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a person or the import has to know about an export.

    `record` is the key as it stands in the export, parts joined by `/`; a tuple for a cycle, None for a file.
    """

    system: str
    file: str
    record: str | tuple[str, ...] | None
    remark: Remark

    @property
    def code(self) -> FindingCode:
        """The stable name of what was found."""
        return self.remark.code

    @property
    def severity(self) -> Severity:
        """How much it holds up."""
        return self.remark.severity or RULES[self.remark.code].severity

    def told(self) -> dict[str, Any]:
        """The finding as a line of the list."""
        rule = RULES[self.remark.code]
        return {
            Entry.SYSTEM.value: self.system,
            Entry.FILE.value: self.file,
            Entry.RECORD.value: list(self.record) if isinstance(self.record, tuple) else self.record,
            Entry.FIELD.value: self.remark.field,
            Entry.FINDING.value: self.remark.code.value,
            Entry.SEVERITY.value: self.severity.value,
            Entry.ACTION.value: rule.action,
            Entry.DETAIL.value: self.remark.detail or rule.meaning,
        }


@dataclass(frozen=True, slots=True)
class Reading:
    """A cell once it is read: the value that is meant, None for none or an unreadable one, and remarks."""

    value: Any = None
    remarks: tuple[Remark, ...] = ()
