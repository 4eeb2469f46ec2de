"""The seal on what Tandem itself puts on a queue: who may send there cannot speak in its name.

Control messages carry no change of any system, so no sender has a use for them; one that did could wake lanes
or have a person's decision carried out for a record of its choice. The key is in the state, which senders
cannot read.
"""

import hashlib
import hmac
from dataclasses import dataclass, field, replace

from shared.core.change import Message

PROPERTY = "tandem-seal"
"""The application property that carries the seal."""


@dataclass(frozen=True, slots=True)
class Seal:
    """Seals messages, and knows its own seals again. `key` is secret, of at least 32 bytes."""

    key: bytes = field(repr=False)

    def on(self, message: Message) -> Message:
        """The message with a seal that fits its id, queue, session, sender and body."""
        return replace(
            message, application_properties={**message.application_properties, PROPERTY: self._of(message)}
        )

    def fits(self, message: Message) -> bool:
        """Whether a message was sealed with this key and is as it was then."""
        told = message.application_properties.get(PROPERTY)
        return isinstance(told, str) and hmac.compare_digest(
            told.encode("utf-8", "surrogatepass"), self._of(message).encode()
        )

    def _of(self, message: Message) -> str:
        parts = [message.id, message.queue, message.session_id or "", message.sender or ""]
        texts = [part.encode("utf-8", "surrogatepass") for part in parts]
        told = b"".join(len(text).to_bytes(4, "big") + text for text in texts) + message.body
        return hmac.new(self.key, told, hashlib.sha256).hexdigest()
