"""`tandem customers`: rows that may be one customer, and records that are taken out of one again."""

import argparse
from functools import partial
from typing import Any

from shared.ops.client import Service
from shared.ops.command import Answer, Told, command, family, number, paged, pages, why
from shared.ops.screen import more, second, table


def register(commands: Any) -> None:
    """Add the commands."""
    mine = family(commands, "customers", "rows that may be one customer, and taking records out again")
    pages(command(mine, "list", customers_list, "what waits for a person, the surest first"), "the case")
    show = command(mine, "show", customers_show, "one case: the reasons, and what both rows hold")
    show.add_argument("case", type=number, help="the case's number")
    show.add_argument("--masked", action="store_true", help="without personal data")
    accept = command(mine, "accept", customers_accept, "they are one customer: merge them")
    accept.add_argument("case", type=number, help="the case's number")
    accept.add_argument(
        "--heir", default="", metavar="row", help="the row that lives on; by default the elder one"
    )
    accept.add_argument("--reason", required=True, type=why, help="why; kept with the decision")
    refuse = command(mine, "refuse", customers_refuse, "they are two customers: do not ask again")
    refuse.add_argument("case", type=number, help="the case's number")
    refuse.add_argument("--reason", required=True, type=why, help="why; kept with the decision")
    unmerge = command(mine, "unmerge", customers_unmerge, "give a record a row of its own again")
    unmerge.add_argument("record", help="system:entity:id")
    unmerge.add_argument("--reason", required=True, type=why, help="why; kept with the decision")


def customers_list(service: Service, asked: argparse.Namespace) -> Answer:
    """What waits for a person."""
    return service.get("ops/matches", **paged(asked)), partial(listed, behind=asked.after), True


def customers_show(service: Service, asked: argparse.Namespace) -> Answer:
    """One case."""
    masked = {"masked": "true"} if asked.masked else {}
    return service.get(f"ops/matches/{asked.case}", **masked), shown, True


def customers_accept(service: Service, asked: argparse.Namespace) -> Answer:
    """They are one."""
    body = {"reason": asked.reason, "heir": asked.heir}
    return service.post(f"ops/matches/{asked.case}/acceptance", body), accepted, True


def customers_refuse(service: Service, asked: argparse.Namespace) -> Answer:
    """They are two."""
    return service.post(f"ops/matches/{asked.case}/refusal", {"reason": asked.reason}), refused, True


def customers_unmerge(service: Service, asked: argparse.Namespace) -> Answer:
    """A record gets its own row."""
    body = {"record": asked.record, "reason": asked.reason}
    return service.post("ops/unmerges", body), unmerged, True


def listed(told: Told, behind: int | None = None) -> str:
    """A line per case."""
    if not told["matches"]:
        return f"No two customers wait to be told apart{' behind this one' if behind else ''}."
    rows = [
        (
            str(case["case"]),
            f"{case['confidence']} %" + (" certain" if case["certain"] else ""),
            case["table"],
            " = ".join(", ".join(row["records"]) or row["row"] for row in case["rows"]),
            "; ".join(case["reasons"]),
        )
        for case in told["matches"]
    ]
    lines = table(("case", "sure", "table", "records", "because they have"), rows)
    lines += more(told, f"tandem customers list --after {told['matches'][-1]['case']}")
    return "\n".join(
        [*lines, "", "tandem customers show|accept|refuse <case>   (accepting merges the two rows)"]
    )


def shown(told: Told) -> str:
    """Everything known of one case."""
    lines = [
        f"case {told['case']}  {told['kind']}  {told['state']}  {told['confidence']} %"
        + (f"  because they have {'; '.join(told['reasons'])}" if told["reasons"] else ""),
    ]
    if told["record"]:
        lines.append(f"  {told['record']} leaves the first row for the second")
    columns = sorted({name for row in told["rows"] for name in row.get("columns", ())})
    first, second_row = told["rows"]
    lines += [
        f"  {row['row']}  {', '.join(row['records']) or 'no record'}  since {second(row['since'])}"
        for row in told["rows"]
    ]
    cells = [
        (name, str(first["columns"].get(name) or ""), str(second_row["columns"].get(name) or ""))
        for name in columns
        if first["columns"].get(name) or second_row["columns"].get(name)
    ]
    lines += ["", *table(("column", "first row", "second row"), cells)]
    if told.get("masked"):
        lines.append("(personal data is masked; equal values look equal)")
    if told["decided_by"]:
        lines.append(f"decided by {told['decided_by']} {second(told['decided_at'])}: {told['reason']}")
    if told["ended"]:
        lines.append(f"over {second(told['over_at'])}: {told['ended']}")
    return "\n".join(lines)


def accepted(told: Told) -> str:
    """What happens next."""
    return (
        f"Case {told['case']}: the other row is merged into {told['heir']}, in its lane. "
        f"To see it: tandem record show {told['heir']}"
    )


def refused(told: Told) -> str:
    """What was kept."""
    return f"Case {told['case']}: they are two customers, and will not be told again."


def unmerged(told: Told) -> str:
    """What happens next."""
    return (
        f"{told['record']} gets row {told['row']} of its own, with what it held before and has said since. "
        f"What hangs from the shared row stays there. To see it: tandem customers show {told['case']}"
    )
