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
class Files:
    """The files that a module's records are, beside its workbook in the `folder` of a drop.

    `content` is the column in which a person gives the bytes, as base64; no workbook shows it. The export
    fills in `exported`, as what the file lies in the folder, from its own `name`, and `size`, its bytes.
    """

    folder: str
    content: str
    name: str
    exported: str
    size: str


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
    files: Files | None = None

    @property
    def kept(self) -> tuple[str, ...]:
        """Every column a person may fill in, shown by the workbook or not."""
        return (*self.columns, self.files.content) if self.files else self.columns


@dataclass(frozen=True, slots=True)
class Texts:
    """A module without a workbook: each record is a text in the folder that is the module's file.

    Columns stand as lines at its head, apart from its name and its `body`; `attached` names records of the
    module `documents`, by their ids, and is written as the names of their files; semicolons stand between.
    """

    module: Module
    body: str
    attached: str
    documents: str


@dataclass(frozen=True, slots=True)
class SheetSystem:
    """A system: its modules, its time zone, its log of an export, and the module of its separate pass.

    `texts` is the module whose records are no rows of a workbook.
    """

    name: str
    modules: tuple[Module, ...]
    zone: str
    log: str
    separate: str
    texts: Texts | None = None

    @property
    def all_modules(self) -> tuple[Module, ...]:
        """The modules of workbooks and the one of texts."""
        return (*self.modules, self.texts.module) if self.texts else self.modules
