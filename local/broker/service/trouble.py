"""Where armed faults meet links."""

from local.broker.engine.link import Attaching, Link
from local.broker.entities.errors import Detached, ServerBusy
from local.broker.faults import Faults


class Trouble:
    """Lets armed faults strike."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def strikes(self, path: str, operation: str, link: Link | Attaching) -> bool:
        """Whether the operation is lost to a fault; a mere delay loses nothing. Raises ServerBusy,
        Detached.
        """
        fault = self._faults.strike(path, operation) if self._faults.armed else None
        if fault is None:
            return False
        connection = link.session.connection
        if fault.kind == "delay":
            connection.hold(fault.delay_ms / 1000)
            return False
        if fault.kind == "drop":
            connection.drop()
            return True
        if fault.kind == "detach":
            if isinstance(link, Attaching):
                raise Detached("the service ends the link, as a fault was armed to")
            link.detach(Detached.condition, "the service ends the link, as a fault was armed to")
            return True
        raise ServerBusy("the service is busy, as a fault was armed to say")
