"""Lookups: the name a legacy record uses for another one, and back. What it means is resolved elsewhere."""

from collections.abc import Callable

from shared.core.change import Json
from shared.core.codes import Code
from shared.core.identity import RecordKey
from shared.core.mapping.columns import Reference
from shared.core.mapping.references import DirectoryRef, PlaceholderRef, RecordRef
from shared.core.mapping.spec import ToDirectory, ToRecord, Transform, Unfit
from shared.core.mapping.transforms.text import clean


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
        if value is None or (isinstance(value, PlaceholderRef) and value.table == placeholder):
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
    """A user by e-mail address; one that Dataverse does not know leaves the owner as it is."""
    return _directory(
        ToDirectory("systemuser", "internalemailaddress", required=False), ("anna.berg@nordwind.example",)
    )


def owner_by_name() -> Transform[Json, Reference]:
    """A user by full name, where the legacy system has nothing better."""
    return _directory(ToDirectory("systemuser", "fullname", required=False), ("Anna Berg",))


def currency_by_code() -> Transform[Json, Reference]:
    """A currency by its ISO code; an amount in a currency Dataverse does not have is a fault."""
    return _directory(
        ToDirectory("transactioncurrency", "isocurrencycode", required=True), ("EUR", " USD "), str.upper
    )


def _directory(
    to: ToDirectory, examples: tuple[str, ...], spell: Callable[[str], str] = str
) -> Transform[Json, Reference]:
    def to_dataverse(value: Json) -> Reference | None:
        name = clean(value)
        return DirectoryRef(to.table, to.column, spell(name), to.required) if name else None

    def to_legacy(value: Reference | None) -> Json:
        if value is None:
            return ""
        if isinstance(value, DirectoryRef) and (value.table, value.column) == (to.table, to.column):
            return value.value
        raise Unfit(Code.VALUE_UNKNOWN_REFERENCE, f"the {to.column} of a {to.table}")

    need = "required" if to.required else "left as it is when unknown"
    return Transform(to_dataverse, to_legacy, (*examples, "", None), f"{to.table} by {to.column}, {need}", to)
