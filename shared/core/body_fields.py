"""The typed fields of a message's body, with every fault of them at once."""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from shared.core.change import Json, Operation
from shared.core.codes import Code
from shared.core.errors import Fault, InvalidMessage
from shared.core.identity import RecordKey, guid, normalised_id
from shared.core.mapping.authorship import LONGEST
from shared.core.mapping.spec import Unfit
from shared.core.mapping.transforms import text

_NAME = text(LONGEST)


class BodyFields:
    """Reads typed fields from a body and collects every fault before it gives up.

    A field with a fault has some value of its type: nothing is done with it, because `finish` raises.
    """

    __slots__ = ("_body", "_faults", "_missing")

    def __init__(self, body: Mapping[str, Json]) -> None:
        self._body = body
        self._faults: list[Fault] = []
        self._missing: set[str] = set()

    def fault(self, name: str, code: Code, expected: str) -> None:
        """Note a fault of a field; one more of a missing field says nothing new."""
        if name not in self._missing:
            self._faults.append(Fault("/" + name, code, expected))

    def author(self, name: str) -> str | None:
        """Who did something, by a name of the sender's; None where it is not told."""
        told = self._body.get(name)
        try:
            return _NAME.to_dataverse(told)
        except Unfit as unfit:
            self.fault(name, unfit.code, unfit.expected)
            return None

    def require(self, names: tuple[str, ...]) -> None:
        """Note each of these fields that is not there."""
        for name in names:
            if self._body.get(name) is None:
                self.fault(name, Code.MISSING_FIELD, "is required")
                self._missing.add(name)

    def finish(self) -> None:
        """Nothing while there is no fault; raises InvalidMessage with all of them."""
        if self._faults:
            raise InvalidMessage(*self._faults)

    def text(self, name: str) -> str:
        """A text that is not blank, trimmed."""
        value = self._body.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip()
        self.fault(name, Code.BAD_FIELD, "text that is not blank")
        return ""

    def guid(self, name: str) -> UUID:
        """A GUID."""
        found = guid(self.text(name))
        if found is None:
            self.fault(name, Code.BAD_FIELD, "a GUID")
        return found or UUID(int=0)

    def heir(self, loser: RecordKey, operation: Operation) -> RecordKey | None:
        """The record that `loser` was merged into; None when nobody says that it was."""
        if operation is not Operation.ABSORB:
            if "mergedInto" in self._body:
                self.fault("mergedInto", Code.UNKNOWN_FIELD, "a field of a merge alone")
            return None
        self.require(("mergedInto",))
        key = RecordKey(loser.system, loser.entity, normalised_id(self.text("mergedInto")))
        if key == loser:
            self.fault("mergedInto", Code.BAD_FIELD, "the id of another record")
        return key

    def whole(self, name: str) -> int:
        """A whole number, as a number or in digits."""
        value = self._body.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, str) and value.isascii() and value.isdigit():
            return int(value)
        self.fault(name, Code.BAD_FIELD, "a whole number")
        return 0

    def operation(self, names: Mapping[str, Operation]) -> Operation:
        """What was done, by one of these words."""
        value = self._body.get("operation")
        found = names.get(value.lower()) if isinstance(value, str) else None
        if found is None:
            self.fault("operation", Code.BAD_FIELD, "one of " + ", ".join(names))
        return found or Operation.UPSERT

    def instant(self, name: str) -> datetime:
        """An instant with an offset, in UTC."""
        value = self._body.get(name)
        found = instant(value) if isinstance(value, str) else None
        if found is None:
            self.fault(name, Code.BAD_TIMESTAMP, "an ISO 8601 instant with an offset")
        return found or datetime.min.replace(tzinfo=UTC)

    def mapping(self, name: str, *, required: bool) -> Mapping[str, Json]:
        """An object; one that is required has a field at least."""
        value = self._body.get(name)
        if value is None and not required:
            return {}
        if not isinstance(value, dict) or (required and not value):
            self.fault(name, Code.BAD_FIELD, "an object with at least one field")
            return {}
        return value


def instant(text: str) -> datetime | None:
    """The instant written in ISO 8601 with an offset, in UTC; None when it is not one."""
    try:
        value = datetime.fromisoformat(text.strip())
        return value.astimezone(UTC) if value.tzinfo else None
    except (ValueError, OverflowError):
        return None
