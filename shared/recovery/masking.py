"""What a record's history looks like to somebody who may not see personal data (C-35)."""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.core.identity import DATAVERSE, RecordKey
from shared.core.mapping.personal import Classified, Mask, Personal
from shared.core.ports import Report

_HARMLESS = {"contentType", "enqueuedTimeUtc", "expiresAtUtc", "source", "entity", "tandem-origin"}
"""Message properties that are ours or the broker's; a sender may write anything into the others."""


def masked(entry: Report, table: str, classified: Classified) -> dict[str, Any]:
    """One record's history with every personal value masked; `table` is the Dataverse table it lives in."""
    mask = Mask(classified)

    def changes(found: Mapping[str, Any]) -> dict[str, Any]:
        return {
            column: {name: mask.value(table, column, value) for name, value in change.items()}
            for column, change in found.items()
        }

    def decision(line: Mapping[str, Any]) -> dict[str, Any]:
        return {**line, "changes": changes(line["changes"])}

    def message(told: Mapping[str, Any]) -> dict[str, Any]:
        lines = [decision(line) for line in told.get("decisions", ())]
        return {**_without_properties(told, mask), **({"decisions": lines} if "decisions" in told else {})}

    def column(name: str, told: Mapping[str, Any]) -> dict[str, Any]:
        return {**told, "value": mask.value(table, name, told["value"])}

    shown: dict[str, Any] = {**entry, "masked": True}
    for part in ("shadow", "believed"):
        if entry.get(part):
            columns = {name: column(name, told) for name, told in entry[part]["columns"].items()}
            shown[part] = {**entry[part], "columns": columns}
    if "messages" in entry:
        shown["messages"] = [message(told) for told in entry["messages"]]
        shown["journal"] = [decision(line) for line in entry["journal"]]
        shown["conflicts"] = [
            _masked_sides(line, table, ("base", "inbound", "outbound"), mask) for line in entry["conflicts"]
        ]
    return shown


def masked_conflict(entry: Report, tables: Mapping[tuple[str, str], str], mask: Mask) -> dict[str, Any]:
    """A conflict that waits for a person, with its values masked; `tables` by system and entity."""
    key = RecordKey.parse(entry["subject"] or "")
    table = tables.get((key.system, key.entity), "") if key else ""
    return {**_masked_sides(entry, table, ("agreed", "inbound", "outbound", "value"), mask), "masked": True}


def _masked_sides(line: Report, table: str, sides: Sequence[str], mask: Mask) -> dict[str, Any]:
    return {**line, **{side: mask.value(table, line["column"], line[side]) for side in sides}}


def without_payload(message: Report) -> dict[str, Any]:
    """A message that never got a lane, with the properties its sender wrote masked."""
    return {**_without_properties(message, Mask({})), "masked": True}


def _without_properties(told: Mapping[str, Any], mask: Mask) -> dict[str, Any]:
    hidden = {
        part: {
            name: value
            if name in _HARMLESS or not isinstance(value, str)
            else mask.text(Personal.FREE_TEXT, value)
            for name, value in (told.get(part) or {}).items()
        }
        for part in ("properties", "application_properties")
        if part in told
    }
    return {**told, **hidden}


def table_of(entry: Report, tables: Mapping[tuple[str, str], str]) -> str:
    """The table a record lives in, from its keys or its messages; `tables` by system and entity."""
    keys = [key["key"] for key in entry["crosswalk"]]
    keys += [message["subject"] for message in entry.get("messages", ()) if message["subject"]]
    for text in keys:
        key = RecordKey.parse(text)
        if key is None:
            continue
        found = key.entity if key.system == DATAVERSE else tables.get((key.system, key.entity))
        if found is not None:
            return found
    return ""
