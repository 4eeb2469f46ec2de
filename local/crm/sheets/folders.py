"""The folders of a drop: files that people keep with records, and what they did as texts with a head."""

import base64
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from local.crm.sheets.declaration import Files, Module, SheetSystem, Texts

Records = Sequence[Mapping[str, str]]


def shown_records(system: SheetSystem, records: Mapping[str, Records]) -> dict[str, Records]:
    """The records of every module as an export shows them: a file's with its name in the drop and its size.

    Of several files of one name the second is called "name (1)", and so on, in the order they were made.
    """
    declared = {module.name: module.files for module in system.modules if module.files}
    return {
        name: _filed(declared[name], kept) if name in declared else kept for name, kept in records.items()
    }


def files(system: SheetSystem, shown: Mapping[str, Records]) -> Iterator[tuple[str, bytes]]:
    """The path in the drop and the bytes of each file in a folder."""
    for module in system.modules:
        if declared := module.files:
            for record in shown[module.name]:
                yield declared.folder + record[declared.exported], base64.b64decode(record[declared.content])
    if system.texts:
        yield from _texts(system, system.texts, shown)


def _filed(declared: Files, records: Records) -> list[dict[str, str]]:
    shown: list[dict[str, str]] = []
    taken: set[str] = set()
    for record in records:
        name = _free(record[declared.name].replace("/", "_") or "untitled", taken)
        taken.add(name.casefold())
        size = len(base64.b64decode(record[declared.content]))
        shown.append({**record, declared.exported: name, declared.size: str(size)})
    return shown


def _texts(system: SheetSystem, declared: Texts, shown: Mapping[str, Records]) -> Iterator[tuple[str, bytes]]:
    named = _file_names(system, declared, shown)
    module = declared.module
    for record in shown[module.name]:
        lines = [f"{name}: {value}" for name, value in _head(declared, record, named) if value]
        text = "\r\n".join([*lines, "", record[declared.body]])
        yield f"{module.file}{record[module.key[0]]}", text.encode()


def _file_names(system: SheetSystem, declared: Texts, shown: Mapping[str, Records]) -> dict[str, str]:
    for module in system.modules:
        if module.files and module.name == declared.documents:
            exported = module.files.exported
            return {record[module.key[0]]: record[exported] for record in shown[module.name]}
    return {}


def _head(declared: Texts, record: Mapping[str, str], named: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    module = declared.module
    for name in module.columns:
        if name in {*module.key, declared.body}:
            continue
        if name == declared.attached:
            ids = [one.strip() for one in record[name].split(";") if one.strip()]
            yield name, "; ".join(named.get(one, one) for one in ids)
        else:
            yield name, _written(module, name, record[name])


def _written(module: Module, name: str, value: str) -> str:
    """A time as the head of a text writes it; what is no time stands as people typed it."""
    if name not in module.times:
        return value
    try:
        return f"{dt.datetime.fromisoformat(value):%d/%m/%Y %I:%M %p}"
    except ValueError:
        return value


def _free(name: str, taken: set[str]) -> str:
    path, number, free = PurePosixPath(name), 0, name
    while free.casefold() in taken:
        number += 1
        free = f"{path.stem} ({number}){path.suffix}"
    return free
