"""The roles that a caller's token may carry, named as in the app registration (`docs/runbooks/doors.md`)."""

from typing import TYPE_CHECKING

import azure.functions as func

if TYPE_CHECKING:
    from shared.connectors.callers import Caller
    from shared.recovery.answers import Look

WRITE = "Inbound.Write"
READ = "Ops.Read"
OPERATE = "Ops.Operate"
PERSONAL = "Ops.Personal"


def sees_personal(caller: "Caller", req: func.HttpRequest) -> bool:
    """Whether the answer may hold personal data: the caller's roles allow it, and `masked=true` is not asked.

    Who repairs a value must see it; a reader does not, unless a second role says so (ADR 0019).
    """
    return not caller.roles.isdisjoint({OPERATE, PERSONAL}) and req.params.get("masked") != "true"


def look_of(caller: "Caller", req: func.HttpRequest) -> "Look":
    """How a caller looks at values: plain, and written down under their name, or masked."""
    from shared.recovery.answers import Look  # noqa: PLC0415  # cold start

    return Look(plain_for=caller.name if sees_personal(caller, req) else None)
