"""The mapping tables people read, `docs/reference/mappings.md`, rendered from the maps."""

from collections.abc import Iterable, Iterator

from shared.core.mapping.spec import EntityMap, Flow, Line, Loss
from shared.core.system import LegacySystem

_ARROWS = {Flow.BOTH: "both ways", Flow.INBOUND: "into Dataverse", Flow.OUTBOUND: "out of Dataverse"}
_INTRODUCTION = """\
# Mapping tables

Rendered from the maps by `python -m mappers.dataverse.generate`; edit the maps, not this page.

Loss says what a field loses on its way: *none*; *format*, the meaning stays but not the way it was written;
*partial*, some values have no counterpart; *dropped*, it deliberately goes nowhere.
A record's own id is not a column: it is kept, with system and entity, in `tandem_sourcekey`.
"""


def page(systems: Iterable[LegacySystem]) -> str:
    """The page as Markdown."""
    parts = [_INTRODUCTION]
    for system in systems:
        parts += [f"\n## {system.name.capitalize()}\n", *(_section(system, entry) for entry in system.maps)]
    return "".join(parts)


def _section(system: LegacySystem, entry: EntityMap) -> str:
    back, lost = _back(system, entry), _losses(entry)
    lines = [
        f"\n### {entry.entity} to {entry.table.name}\n",
        f"\nKey `{entry.key}`{_row_id(entry)}, map version {entry.version}, {back}. Loss: {lost}.\n",
        "\n| field | column | transform | direction | loss | description |\n",
        "|---|---|---|---|---|---|\n",
        *(_row(cells) for cells in _rows(entry)),
    ]
    return "".join(lines)


def _back(system: LegacySystem, entry: EntityMap) -> str:
    """Whether and how a record is written back; why not, where the map says so."""
    if entry.outbound and system.by_import:
        return "written back by import"
    if entry.outbound:
        return f"written back to `{system.collections[entry.entity]}`"
    return f"read only: {entry.one_way.rstrip('.')}" if entry.one_way else "read only"


def _row_id(entry: EntityMap) -> str:
    return f", row's id in `{entry.row_id}`" if entry.row_id else ""


def _rows(entry: EntityMap) -> Iterator[tuple[str, ...]]:
    for line in entry.fields:
        column = f"`{line.column.name}`"
        yield f"`{line.legacy}`", column, line.via.name, _ARROWS[line.flow], line.loss.value, describe(line)
    for dropped in entry.dropped:
        yield f"`{dropped.legacy}`", "", "", "", Loss.DROPPED.value, dropped.reason


def describe(line: Line) -> str:
    """What a line means: the column's label, why it is so, and the other word for it."""
    parts = [line.column.label + ".", line.description, f'Also called "{line.alias}".' if line.alias else ""]
    return " ".join(part for part in parts if part)


def _losses(entry: EntityMap) -> str:
    counts = {loss: sum(line.loss is loss for line in entry.fields) for loss in Loss}
    counts[Loss.DROPPED] += len(entry.dropped)
    return ", ".join(f"{count} {loss.value}" for loss, count in counts.items() if count)


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"
