"""Clients nobody here wrote, unchanged, against the simulator.

They live outside the environment of the product: `python3 local/setup.py clients` installs them, and so does
`make test`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from local.dataverse.server import Settings, start

HERE = Path(__file__).parent
CLIENTS = Path(__file__).parents[3] / ".local" / "clients"
PYTHON = CLIENTS / "python" / "bin" / "python"
NODE = CLIENTS / "node"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate of this machine, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    names: list[x509.GeneralName] = [x509.IPAddress(IPv4Address("127.0.0.1")), x509.DNSName("localhost")]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_path, key_path = folder / "server.pem", folder / "server.key"
    cert_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return cert_path, key_path


def run(command: list[str], **environment: str) -> dict[str, Any]:
    """What a client saw; its own words when it failed."""
    assert all((CLIENTS / name / "tandem.stamp").exists() for name in ("node", "python")), (
        "the clients are not installed: run `python3 local/setup.py clients`"
    )
    finished = subprocess.run(
        command,
        cwd=NODE if command[0].endswith("node") else HERE,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr[-3000:]
    seen: dict[str, Any] = json.loads(finished.stdout.splitlines()[-1])
    return seen


def test_the_python_sdk_of_microsoft_works_unchanged(
    customisations: Path, certificate: tuple[Path, Path]
) -> None:
    cert, key = certificate
    with start(Settings(customisations=customisations, cert=cert, key=key)) as simulator:
        assert simulator.https_url is not None
        seen = run(
            [str(PYTHON), str(HERE / "clients" / "powerplatform.py"), simulator.https_url],
            REQUESTS_CA_BUNDLE=str(cert),
        )
        file = httpx.get(
            f"{simulator.http_url}/api/data/v9.2/accounts({seen.pop('files')})/new_document/$value",
            headers={"Authorization": "Bearer x"},
        )

    seen["records"].pop("two")
    assert file.content == b"x" * (5 * 1024 * 1024)
    assert seen == {
        "records": {"ids": 3, "one": ["One", "2"]},
        "labels": 8,
        "keys": ["Bulk 0", "Bulk 1", "Second"],
        "paging": 5,
        "batch": {"ok": 2, "failed": [400], "ids": 2},
        "metadata": {
            "set": "new_widgets",
            "row": [3, 2],
            "columns": [
                "new_born",
                "new_colour",
                "new_name",
                "new_on",
                "new_size",
                "new_weight",
                "new_widgetid",
            ],
            "gone": True,
        },
        "errors": [400, "0x80044331"],
        "bulk": {"made": 250, "job": 36, "left": ["one", "two"]},
        "queries": {
            "filtered": ["Q0", "Q2", "Q3"],
            "expanded": ["Parent"],
            "formatted": "$10.50",
            "pages": [4],
            "missing": None,
        },
        "relationships": {
            "pointed": True,
            "found": True,
            "gone": True,
            "pair": ["new_part", "new_tool"],
            "pair gone": True,
        },
        "alternate_keys": {"key": ["lastname", "telephone1"], "rows": ["Second"]},
        "frames": {"made": 2, "rows": ["x", "y"]},
        "refusals": {
            "update": [404, "0x80040217", False],
            "option": [400, "0x8004431A", False],
            "lookup": [404, "0x80040217", False],
            "sql": [501, "0x80060600", False],
            "fetchxml": [501, "0x80060600", False],
        },
    }


def test_the_asyncio_side_of_the_python_sdk_works_unchanged(customisations: Path) -> None:
    with start(Settings(customisations=customisations)) as simulator:
        seen = run([str(PYTHON), str(HERE / "clients" / "powerplatform_async.py"), simulator.http_url])
        file = httpx.get(
            f"{simulator.http_url}/api/data/v9.2/accounts({seen.pop('file')})/new_document/$value",
            headers={"Authorization": "Bearer x"},
        )

    assert file.content == b"hello"
    assert seen == {
        "together": 20,
        "listed": ["Many 0", "Many 1", "Many 2"],
        "read": 1,
        "batch": [1, [400]],
        "refused": [400, "0x80044331"],
        "set": "new_gadgets",
    }


def test_the_npm_client_works_unchanged(customisations: Path) -> None:
    with start(Settings(customisations=customisations)) as simulator:
        seen = run(
            [str(shutil.which("node")), str(HERE / "clients" / "dynamics_web_api.mjs"), simulator.http_url]
        )

    assert seen == {
        "whoami": True,
        "update": True,
        "updateMissing": 404,
        "retrieved": "2",
        "byKey": "Key",
        "count": 2,
        "updateOne": True,
        "expanded": ["P", 1],
        "page": [2, True],
        "all": 5,
        "batch": 2,
        "batchRead": [1, 400],
        "error": [400, "0x80044331"],
        "tracked": True,
        "entity": "accounts",
        "options": 10,
        "metadata": [1, 100000000, "new_vanid"],
        "file": ["paper.bin", 5 * 1024 * 1024, 0],
        "actions": [1, 3],
        "versions": [True, False],
        "createOnly": None,
        "duplicate": [412, "0x80040333"],
        "key": [412, "0x80060892"],
        "impersonated": True,
        "fetch": 501,
        "csdl": True,
        "long": 0,
        "deleted": True,
    }
