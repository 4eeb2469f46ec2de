"""`$cbs`: clients put tokens here. Any token will do: this broker guards nothing."""

from local.broker.amqp.sections import Request, response
from local.broker.amqp.values import Int


class Cbs:
    """Says yes to every put-token, in the words of the real one (hyphens, not camel case)."""

    def answer(self, request: Request, owner: object) -> bytes:
        """202 for put-token, 400 for anything else."""
        del owner
        known = request.application.get("operation") == "put-token"
        code, text = (202, "Accepted") if known else (400, "only put-token is known here")
        return response(request.message_id, {"status-code": Int(code), "status-description": text}, None)
