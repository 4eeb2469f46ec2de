"""`python -m local.vault --port N --cert F --key F --issuer URL --ca F --state DIR`: the vault's process."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from local.stack.server import serve
from local.vault.application import application
from local.vault.caller import TokenCheck
from local.vault.secret_store import SecretStore


def main() -> None:
    """Reads the arguments, opens or makes the secrets, and serves."""
    parser = argparse.ArgumentParser(prog="python -m local.vault", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--cert", type=Path, required=True)
    parser.add_argument("--key", type=Path, required=True)
    parser.add_argument("--issuer", required=True, help="the `iss` of the tokens that are accepted")
    parser.add_argument(
        "--ca", type=Path, required=True, help="the authority behind the issuer's certificate"
    )
    parser.add_argument("--state", type=Path, required=True)
    asked = parser.parse_args()

    store = SecretStore(asked.state / "secrets.json", lambda: datetime.now(tz=UTC))
    app = application(store, TokenCheck(asked.issuer, asked.ca))
    serve("vault", app, port=asked.port, certificate=asked.cert, key=asked.key)


if __name__ == "__main__":
    main()
