"""The way from a trigger to the wired app, paid for by the first invocation and not by the import."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.wiring import App


def app() -> "App":
    """The one wired app of this process."""
    from shared.wiring import app as wired  # noqa: PLC0415  # keeps the cold start within its budget

    return wired()
