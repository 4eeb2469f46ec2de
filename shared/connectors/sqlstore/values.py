"""Column values as JSON text: a value read back is the value that was written, type included.

Text, whole numbers, booleans and null are themselves; every other type is `{"t": type, "v": text}`. Only
ASCII is written, so that no character a sender may think of can be refused by a database.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from shared.core.codes import Code
from shared.core.errors import Fault
from shared.core.identity import RecordKey
from shared.core.mapping.columns import Value
from shared.core.mapping.files import FileRef
from shared.core.mapping.parties import Party, Role
from shared.core.mapping.references import RowRef
from shared.core.shadow import Mark, Moment, Owed, Parting, Shadow, Turn
from shared.core.verdict import ColumnChange


def dumps(document: Any) -> str:
    """Compact JSON."""
    return json.dumps(document, separators=(",", ":"))


def tagged(value: Value) -> Any:
    """The JSON form of a value."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, Decimal):
        return {"t": "decimal", "v": str(value)}
    if isinstance(value, datetime):
        return {"t": "datetime", "v": value.isoformat()}
    if isinstance(value, date):
        return {"t": "date", "v": value.isoformat()}
    if isinstance(value, tuple):
        rows = [[int(one.role), one.address, str(one.row) if one.row else None] for one in value]
        return {"t": "parties", "v": rows}
    if isinstance(value, FileRef):
        return {"t": "file", "v": [value.system, value.place, value.name, value.size, value.sha256]}
    return {"t": "row", "v": str(value)}


def untagged(form: Any) -> Value:
    """The value of a JSON form; raises ValueError for a form nobody writes."""
    if not isinstance(form, dict):
        if form is None or isinstance(form, str | bool | int):
            return form
        raise ValueError("not the form of a column value")
    kind, text = form["t"], form["v"]
    if kind == "decimal":
        return Decimal(text)
    if kind == "datetime":
        return datetime.fromisoformat(text)
    if kind == "date":
        return date.fromisoformat(text)
    if kind == "row":
        return _row_of(text)
    if kind == "parties":
        return tuple(Party(Role(role), who, _row_of(row) if row else None) for role, who, row in text)
    if kind == "file":
        return FileRef(*text)
    raise ValueError("not the form of a column value")


def _row_of(text: str) -> RowRef:
    table, _, row_id = text.rpartition("/")
    return RowRef(table, UUID(row_id))


def shadow_text(shadow: Shadow) -> str:
    """A shadow without its `deleted_at`, which has a column of its own."""
    marks = {
        column: {
            "value": tagged(mark.value),
            "at": mark.changed_at.isoformat(),
            "origin": mark.origin,
            "seen": {system: [moment.at.isoformat(), moment.version] for system, moment in mark.seen.items()},
            **_disputed(mark),
            **_apart(mark),
        }
        for column, mark in shadow.marks.items()
    }
    document: dict[str, Any] = {"marks": marks, "versions": dict(shadow.versions)}
    if shadow.parted is not None:
        document["parted"] = [shadow.parted.at.isoformat(), shadow.parted.system]
    if shadow.turns:
        document["turns"] = [[turn.at.isoformat(), turn.system, turn.is_own] for turn in shadow.turns]
    if shadow.making:
        document["making"] = shadow.making
    if shadow.ended:
        document["ended"] = {system: at.isoformat() for system, at in shadow.ended.items()}
    return dumps(document | _shared(shadow) | _due(shadow))


def _disputed(mark: Mark) -> dict[str, Any]:
    """What each side holds of a column that waits for a person; most columns never do."""
    if not mark.disputed:
        return {}
    return {"disputed": {system: tagged(value) for system, value in mark.disputed.items()}}


def _apart(mark: Mark) -> dict[str, Any]:
    """What single systems hold instead; only where several records are one row."""
    if not mark.apart:
        return {}
    return {"apart": {system: tagged(value) for system, value in mark.apart.items()}}


