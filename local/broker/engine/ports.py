"""What the engine asks of the services behind it."""

from typing import Any, Protocol

from local.broker.engine.link import Attaching, Delivery


class Violation(Exception):
    """The peer broke the protocol; its connection is closed with this condition."""

    def __init__(self, condition: str, description: str) -> None:
        super().__init__(f"{condition}: {description}")
        self.condition = condition
        self.description = description


class Router(Protocol):
    """Decides what a link is attached to."""

    def attach(self, attaching: Attaching) -> None:
        """Accept or refuse, now or later; an attach that is gone must be left unanswered."""


class Receives(Protocol):
    """Behind a link on which the client sends."""

    def receive(self, delivery: Delivery) -> None:
        """A whole message came. Settle it through the delivery."""

    def closed(self) -> None:
        """The link is gone."""


class Sends(Protocol):
    """Behind a link on which the client receives."""

    def credited(self) -> None:
        """There is room for messages again."""

    def settled(self, item: Any, outcome: Any) -> Any:
        """The client settled what was sent as `item`; it is told the outcome that is given back, if any."""

    def closed(self) -> None:
        """The link is gone."""
