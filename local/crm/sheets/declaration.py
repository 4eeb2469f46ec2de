"""What a system of workbooks declares of itself: its modules, their files, sheets, columns and keys."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Link:
    """A column that names a record of another module by its id; `shown` repeats its `name` there."""

    column: str
    module: str
    name: str
    shown: str


@dataclass(frozen=True, slots=True)
class Stamp:
    """A column that is filled in while another holds one of these words, and blank otherwise."""

    column: str
    of: str
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Module:
    """One kind of record: `name` is how people reach it here, `label` its word in the export's log.

    Modules of one `file` are sheets of one workbook. `days`, `times` and `numbers` are the columns whose
    cells are typed. `modified` is set with every write. An id of several `key` columns is written with
    slashes. A module with a `prefix` for new ids takes imports; `reference` is the column in which whoever
    imports keeps its own name for a record, `required` what no record goes without.

    What the CRM sees to by itself when it imports: `defaults` of a new record, `links` to records there must
    be, `users` by name where it knows its users, `joined` columns, and a `stamp`.
    """

    name: str
    label: str
    file: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    days: frozenset[str] = frozenset()
    times: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    created: str = ""
    modified: str = ""
    prefix: str = ""
    reference: str = ""
    required: tuple[str, ...] = ()
    defaults: Mapping[str, str] = field(default_factory=dict)
    links: tuple[Link, ...] = ()
    users: tuple[str, ...] = ()
    joined: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    stamp: Stamp | None = None


@dataclass(frozen=True, slots=True)
class SheetSystem:
    """A system: its modules, its time zone, its log of an export, and the module of its separate pass."""

    name: str
    modules: tuple[Module, ...]
    zone: str
    log: str
    separate: str
