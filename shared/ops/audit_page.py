"""The picture of an audit: one page that stands alone, made for whoever decides what happens next."""

from html import escape

from shared.core.reading.codes import RULES, FindingCode, Severity
from shared.ops.audit_summary import MEANINGS, Summary

_COLOURS = {
    Severity.REFUSE: "#8b1a1a",
    Severity.HOLD: "#c8641e",
    Severity.FLAG: "#2f6db3",
    Severity.INFO: "#8a9099",
}
_WIDTH = 520
_STYLE = """
body{font:15px/1.45 system-ui,sans-serif;color:#1d2329;background:#f6f7f9;margin:0}
main{max-width:1080px;margin:0 auto;padding:24px}
h1{font-size:22px;margin:0 0 4px}h2{font-size:17px;margin:0 0 8px}
p{margin:0 0 14px;color:#4b5561}
section{background:#fff;border:1px solid #dde1e6;border-radius:8px;padding:16px 18px;margin:0 0 16px}
.cards{display:grid;grid-template-columns:repeat(4,1fr);gap:12px;margin:16px 0}
@media(max-width:860px){.cards{grid-template-columns:repeat(2,1fr)}}
.card{background:#fff;border:1px solid #dde1e6;border-left:6px solid;
border-radius:8px;padding:10px 14px}
.card b{display:block;font-size:28px;line-height:1.1}
table{border-collapse:collapse;width:100%}table.file{table-layout:fixed}
.file td:nth-child(1){width:4.5em}.file td:nth-child(2){width:4em}.file td:nth-child(3){width:15.5em}
td{padding:3px 10px 3px 0;vertical-align:top}
td.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td.c{white-space:nowrap;font-weight:600}td.m{color:#4b5561}
@media(max-width:860px){td.b{display:none}td.c{white-space:normal;overflow-wrap:anywhere}
.file td:nth-child(3){width:9em}}
svg{display:block}svg text{font:13px system-ui,sans-serif;fill:#1d2329}
"""


def page(summary: Summary, system: str) -> str:
    """The page as HTML; its only resources are in it."""
    read = sum(summary.counts.values())
    total = sum(summary.severities.values())
    cards = "".join(
        f'<div class="card" style="border-left-color:{_COLOURS[severity]}">'
        f"<b>{summary.severities[severity]}</b>"
        f"{severity.value}<br><small>{escape(meaning)}</small></div>"
        for severity, meaning in MEANINGS.items()
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Audit of {escape(system)}</title><style>{_STYLE}</style></head><body><main>"
        f"<h1>Audit of the export of {escape(system)}</h1>"
        f"<p>{read} records read, {total} findings. Nothing was written to any system. Begin with what is "
        "refused, then what is held; what is told for the record needs nobody.</p>"
        f'<div class="cards">{cards}</div>'
        f"<section><h2>Where they are</h2>{_files(summary)}</section>"
        f"<section><h2>What they are</h2>{_codes(summary)}</section>"
        f"{''.join(_file(summary, file, found) for file, found in summary.by_file())}"
        "</main></body></html>\n"
    )


def _files(summary: Summary) -> str:
    """A bar per file, its length the number of findings, its colours their severities."""
    most = max((sum(found.values()) for found in summary.files.values()), default=1)
    bars = []
    for row, (file, found) in enumerate(summary.by_file()):
        at, y = 260.0, row * 26
        bars.append(f'<text x="252" y="{y + 17}" text-anchor="end">{escape(file)}</text>')
        for severity in MEANINGS:
            count = sum(number for (grade, _), number in found if grade is severity)
            width = count * _WIDTH / most
            if count:
                bars.append(
                    f'<rect x="{at:.1f}" y="{y + 4}" width="{max(width, 1):.1f}" height="18" '
                    f'fill="{_COLOURS[severity]}"><title>{severity.value}: {count}</title></rect>'
                )
            at += width
        bars.append(f'<text x="{at + 8:.1f}" y="{y + 17}">{sum(number for _, number in found)}</text>')
    height = len(summary.files) * 26 + 6
    return f'<svg role="img" aria-label="findings per file" viewBox="0 0 860 {height}">{"".join(bars)}</svg>'


def _codes(summary: Summary) -> str:
    most = max((count for _, _, count in summary.by_code()), default=1)
    rows = [
        f'<tr><td class="c">{code.value}</td><td class="n">{count}</td>'
        f'<td class="b">{_bar(count, most, severity)}</td>'
        f'<td class="m">{escape(RULES[code].meaning)}<br>'
        f"<small>{severity.value}: {escape(RULES[code].action)}</small></td></tr>"
        for code, severity, count in summary.by_code()
    ]
    return f"<table>{''.join(rows)}</table>"


def _file(summary: Summary, file: str, found: list[tuple[tuple[Severity, FindingCode], int]]) -> str:
    rows = [
        f'<tr><td class="c" style="color:{_COLOURS[severity]}">{severity.value}</td>'
        f'<td class="n">{count}</td><td class="c">{code.value}</td>'
        f'<td class="m">{escape(RULES[code].meaning)} <i>{escape(RULES[code].action)}</i><br>'
        f"<small>{_records(summary.examples[file, severity, code], count)}</small></td></tr>"
        for (severity, code), count in found
    ]
    return f'<section><h2>{escape(file)}</h2><table class="file">{"".join(rows)}</table></section>'


def _records(shown: list[str], count: int) -> str:
    more = f" and {count - len(shown)} more" if count > len(shown) else ""
    return escape("; ".join(shown) + more)


def _bar(count: int, most: int, severity: Severity) -> str:
    width = max(count * 220 / most, 2)
    return (
        f'<svg width="224" height="16" role="img" aria-label="{count}">'
        f'<rect y="2" width="{width:.1f}" height="12" fill="{_COLOURS[severity]}"/></svg>'
    )
