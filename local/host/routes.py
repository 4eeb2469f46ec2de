"""Route templates of HTTP functions: `orders/{id:int}/{part?}` and `{*rest}`, as ASP.NET Core reads them."""

import re
from dataclasses import dataclass

from local.host.function import Function, UnsupportedFunction

_PARAMETER = re.compile(r"\{(\*{0,2})(\w+)(?::([^}?]+))?(\?)?\}")

_CONSTRAINTS = {
    "int": r"-?\d{1,10}",
    "long": r"-?\d{1,19}",
    "bool": r"true|false",
    "alpha": r"[A-Za-z]+",
    "guid": r"[0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}",
}

_LITERAL, _CONSTRAINED, _FREE, _CATCH_ALL = range(4)


@dataclass(frozen=True, slots=True)
class HttpRoute:
    """Where an HTTP function is reached; no methods is any. Of two that fit, the lower `rank` is it."""

    function: Function
    methods: frozenset[str]
    pattern: re.Pattern[str]
    rank: tuple[int, ...]

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """The route's values when it is the one for the request; `path` has no leading slash."""
        if self.methods and method not in self.methods:
            return None
        found = self.pattern.fullmatch(path)
        if found is None:
            return None
        return {name: value for name, value in found.groupdict().items() if value is not None}


def route_of(function: Function, prefix: str) -> HttpRoute:
    """The route of an HTTP function. Raises UnsupportedFunction for a constraint that is not known here."""
    trigger = function.trigger
    template = f"{prefix}/{trigger.get('route') or function.name}".strip("/")
    pattern, rank = "", []
    for segment in filter(None, template.split("/")):
        text, weight, optional = _segment(function.name, segment)
        slash = "/" if pattern else ""
        pattern += f"(?:{slash}{text})?" if optional else slash + text
        rank.append(weight)
    methods = frozenset(str(method).upper() for method in trigger.get("methods") or ())
    # A path may end with a slash, as ASP.NET Core lets it.
    return HttpRoute(function, methods, re.compile(f"{pattern}/?", re.IGNORECASE), tuple(rank))


def _segment(function: str, segment: str) -> tuple[str, int, bool]:
    """One segment as a pattern, how free it is, and whether it may be missing."""
    pattern, weight, optional, at = "", _LITERAL, False, 0
    for found in _PARAMETER.finditer(segment):
        stars, name, constraint, question = found.groups()
        pattern += re.escape(segment[at : found.start()])
        at = found.end()
        if stars:
            pattern, weight, optional = f"{pattern}(?P<{name}>.*)", _CATCH_ALL, True
            continue
        if constraint is not None and constraint not in _CONSTRAINTS:
            raise UnsupportedFunction(f"{function}: the route constraint {constraint} is not known here")
        values = _CONSTRAINTS[constraint] if constraint else "[^/]+?"
        pattern += f"(?P<{name}>{values})"
        weight = max(weight, _CONSTRAINED if constraint else _FREE)
        optional = optional or question is not None
    return pattern + re.escape(segment[at:]), weight, optional
