"""Who may ask the issuer for tokens: the app, an external sender and the operators' own programs.

Each has a fixed id, so that configuration can name it, and a secret made at the first start. `clients.json`
in the issuer's state directory holds both; a client added there by hand is known after the next start.

| client id | who | roles at api://tandem |
|---|---|---|
| 7a2d0000-0000-4000-8000-00000000a11e | the app (also its managed identity) | none |
| 7a2d0000-0000-4000-8000-00000000e001 | an external sender | Inbound.Write |
| 7a2d0000-0000-4000-8000-00000000e002 | a reader's program | Ops.Read |
| 7a2d0000-0000-4000-8000-00000000e003 | an operator's program | Ops.Read, Ops.Operate |
| 7a2d0000-0000-4000-8000-00000000e004 | an approver's program | Ops.Read, Ops.Operate, Ops.Approve |
"""

import hmac
import json
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from local.stack.private_file import write_private_json

APP_CLIENT_ID = "7a2d0000-0000-4000-8000-00000000a11e"
SENDER_CLIENT_ID = "7a2d0000-0000-4000-8000-00000000e001"
READER_CLIENT_ID = "7a2d0000-0000-4000-8000-00000000e002"
OPERATOR_CLIENT_ID = "7a2d0000-0000-4000-8000-00000000e003"
APPROVER_CLIENT_ID = "7a2d0000-0000-4000-8000-00000000e004"


@dataclass(frozen=True, slots=True)
class Client:
    """A registered program. `roles` are what it may do at the app's own API, nowhere else."""

    client_id: str
    name: str
    roles: tuple[str, ...]
    secret: str = ""

    def knows(self, secret: str) -> bool:
        """Whether `secret` is this client's, compared in constant time."""
        return hmac.compare_digest(self.secret.encode(), secret.encode())


REGISTERED = (
    Client(APP_CLIENT_ID, "Tandem", ()),
    Client(SENDER_CLIENT_ID, "External sender", ("Inbound.Write",)),
    Client(READER_CLIENT_ID, "Operations reader", ("Ops.Read",)),
    Client(OPERATOR_CLIENT_ID, "Operations operator", ("Ops.Read", "Ops.Operate")),
    Client(APPROVER_CLIENT_ID, "Operations approver", ("Ops.Read", "Ops.Operate", "Ops.Approve")),
)


def _read(file: Path) -> Iterable[Client]:
    if not file.exists():
        return ()
    return (Client(**row | {"roles": tuple(row["roles"])}) for row in json.loads(file.read_text()))


def clients_kept_in(state: Path) -> dict[str, Client]:
    """The clients by id; those of this file that `state/clients.json` lacks are added with a fresh secret."""
    file = state / "clients.json"
    clients = {client.client_id: client for client in _read(file)}
    missing = [client for client in REGISTERED if client.client_id not in clients]
    if missing:
        for client in missing:
            clients[client.client_id] = replace(client, secret=secrets.token_urlsafe(32))
        write_private_json(file, [asdict(client) for client in clients.values()])
    return clients


def identity_header_kept_in(state: Path) -> str:
    """The value of `X-IDENTITY-HEADER` that only processes started as the app are given."""
    file = state / "identity-header.json"
    if not file.exists():
        write_private_json(file, {"identity_header": secrets.token_urlsafe(32)})
    header: str = json.loads(file.read_text())["identity_header"]
    return header
