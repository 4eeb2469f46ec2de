"""Choices: a label for an option, one to one."""

from collections.abc import Mapping, Sequence

from shared.core.change import Json
from shared.core.codes import Code
from shared.core.mapping.columns import Option
from shared.core.mapping.spec import Transform, Unfit
from shared.core.mapping.transforms.text import clean

_YES = frozenset({"true", "yes"})
_NO = frozenset({"false", "no"})


def choice(
    options: Mapping[str, int],
    aliases: Mapping[str, str] | None = None,
    *,
    known_only: bool = False,
    otherwise: int | None = None,
) -> Transform[Json, Option]:
    """A legacy label for an option of a choice; letter case and surrounding blanks do not matter.

    `aliases` are further spellings of a label, accepted on the way in. With `known_only` a label that is none
    of these is a blank instead of a fault, with `otherwise` it is that option: the map then keeps the label
    itself in a column beside. Two labels for one option, or one spelling for two, raise ValueError: the way
    back would be a guess.
    """
    labels = {value: label for label, value in options.items()}
    spellings = _spellings(options, aliases or {})
    expected = "one of " + ", ".join(options)
    rest = Option(otherwise) if otherwise is not None else None

    def to_dataverse(value: Json) -> Option | None:
        label = clean(value)
        if label is None:
            return None
        found = spellings.get(label.casefold())
        if found is not None:
            return Option(found)
        if rest is None and not known_only:
            raise Unfit(Code.VALUE_NO_OPTION, expected)
        return rest

    def to_legacy(value: Option | None) -> Json:
        if value is None:
            return ""
        if value not in labels:
            raise Unfit(Code.VALUE_NO_OPTION, expected)
        return labels[value]

    first = next(iter(options))
    examples = (*options, *(aliases or {}), f" {first.upper()} ", "", None)
    others = f", any other: {rest or 'blank'}" if rest or known_only else ""
    return Transform(to_dataverse, to_legacy, examples, f"choice: {', '.join(options)}{others}")


def _spellings(options: Mapping[str, int], aliases: Mapping[str, str]) -> dict[str, int]:
    """Every spelling and its option; raises ValueError where one would mean two."""
    spellings = {label.casefold(): value for label, value in options.items()}
    for alias, label in aliases.items():
        if spellings.setdefault(alias.casefold(), options[label]) != options[label]:
            raise ValueError("one spelling means two options")
    if len(set(options.values())) != len(options) or len(spellings) != len(options) + len(aliases):
        raise ValueError("two labels share an option or a spelling")
    return spellings


def status(labels: Mapping[str, Sequence[int]], *, unknown: int | None = None) -> Transform[Json, Option]:
    """A legacy label for the status reasons it may mean: the first is written, any of them reads as it.

    A label that is none of these becomes `unknown`, where there is one: the map then keeps the label itself
    in a column beside. A blank says nothing: a row always has a status. One status for two labels raises
    ValueError: the way back would be a guess.
    """
    back = {value: label for label, values in labels.items() for value in values}
    if len(back) != sum(len(values) for values in labels.values()):
        raise ValueError("two labels share a status")
    written = {label.casefold(): values[0] for label, values in labels.items()}
    expected = "one of " + ", ".join(labels)

    def to_dataverse(value: Json) -> Option | None:
        label = clean(value)
        if label is None:
            return None
        found = written.get(label.casefold(), unknown)
        if found is None:
            raise Unfit(Code.VALUE_NO_OPTION, expected)
        return Option(found)

    def to_legacy(value: Option | None) -> Json:
        if value is None:
            return ""
        if value not in back:
            raise Unfit(Code.VALUE_NO_OPTION, expected)
        return back[value]

    first = next(iter(labels))
    return Transform(
        to_dataverse, to_legacy, (*labels, f" {first.upper()} ", "", None), f"status: {', '.join(labels)}"
    )


def yes_no(yes: str = "true", no: str = "false") -> Transform[Json, bool]:
    """Yes or no; `true`, `false`, `yes` and `no` are understood in any letter case, `yes` and `no` say which
    words the legacy system is told.
    """

    def to_dataverse(value: Json) -> bool | None:
        if isinstance(value, bool):
            return value
        word = clean(value)
        if word is None:
            return None
        if word.casefold() not in _YES | _NO:
            raise Unfit(Code.VALUE_NOT_YES_OR_NO, f"{yes} or {no}")
        return word.casefold() in _YES

    def to_legacy(value: bool | None) -> Json:  # noqa: FBT001 - the value itself crosses, it is no switch
        return "" if value is None else (yes if value else no)

    return Transform(to_dataverse, to_legacy, (yes, no, " TRUE ", False, "", None), f"{yes} or {no}")
