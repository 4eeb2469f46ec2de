"""System query options: $select, $filter, $orderby, $top, $count, $expand with their nested forms."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from local.dataverse.errors import bad_query, not_supported
from local.dataverse.odata.address import split_outside_quotes

KNOWN = frozenset(
    {"$select", "$filter", "$orderby", "$top", "$count", "$expand", "$skiptoken", "$deltatoken", "$apply"}
)
MAX_PAGE = 5000


@dataclass(frozen=True, slots=True)
class Expand:
    """One expanded navigation property with its own options."""

    name: str
    options: "Options"
    reference_only: bool = False


@dataclass(frozen=True, slots=True)
class Options:
    """What a query asks for."""

    select: tuple[str, ...] = ()
    filter: str = ""
    order: tuple[tuple[str, bool], ...] = ()  # property, descending
    top: int | None = None
    count: bool = False
    expand: tuple[Expand, ...] = ()
    skip_token: str = ""
    aliases: Mapping[str, str] = field(default_factory=dict)


def read_options(query: Mapping[str, str]) -> Options:
    """The options of a URL's query; Refusal for those the service does not have."""
    for name in query:
        if name.startswith("$") and name not in KNOWN:
            raise bad_query(f"The query parameter {name} is not supported.")
    if "$apply" in query:
        raise not_supported("$apply")
    return Options(
        select=_names(query.get("$select", "")),
        filter=query.get("$filter", ""),
        order=_order(query.get("$orderby", "")),
        top=_number(query.get("$top")),
        count=query.get("$count", "").lower() == "true",
        expand=_expands(query.get("$expand", "")),
        skip_token=query.get("$skiptoken", ""),
        aliases={name: value for name, value in query.items() if name.startswith("@")},
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for part in text.split(",") if (name := part.strip()))


def _number(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdigit():
        raise bad_query("The value of $top must be a non-negative integer.")
    return int(text)


def _order(text: str) -> tuple[tuple[str, bool], ...]:
    order = []
    for part in _names(text):
        name, _, direction = part.partition(" ")
        if direction.strip() not in {"", "asc", "desc"}:
            raise bad_query(f"Syntax error in $orderby '{text}'.")
        order.append((name, direction.strip() == "desc"))
    return tuple(order)


def _expands(text: str) -> tuple[Expand, ...]:
    return tuple(_expand(piece.strip()) for piece in split_outside_quotes(text, ",") if piece.strip())


def _expand(piece: str) -> Expand:
    name, opened, rest = piece.partition("(")
    reference_only = name.endswith("/$ref")
    nested: dict[str, str] = {}
    if opened:
        if not rest.endswith(")"):
            raise bad_query(f"The $expand item '{piece}' is not closed.")
        for option in split_outside_quotes(rest[:-1], ";"):
            key, _, value = option.partition("=")
            nested[key.strip()] = value.strip()
    return Expand(name.removesuffix("/$ref").strip(), read_options(nested), reference_only)
