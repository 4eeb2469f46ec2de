"""Lookups: the name a legacy record uses for another one, and back. What it means is resolved elsewhere."""

from collections.abc import Callable
from functools import lru_cache

from shared.core.change import Json
from shared.core.codes import Code
from shared.core.identity import RecordKey
from shared.core.mapping.columns import Reference
from shared.core.mapping.composed import composed_id
from shared.core.mapping.references import DirectoryRef, PlaceholderRef, RecordRef
from shared.core.mapping.spec import ToDirectory, ToRecord, Transform, Unfit
from shared.core.mapping.transforms.text import clean

_LAID_DOWN = "waits or falls back when unknown, as laid down"


def lookup(system: str, entity: str, *, placeholder: str | None = None) -> Transform[Json, Reference]:
    """The id of another record of the same system.

    With `placeholder`, a blank means the placeholder row of that table, for records that must hang from
    something (A-01b); without, a blank clears the lookup.
    """

    def to_dataverse(value: Json) -> Reference | None:
        name = clean(value)
        if name is None:
            return PlaceholderRef(placeholder) if placeholder else None
        return RecordRef(RecordKey(system, entity, name))

    def to_legacy(value: Reference | None) -> Json:
        # The placeholder names nothing, also where a blank needs none.
        if value is None or isinstance(value, PlaceholderRef):
            return ""
        if isinstance(value, RecordRef) and (value.key.system, value.key.entity) == (system, entity):
            return value.key.id
        raise Unfit(Code.VALUE_UNKNOWN_REFERENCE, f"a {entity} of {system}")

    blank = f", blank: the placeholder {placeholder}" if placeholder else ""
    return Transform(
        to_dataverse,
        to_legacy,
        (f"{entity[:1].upper()}-0001", "", None),
        f"{system} {entity}{blank}",
        ToRecord(system, entity, placeholder),
    )


def owner_by_email() -> Transform[Json, Reference]:
    """A user by e-mail address; what happens with one that Dataverse does not know is laid down (C-30)."""
    to = ToDirectory("systemuser", "internalemailaddress", required=False)
    return _directory(to, ("anna.berg@nordwind.example",), unknown=_LAID_DOWN)


def owner_by_name() -> Transform[Json, Reference]:
    """A user by full name, where the legacy system has nothing better."""
    to = ToDirectory("systemuser", "fullname", required=False)
    return _directory(to, ("Anna Berg",), unknown=_LAID_DOWN)


def currency_by_code() -> Transform[Json, Reference]:
    """A currency by its ISO code; an amount in a currency Dataverse does not have is a fault."""
    return _directory(
        ToDirectory("transactioncurrency", "isocurrencycode", required=True), ("EUR", " USD "), str.upper
    )


def by_name(table: str, column: str, within: tuple[str, str]) -> Transform[Json, Reference]:
    """A row by a name, where the legacy system has no id for it: the only one of that name `within` a scope.

    `within` is a column of that table, and the column of our own row that must point at the same row. None
    or several of the name leave the link as it is; the map keeps the name itself in a column beside.
    """

    def to_dataverse(value: Json) -> Reference | None:
        name = clean(value)
        return DirectoryRef(table, column, name, required=False, within=within) if name else None

    def to_legacy(value: Reference | None) -> Json:
        if value is None:
            return ""
        if isinstance(value, DirectoryRef) and (value.table, value.column) == (table, column):
            return value.value
        raise Unfit(Code.VALUE_UNKNOWN_REFERENCE, f"the {column} of a {table}")

    name = (
        f"the only {table} of that {column} with our {within[1]} as its {within[0]}, left as it is otherwise"
    )
    examples = ("Nordwind order 7", "", None)
    return Transform(to_dataverse, to_legacy, examples, name, ToDirectory(table, column, required=False))


def lookup_of_kind(system: str, entity: str, kind: str, *others: str) -> Transform[Json, Reference]:
    """A record named by its kind and its id, `Contact/CON00001`, where it is of this kind.

    One of the `others` leaves the lookup blank: it belongs in the column of its own kind.
    """

    def to_dataverse(value: Json) -> Reference | None:
        named = clean(value)
        if named is None:
            return None
        said, _, name = named.partition("/")
        if said.casefold() == kind.casefold() and name:
            return RecordRef(RecordKey(system, entity, name.replace("~1", "/").replace("~0", "~")))
        if said.casefold() in {other.casefold() for other in others}:
            return None
        raise Unfit(Code.VALUE_NO_OPTION, "one of " + ", ".join((kind, *others)))

    def to_legacy(value: Reference | None) -> Json:
        if value is None:
            return ""
        if isinstance(value, RecordRef) and (value.key.system, value.key.entity) == (system, entity):
            return composed_id([kind, value.key.id])
        raise Unfit(Code.VALUE_UNKNOWN_REFERENCE, f"a {entity} of {system}")

    examples = (f"{kind}/{entity[:1].upper()}-0001", *(f"{other}/X-0001" for other in others), "", None)
    return Transform(to_dataverse, to_legacy, examples, f"{system} {entity}", ToRecord(system, entity))


def price_list_by_currency(named: str) -> Transform[Json, Reference]:
    """The price list for a currency, by its name: `named` says it with `{currency}` for the ISO code."""
    before, after = named.split("{currency}")
    to = ToDirectory("pricelevel", "name", required=False)

    def to_dataverse(value: Json) -> Reference | None:
        code = clean(value)
        if code is None:
            return None
        return DirectoryRef(to.table, to.column, named.format(currency=code.upper()), to.required)

    def to_legacy(value: Reference | None) -> Json:
        if value is None:
            return ""
        if isinstance(value, DirectoryRef) and value.table == to.table:
            return value.value.removeprefix(before).removesuffix(after)
        raise Unfit(Code.VALUE_UNKNOWN_REFERENCE, f"the {to.column} of a {to.table}")

    return Transform(to_dataverse, to_legacy, ("EUR", " usd ", "", None), f"price list {named!r}", to)


def _directory(
    to: ToDirectory,
    examples: tuple[str, ...],
    spell: Callable[[str], str] = str,
    unknown: str = "left as it is when unknown",
) -> Transform[Json, Reference]:
    @lru_cache(maxsize=1024)  # a few users own everything, in a few currencies
    def meant(name: str) -> DirectoryRef:
        return DirectoryRef(to.table, to.column, spell(name), to.required)

    def to_dataverse(value: Json) -> Reference | None:
        name = clean(value)
        return meant(name) if name else None

    def to_legacy(value: Reference | None) -> Json:
        if value is None:
            return ""
        if isinstance(value, DirectoryRef) and (value.table, value.column) == (to.table, to.column):
            return value.value
        raise Unfit(Code.VALUE_UNKNOWN_REFERENCE, f"the {to.column} of a {to.table}")

    need = "required" if to.required else unknown
    return Transform(to_dataverse, to_legacy, (*examples, "", None), f"{to.table} by {to.column}, {need}", to)
