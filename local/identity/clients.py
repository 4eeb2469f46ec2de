"""Who may ask the issuer for tokens: the app, an external sender and the operators' own programs.

Each has a fixed id, so that configuration can name it, and a secret made at the first start. `clients.json`
in the issuer's state directory holds both, and the certificates by which a client may prove itself instead; a
client or a certificate added there by hand is known after the next start. The app has a certificate from the
first start on, with its key in `app-certificate.pem`.

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
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from local.stack.private_file import write_private, write_private_json

APP_CLIENT_ID = "7a2d0000-0000-4000-8000-00000000a11e"
SENDER_CLIENT_ID = "7a2d0000-0000-4000-8000-00000000e001"
READER_CLIENT_ID = "7a2d0000-0000-4000-8000-00000000e002"
OPERATOR_CLIENT_ID = "7a2d0000-0000-4000-8000-00000000e003"
APPROVER_CLIENT_ID = "7a2d0000-0000-4000-8000-00000000e004"
APP_CERTIFICATE = "app-certificate.pem"
_CERTIFICATE_LIFETIME = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class Client:
    """A registered program. `roles` are what it may do at the app's own API, nowhere else.

    `certificates` are PEM, without keys.
    """

    client_id: str
    name: str
    roles: tuple[str, ...]
    secret: str = ""
    certificates: tuple[str, ...] = ()

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
    return (
        Client(**row | {name: tuple(row.get(name, ())) for name in ("roles", "certificates")})
        for row in json.loads(file.read_text())
    )


def clients_kept_in(state: Path) -> dict[str, Client]:
    """The clients by id; those of this file that `state/clients.json` lacks are added with a fresh secret."""
    file = state / "clients.json"
    clients = {client.client_id: client for client in _read(file)}
    known = dict(clients)
    for client in REGISTERED:
        if client.client_id not in clients:
            clients[client.client_id] = replace(client, secret=secrets.token_urlsafe(32))
    app = clients[APP_CLIENT_ID]
    certificate = _app_certificate(state / APP_CERTIFICATE)
    if certificate not in app.certificates:
        clients[APP_CLIENT_ID] = replace(app, certificates=(*app.certificates, certificate))
    if clients != known:
        write_private_json(file, [asdict(client) for client in clients.values()])
    return clients


def _app_certificate(file: Path) -> str:
    """The certificate in `file`, made with its key now if there is none; the key stays in the file."""
    if not file.exists():
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tandem")])
        now = datetime.now(tz=UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + _CERTIFICATE_LIFETIME)
            .sign(key, hashes.SHA256())
        )
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        write_private(file, private + made.public_bytes(serialization.Encoding.PEM))
    kept = x509.load_pem_x509_certificate(file.read_bytes())
    return kept.public_bytes(serialization.Encoding.PEM).decode()


def identity_header_kept_in(state: Path) -> str:
    """The value of `X-IDENTITY-HEADER` that only processes started as the app are given."""
    file = state / "identity-header.json"
    if not file.exists():
        write_private_json(file, {"identity_header": secrets.token_urlsafe(32)})
    header: str = json.loads(file.read_text())["identity_header"]
    return header
