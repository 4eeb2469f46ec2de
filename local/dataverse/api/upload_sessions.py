"""Uploads that have begun and not ended."""

from dataclasses import dataclass, field

from local.dataverse.errors import Refusal


@dataclass(slots=True)
class Session:
    """An upload on its way."""

    filename: str = ""
    chunks: bytearray = field(default_factory=bytearray)
    blocks: dict[str, bytes] = field(default_factory=dict)


@dataclass(slots=True)
class Sessions:
    """Uploads that have begun; a restart forgets them, as the service forgets them after a while."""

    open: dict[str, Session] = field(default_factory=dict)

    def get(self, token: str) -> Session:
        """The upload behind a token."""
        session = self.open.get(token)
        if session is None:
            raise Refusal(400, "0x80090001", "The upload token is not known or has expired.")
        return session
