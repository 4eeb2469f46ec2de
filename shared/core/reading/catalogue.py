"""The page that lists every finding, made from the codes and their policies."""

from shared.core.reading.codes import RULES, FindingCode, Severity

_HEAD = "| finding | severity | what it is | what the import does |"
_SEVERITIES = {
    Severity.INFO: "The record goes over. Told for the record.",
    Severity.FLAG: "The record goes over. Somebody should look.",
    Severity.HOLD: "The record waits until somebody has settled it; what hangs from it waits, too.",
    Severity.REFUSE: "The file is not taken, or a path is never read. Other files are audited all the same.",
}


def page() -> str:
    """`docs/reference/findings.md`."""
    lines = [
        "# Findings",
        "",
        "What `tandem migrate audit` can find in an export. Made from `shared/core/reading/codes.py`; a code",
        "never changes its meaning. How to run it: [audit an export](../howto/audit-an-export.md).",
        "",
        "| severity | what it means |",
        "|---|---|",
        *(f"| {severity.value} | {meaning} |" for severity, meaning in _SEVERITIES.items()),
        "",
        "In a few places a finding is milder than here: one empty text of many, a disabled user beside an",
        "enabled one of the same address, the unknown author of a comment. The line in the list says so.",
    ]
    area = ""
    for code in FindingCode:
        begin, _, _ = code.value.partition(".")
        if begin != area:
            area = begin
            lines += [
                "",
                f"## {area}",
                "",
                "| finding | severity | what it is | what the import does |",
                "|---|---|---|---|",
            ]
        rule = RULES[code]
        lines.append(f"| `{code.value}` | {rule.severity.value} | {rule.meaning} | {rule.action} |")
    return "\n".join(lines) + "\n"
