"""Nodes that answer: requests come on one link, responses leave on another of the same client."""

from collections import deque
from typing import Any, Protocol

from local.broker.amqp.composites import Accepted
from local.broker.amqp.sections import Request, parse_request
from local.broker.amqp.values import Malformed
from local.broker.engine.link import Attaching, Delivery, OutgoingLink
from local.broker.engine.session import Session
from local.broker.entities.errors import Refusal
from local.broker.service.intake import rejected
from local.broker.service.trouble import Trouble

# Answers that wait for a client to make room. One that asks and never listens is cut off.
MAX_UNREAD = 256


class Node(Protocol):
    """Something that answers requests."""

    def answer(self, request: Request, owner: object) -> bytes:
        """The encoded response to a request from one connection. Raises Refusal for what is no request at
        all.
        """


class Questions:
    """The link on which requests come."""

    def __init__(self, path: str, node: Node, trouble: Trouble) -> None:
        self._path = path
        self._node = node
        self._trouble = trouble

    def receive(self, delivery: Delivery) -> None:
        """Answer one request."""
        session = delivery.link.session
        try:
            if self._trouble.strikes(self._path, "manage", delivery.link):
                return
            request = parse_request(delivery.payload)
            answers = _answers(session, self._path, request.reply_to)
            if answers is None:
                delivery.settle(rejected("amqp:not-allowed", "there is no link to answer on"))
                return
            response = self._node.answer(request, session.connection)
        except Refusal as no:
            delivery.settle(rejected(no.condition, no.description))
            return
        except Malformed as wrong:
            delivery.settle(rejected("amqp:decode-error", str(wrong)))
            return
        delivery.settle(Accepted())
        answers.say(response)

    def closed(self) -> None:
        """Nothing is held for one who asks."""


class Answers:
    """The link on which responses leave."""

    def __init__(self, path: str, attaching: Attaching) -> None:
        self.path = path
        self._unread: deque[bytes] = deque()
        self._sent = 0
        self._link = attaching.accept_outgoing(self)

    def say(self, response: bytes) -> None:
        """Send a response, now or when there is room."""
        self._unread.append(response)
        self._link.session.connection.holds(len(response))
        self.credited()
        if len(self._unread) > MAX_UNREAD:
            self._link.detach("amqp:resource-limit-exceeded", "too many answers wait to be read")

    def credited(self) -> None:
        """There is room."""
        while self._unread and self._link.capacity() > 0:
            self._sent += 1
            response = self._unread.popleft()
            self._link.session.connection.holds(-len(response))
            self._link.send(response, self._sent.to_bytes(8, "big"))

    def settled(self, item: Any, outcome: Any) -> Any:
        """Responses leave settled: there is nothing to say about them."""
        del item
        return outcome

    def closed(self) -> None:
        """Nobody listens any more."""
        self._link.session.connection.holds(-sum(map(len, self._unread)))
        self._unread.clear()


def _answers(session: Session, path: str, reply_to: str | None) -> Answers | None:
    """Where to answer: the link whose target the request names, else any on the same node."""
    links = [link for link in session.outgoing_links() if _is_for(link, path)]
    named = [
        link
        for link in links
        if link.frame.target and getattr(link.frame.target, "address", None) == reply_to
    ]
    chosen = next(iter(named or links), None)
    return chosen.endpoint if chosen is not None and isinstance(chosen.endpoint, Answers) else None


def _is_for(link: OutgoingLink, path: str) -> bool:
    return isinstance(link.endpoint, Answers) and link.endpoint.path == path
