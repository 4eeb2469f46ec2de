"""Parents that run in circles (A-02c)."""

from collections.abc import Mapping


def cycles(parents: Mapping[str, str]) -> list[tuple[str, ...]]:
    """Every cycle, each as the path from its first member in order of appearance, back to which it leads."""
    found: list[tuple[str, ...]] = []
    done: set[str] = set()
    for start in parents:
        path: dict[str, int] = {}
        at = start
        while at in parents and at not in done and at not in path:
            path[at] = len(path)
            at = parents[at]
        if at in path:
            found.append(tuple(list(path)[path[at] :]))
        done |= path.keys()
    return found


def behind(parents: Mapping[str, str], circles: list[tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The records outside a cycle whose line of parents ends in one, with that cycle."""
    member = {record: circle for circle in circles for record in circle}
    known: dict[str, tuple[str, ...] | None] = dict(member)
    for start in parents:
        path: list[str] = []
        at = start
        while at not in known and at in parents:
            path.append(at)
            at = parents[at]
        known |= dict.fromkeys(path, known.get(at))
    return {record: circle for record, circle in known.items() if circle and record not in member}
