"""What a client attaches its links to: a queue, one of its sessions, or a node that answers."""

from typing import Any

from local.broker.amqp.composites import Coordinator
from local.broker.amqp.values import Described, Symbol, ULong
from local.broker.engine.link import MAX_MESSAGE_SIZE, Attaching
from local.broker.entities.errors import InvalidArgument, NotAllowed, NotImplementedHere, Refusal
from local.broker.entities.namespace import Namespace
from local.broker.entities.session_queue import SessionQueue
from local.broker.faults import Faults
from local.broker.service.address import MANAGEMENT, path_of
from local.broker.service.cbs import Cbs
from local.broker.service.intake import Intake
from local.broker.service.management import Management
from local.broker.service.node import Answers, Node, Questions
from local.broker.service.outlet import SESSION_FILTER, Outlet, SessionOutlet
from local.broker.service.trouble import Trouble

# How long an accept of any session waits when the client does not say, and at most (ms).
ACCEPT_LIMIT_MS = 65_000

_TIMEOUT = "com.microsoft:timeout"
_BATCH_SIZE = {Symbol("com.microsoft:max-message-batch-size"): ULong(MAX_MESSAGE_SIZE)}


class Services:
    """The router of all connections."""

    def __init__(self, namespace: Namespace, faults: Faults) -> None:
        self._namespace = namespace
        self._trouble = Trouble(faults)

    def attach(self, attaching: Attaching) -> None:
        """Accept or refuse a link; an accept of any session may be answered later."""
        try:
            if isinstance(attaching.frame.target, Coordinator):
                raise NotImplementedHere("this broker has no transactions")
            path = path_of(attaching.address)
            if self._trouble.strikes(path, "attach", attaching):
                return
            if path == "$cbs":
                self._attach_node(attaching, path, Cbs())
            elif path.endswith(MANAGEMENT):
                queue = self._namespace.queue(path.removesuffix(MANAGEMENT))
                self._attach_node(attaching, path, Management(queue))
            elif attaching.client_sends:
                self._attach_sender(attaching, path)
            else:
                self._attach_receiver(attaching, path)
        except Refusal as no:
            attaching.refuse(no.condition, no.description)

    def _attach_node(self, attaching: Attaching, path: str, node: Node) -> None:
        if attaching.client_sends:
            attaching.accept_incoming(Questions(path, node, self._trouble))
        else:
            Answers(path, attaching)

    def _attach_sender(self, attaching: Attaching, path: str) -> None:
        queue = self._namespace.queue(path)
        if "$" in path:
            raise NotAllowed("messages reach a dead-letter queue through their queue only")
        attaching.accept_incoming(Intake(queue, self._trouble), _BATCH_SIZE)

    def _attach_receiver(self, attaching: Attaching, path: str) -> None:
        queue = self._namespace.queue(path)
        if queue.onward is not None:
            raise NotAllowed("the queue hands its messages on: receive where they go")
        source = attaching.frame.source
        filters = source.filter if source is not None and source.filter is not None else {}
        if SESSION_FILTER not in filters:
            Outlet(queue, attaching, self._trouble).attach()
            return
        session_id = _session_id(filters[SESSION_FILTER])
        if not isinstance(queue, SessionQueue):
            raise NotAllowed("the queue has no sessions")
        outlet = SessionOutlet(queue, attaching, self._trouble)
        if session_id is None:
            outlet.accept_next(_wait_ms(attaching.frame.properties or {}))
        else:
            outlet.accept(session_id)


def _session_id(value: Any) -> str | None:
    """The session a filter names; None means any."""
    if isinstance(value, Described):
        value = value.value
    if isinstance(value, bytes):
        try:
            value = value.decode()
        except UnicodeDecodeError as wrong:
            raise InvalidArgument("session filter: not text") from wrong
    if value is None or isinstance(value, str):
        return value
    raise InvalidArgument("session filter: a string, or null for any session")


def _wait_ms(properties: dict[Any, Any]) -> int:
    value = properties.get(_TIMEOUT)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        return ACCEPT_LIMIT_MS
    return min(int(value), ACCEPT_LIMIT_MS)
