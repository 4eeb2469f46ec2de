"""The values of a request on `$management`, each taken with the type it must have."""

from typing import Any, TypeVar

from local.broker.amqp.values import Array
from local.broker.entities.errors import InvalidArgument

T = TypeVar("T")

# More than any client asks for in one request.
MAX_ITEMS = 10_000


class Arguments:
    """A map whose values are checked as they are taken. Raises InvalidArgument with the field's name."""

    def __init__(self, values: Any) -> None:
        if not isinstance(values, dict):
            raise InvalidArgument("the request's body is a map")
        self._values: dict[Any, Any] = values

    def number(self, name: str) -> int:
        """A number, of whatever width, not negative."""
        value = self._values.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise InvalidArgument(f"{name}: a number from 0")
        return int(value)

    def text(self, name: str) -> str:
        """A string."""
        return self._of(name, str)

    def text_or_none(self, name: str) -> str | None:
        """A string, if there is one."""
        return None if self._values.get(name) is None else self.text(name)

    def binary(self, name: str) -> bytes:
        """Bytes."""
        return self._of(name, bytes)

    def binary_or_none(self, name: str) -> bytes | None:
        """Bytes, if there are any."""
        return None if self._values.get(name) is None else self.binary(name)

    def map_or_empty(self, name: str) -> dict[Any, Any]:
        """A map; an absent one is empty."""
        return {} if self._values.get(name) is None else self._of(name, dict)

    def maps(self, name: str) -> list["Arguments"]:
        """A list of maps."""
        return [Arguments(item) for item in self.all_of(name, dict)]

    def numbers(self, name: str) -> list[int]:
        """A list or array of numbers."""
        return [int(item) for item in self.all_of(name, int)]

    def all_of(self, name: str, kind: type[T]) -> list[T]:
        """A list or array of values of one type."""
        value = self._values.get(name)
        items = value.items if isinstance(value, Array) else value
        if not isinstance(items, (list, tuple)) or len(items) > MAX_ITEMS:
            raise InvalidArgument(f"{name}: a list")
        if not all(isinstance(item, kind) for item in items):
            raise InvalidArgument(f"{name}: every item has the same type")
        return list(items)

    def _of(self, name: str, kind: type[T]) -> T:
        value = self._values.get(name)
        if not isinstance(value, kind):
            raise InvalidArgument(f"{name}: missing, or of the wrong type")
        return value