def _shared(shadow: Shadow) -> dict[str, Any]:
    """What only a row has that several records are, or were."""
    told: dict[str, Any] = {}
    if shadow.gone:
        told["gone"] = {system: at.isoformat() for system, at in shadow.gone.items()}
    if shadow.absorbed:
        told["absorbed"] = sorted(shadow.absorbed)
    if shadow.heir is not None:
        told["heir"] = str(shadow.heir)
    return told


def shadow_of(text: str, deleted_at: datetime | None) -> Shadow:
    """The shadow as it was saved."""
    document = json.loads(text)
    marks = {
        column: Mark(
            value=untagged(mark["value"]),
            changed_at=datetime.fromisoformat(mark["at"]),
            origin=mark["origin"],
            seen={
                system: Moment(datetime.fromisoformat(at), version)
                for system, (at, version) in mark["seen"].items()
            },
            disputed={system: untagged(form) for system, form in mark.get("disputed", {}).items()},
            apart={system: untagged(form) for system, form in mark.get("apart", {}).items()},
        )
        for column, mark in document["marks"].items()
    }
    parted = document.get("parted")
    return Shadow(
        marks=marks,
        versions=document["versions"],
        deleted_at=deleted_at,
        parted=None if parted is None else Parting(datetime.fromisoformat(parted[0]), parted[1]),
        turns=tuple(
            Turn(datetime.fromisoformat(at), system, is_own=is_own)
            for at, system, is_own in document.get("turns", ())
        ),
        gone={system: datetime.fromisoformat(at) for system, at in document.get("gone", {}).items()},
        absorbed=frozenset(document.get("absorbed", ())),
        heir=UUID(document["heir"]) if "heir" in document else None,
        owed=_owed(document.get("owed")),
        making=document.get("making", ""),
        ended={system: datetime.fromisoformat(at) for system, at in document.get("ended", {}).items()},
    )


def _due(shadow: Shadow) -> dict[str, Any]:
    """Whom a row is owed to; most rows belong to whom they are to."""
    if (owed := shadow.owed) is None:
        return {}
    said_at = [owed.moment.at.isoformat(), owed.moment.version]
    return {"owed": [str(owed.key), str(owed.subject), *said_at]}


def _owed(form: list[Any] | None) -> Owed | None:
    """Whom a row is owed to, as it was saved."""
    if form is None:
        return None
    key, subject = RecordKey.parse(form[0]), RecordKey.parse(form[1])
    if key is None or subject is None:
        raise ValueError("not the form of an owed owner")
    return Owed(key, subject, Moment(datetime.fromisoformat(form[2]), form[3]))


def changes_text(changes: Mapping[str, ColumnChange]) -> str:
    """Before and after, per column."""
    return dumps(
        {
            column: {"before": tagged(change.before), "after": tagged(change.after)}
            | ({"lost": True} if change.is_lost else {})
            for column, change in changes.items()
        }
    )


def changes_of(text: str) -> dict[str, ColumnChange]:
    """Before and after, per column, as they were saved."""
    return {
        column: ColumnChange(
            untagged(change["before"]), untagged(change["after"]), is_lost=change.get("lost", False)
        )
        for column, change in json.loads(text).items()
    }


def faults_text(faults: tuple[Fault, ...]) -> str | None:
    """Faults as JSON; None when there are none."""
    if not faults:
        return None
    return dumps([{"field": f.field, "code": f.code.value, "expected": f.expected} for f in faults])


def faults_of(text: str | None) -> tuple[Fault, ...]:
    """Faults as they were saved."""
    if text is None:
        return ()
    return tuple(Fault(f["field"], Code(f["code"]), f["expected"]) for f in json.loads(text))


def keys_text(keys: Iterable[RecordKey]) -> str | None:
    """Keys as JSON; None when there are none."""
    texts = sorted(str(key) for key in keys)
    return dumps(texts) if texts else None


def keys_of(text: str | None) -> frozenset[RecordKey]:
    """Keys as they were saved."""
    if text is None:
        return frozenset()
    return frozenset(key for entry in json.loads(text) if (key := RecordKey.parse(entry)) is not None)


def value_of(text: str) -> Value:
    """One value as it was saved."""
    return untagged(json.loads(text))
