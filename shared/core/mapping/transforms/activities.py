"""What activities say in their own ways: what they are about, which way they went, how long they took."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta

from shared.core.change import Json
from shared.core.codes import Code
from shared.core.identity import RecordKey
from shared.core.mapping.columns import Reference
from shared.core.mapping.references import RecordRef
from shared.core.mapping.spec import ToRecord, Transform, Unfit
from shared.core.mapping.transforms.numbers import plain
from shared.core.mapping.transforms.text import clean, length
from shared.core.mapping.transforms.times import Slashes, instant
from shared.core.reading import zones

_REST = "\n[the whole text stands in Body as text]"
_MINUTES = re.compile(r"([0-9]{1,6}) ?(?:min|mins|minutes?)?", re.IGNORECASE)


def lookup_by_kind(system: str, kinds: Mapping[str, str]) -> Transform[Json, Reference]:
    """A record named by a word for its kind and its id, `deal/D-0001`; `kinds` are the words and entities."""
    entities = {word.casefold(): entity for word, entity in kinds.items()}
    words = {entity: word for word, entity in kinds.items()}
    expected = "the id of one of " + ", ".join(kinds)

    def to_dataverse(value: Json) -> Reference | None:
        named = clean(value)
        if named is None:
            return None
        word, _, name = named.partition("/")
        entity = entities.get(word.strip().casefold())
        if entity is None or not name.strip():
            raise Unfit(Code.VALUE_NO_OPTION, expected)
        return RecordRef(RecordKey(system, entity, name.strip()))

    def to_legacy(value: Reference | None) -> Json:
        if value is None:
            return ""
        if isinstance(value, RecordRef) and value.key.system == system and value.key.entity in words:
            return f"{words[value.key.entity]}/{value.key.id}"
        raise Unfit(Code.VALUE_UNKNOWN_REFERENCE, expected)

    examples = (*(f"{word}/{entity[:1].upper()}-0001" for word, entity in kinds.items()), "", None)
    refers = ToRecord(system, next(iter(kinds.values())))
    return Transform(to_dataverse, to_legacy, examples, f"{system} record by kind and id", refers)


def flag(yes: str, no: str) -> Transform[Json, bool]:
    """One of two words for yes and no: `outbound` and `inbound`."""
    meant = {yes.casefold(): True, no.casefold(): False}

    def to_dataverse(value: Json) -> bool | None:
        word = clean(value)
        if word is None:
            return None
        if word.casefold() not in meant:
            raise Unfit(Code.VALUE_NO_OPTION, f"one of {yes}, {no}")
        return meant[word.casefold()]

    def to_legacy(value: bool | None) -> Json:  # noqa: FBT001  # the value of a yes-or-no column
        return "" if value is None else yes if value else no

    return Transform(to_dataverse, to_legacy, (yes, no, "", None), f"{yes}: yes, {no}: no")


def kind_and_id(parts: Sequence[Json]) -> Json:
    """The word for a kind and an id, as `lookup_by_kind` reads them; blank without an id."""
    word, name = parts
    return f"{clean(word) or ''}/{clean(name)}" if clean(name) else ""


def local_instant(parts: Sequence[Json], zone: str, slashes: Slashes) -> Json:
    """A time and the zone it was written in, as one instant; without a zone it was written in `zone`."""
    written, named = parts
    clock = zones.zone(clean(named) or zone)
    if clock is None:
        raise Unfit(Code.VALUE_NOT_A_TIME, "a time zone by its name of IANA or Windows")
    there = instant(clock.key, slashes)
    return there.to_legacy(there.to_dataverse(written))


def ending(parts: Sequence[Json], zone: str, slashes: Slashes, *, unit: int = 1) -> Json:
    """When something ended, from its start and its length in `unit`s of seconds; blank without either."""
    started, length = parts
    clock = instant(zone, slashes)
    began, lasted = clock.to_dataverse(started), whole_number(length)
    if began is None or lasted is None:
        return ""
    try:
        return clock.to_legacy(began + timedelta(seconds=lasted * unit))
    except OverflowError as beyond:
        raise Unfit(Code.VALUE_OUT_OF_RANGE, "a length that ends while there is a calendar") from beyond


def whole_minutes(value: Json) -> Json:
    """Seconds as minutes begun: Dataverse counts no seconds."""
    seconds = whole_number(value)
    return "" if seconds is None else str(-(-seconds // 60))


def whole_number(value: Json) -> int | None:
    """A length of time as a whole number, with or without `min` behind it; None for a blank."""
    match = _MINUTES.fullmatch(clean(value) or "") if isinstance(value, str) else None
    number = plain(match[1] if match else value)
    if number is None:
        return None
    if number != number.to_integral_value() or number < 0:
        raise Unfit(Code.VALUE_NOT_A_NUMBER, "a whole number")
    return int(number)


def shortened(written: str, most: int) -> str:
    """Text that fits `most` characters, with a word on where the rest is; for a column beside the whole."""
    if length(written) <= most:
        return written
    kept = written[: most - len(_REST)]
    while length(kept) > most - len(_REST):
        kept = kept[:-1]
    return kept + _REST
