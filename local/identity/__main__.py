"""`python -m local.identity --port N --cert F --key F --state DIR`: the issuer as a process of its own.

At each start it leaves the four role tokens in `tokens.json` of its state directory, for the supervisor.
"""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from local.identity.application import application
from local.identity.clients import clients_kept_in, identity_header_kept_in
from local.identity.issuer import Issuer
from local.identity.signing import SigningKey
from local.stack.private_file import write_private_json
from local.stack.server import serve


def main() -> None:
    """Reads the arguments, opens or makes the state, and serves."""
    parser = argparse.ArgumentParser(prog="python -m local.identity", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--cert", type=Path, required=True)
    parser.add_argument("--key", type=Path, required=True)
    parser.add_argument("--state", type=Path, required=True)
    asked = parser.parse_args()

    state: Path = asked.state
    issuer = Issuer(
        f"https://127.0.0.1:{asked.port}", SigningKey.kept_in(state), lambda: datetime.now(tz=UTC)
    )
    app = application(issuer, clients_kept_in(state), identity_header_kept_in(state))
    write_private_json(state / "tokens.json", issuer.role_tokens())
    serve("identity", app, port=asked.port, certificate=asked.cert, key=asked.key)


if __name__ == "__main__":
    main()
