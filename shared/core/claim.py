"""Which row a record of a legacy system is to be, as far as its message says so."""

from dataclasses import dataclass
from uuid import UUID

from shared.core.codes import Code
from shared.core.errors import Fault, InvalidMessage
from shared.core.identity import RecordKey


@dataclass(frozen=True, slots=True)
class Claim:
    """A record's claim to a row: the one it is paired with, else `named`, else `chosen`, then reserved.

    `session` is the row that the message's session stands for, where that is a row at all. Only a row that a
    sender names `is_told`: the field in which a record keeps its row may be behind what is known, or ahead.
    """

    key: RecordKey
    named: UUID | None
    chosen: UUID
    session: UUID | None = None
    is_told: bool = True

    def granted(self, record: UUID) -> UUID:
        """The row that was found, if the session stands for no other; raises InvalidMessage."""
        if self.session is not None and self.session != record:
            raise InvalidMessage(Fault("", Code.SESSION_MISMATCH, "the session id of the record in the body"))
        return record
