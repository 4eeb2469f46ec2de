"""Participants: one line per role with its addresses, `to: anna@nordwind.example; +49 30 1 [contact P-1]`.

That text is what a record says of who took part, whichever fields it says it in; it is kept whole beside the
parties. A name around an address (`Anna <anna@nordwind.example>`) stays in the text and is no part of the
address; a record in brackets says who it is where an address alone would not.
"""

import re
from collections.abc import Iterable, Iterator

from shared.core.change import Json
from shared.core.codes import Code
from shared.core.identity import RecordKey
from shared.core.mapping.parties import PartyRef, PartyRefs, Role
from shared.core.mapping.spec import Transform, Unfit
from shared.core.mapping.transforms.text import clean, length

_LONGEST = 200
"""How long an address may be that is no row (`addressused`)."""

_ROLES = {
    "from": Role.SENDER,
    "to": Role.TO,
    "cc": Role.CC,
    "organizer": Role.ORGANIZER,
    "required": Role.REQUIRED,
    "optional": Role.OPTIONAL,
}
_WORDS = {role: word for word, role in _ROLES.items()}
_ONE = re.compile(r"(?P<who>.*?)\s*(?:\[(?P<entity>\w+) (?P<id>[^\]]+)\])?")
_ANGLED = re.compile(r".*<([^<>\s]+@[^<>\s]+)>")
_BETWEEN = re.compile(r"[;\n]|,(?=[^<>\"]*@)")


def participants(system: str, *roles: Role) -> Transform[Json, PartyRefs]:
    """Who took part, in any of the `roles` an activity of that kind knows; nobody is named twice in one."""
    expected = "lines of " + ", ".join(_WORDS[role] for role in roles)

    def to_dataverse(value: Json) -> PartyRefs | None:
        written = clean(value)
        if written is None:
            return None
        found: dict[tuple[Role, str], PartyRef] = {}
        for line in written.split("\n"):
            word, _, names = line.partition(":")
            role = _ROLES.get(word.strip().casefold())
            if role not in roles:
                raise Unfit(Code.VALUE_NO_OPTION, expected)
            for name in filter(None, map(str.strip, names.split(";"))):
                party = _party(system, role, name)
                found.setdefault((role, party.address.casefold()), party)
        return tuple(found.values()) or None

    def to_legacy(value: PartyRefs | None) -> Json:
        return "\n".join(
            f"{_WORDS[role]}: {'; '.join(_named(party) for party in value or () if party.role is role)}"
            for role in dict.fromkeys(party.role for party in value or ())
        )

    sample = "\n".join(f"{_WORDS[role]}: anna@nordwind.example; Bo <bo@x.example>" for role in roles)
    name = f"participants ({', '.join(_WORDS[role] for role in roles)})"
    return Transform(to_dataverse, to_legacy, (sample, "", None), name)


def addresses(value: Json) -> list[str]:
    """The entries of a list of people: JSON's own list, or text with `;`, commas or line ends between."""
    entries: Iterable[Json] = value if isinstance(value, list) else _BETWEEN.split(clean(value) or "")
    return [entry for each in entries if (entry := clean(each))]


def listed(*lines: tuple[str, Iterable[str]]) -> str:
    """The text of participants, from a role's word and its entries; a line without any is left out."""
    return "\n".join(_lines(lines))


def _lines(lines: Iterable[tuple[str, Iterable[str]]]) -> Iterator[str]:
    for word, entries in lines:
        # What parts entries here may not stand inside one.
        names = [" ".join(entry.replace(";", " ").split()) for entry in entries if entry.strip()]
        if names:
            yield f"{word}: {'; '.join(names)}"


def who(address: Json, entity: str, record: Json) -> str:
    """One entry: an address or number, and the record that says whose it is."""
    written, name = clean(address) or "", clean(record)
    return f"{written} [{entity} {name}]".strip() if name else written


def _party(system: str, role: Role, name: str) -> PartyRef:
    match = _ONE.fullmatch(name)
    if match is None:
        raise Unfit(Code.VALUE_FORBIDDEN_CHARACTER, "an address on one line")
    angled = _ANGLED.fullmatch(match["who"])
    address = angled[1] if angled else match["who"]
    if length(address) > _LONGEST:
        raise Unfit(Code.VALUE_TOO_LONG, f"addresses of at most {_LONGEST} characters")
    record = RecordKey(system, match["entity"], match["id"]) if match["entity"] else None
    return PartyRef(role, address, record)


def _named(party: PartyRef) -> str:
    return who(party.address, party.record.entity, party.record.id) if party.record else party.address
