"""`tandem migrate`: what comes before a system's records move. Runs where it is called; needs no service."""

import argparse
from pathlib import Path
from typing import Any

from shared.ops.command import family


def register(commands: Any) -> None:
    """Add the commands."""
    mine = family(commands, "migrate", "what comes before a system's records move")
    about = "find everything in an export that will not go over as it is; writes nothing but its report"
    audit = mine.add_parser("audit", help=about, description=about)
    audit.add_argument("--system", required=True, help="the legacy system, by its name on the bus")
    audit.add_argument("--export", required=True, help="the folder of the export, or its URL")
    audit.add_argument(
        "--users", required=True, type=Path, help="the destination's users: a list answer of the Web API"
    )
    audit.add_argument(
        "--out", required=True, type=Path, help="where the findings go, one JSON object per line"
    )
    audit.add_argument("--html", type=Path, help="where a picture of them goes, one page that stands alone")
    audit.add_argument(
        "--also", action="append", default=[], metavar="SYSTEM=FOLDER",
        help="another system's export, to find who is in both",
    )  # fmt: skip
    audit.set_defaults(handler=_audit)


def _audit(asked: argparse.Namespace) -> int:
    """Audit an export; returns the exit status."""
    # The readers are native code that no other command needs.
    from shared.ops.audit import audited  # noqa: PLC0415 - as above

    return audited(asked)
