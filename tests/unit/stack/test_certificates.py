"""The certificates that the stack's HTTPS parts show."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import certifi
import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from local.stack.certificates import certificates_in

NOW = datetime.now(tz=UTC)


def test_the_server_certificate_holds_for_this_machine_alone(tmp_path: Path) -> None:
    files = certificates_in(tmp_path, NOW)
    authority = x509.load_pem_x509_certificate(files.authority.read_bytes())
    server = x509.load_pem_x509_certificates(files.certificate.read_bytes())[0]
    policy = PolicyBuilder().store(Store([authority])).time(NOW)

    chain = policy.build_server_verifier(x509.DNSName("localhost")).verify(server, [])

    assert chain == [server, authority]
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    with pytest.raises(VerificationError):
        policy.build_server_verifier(x509.DNSName("login.microsoftonline.com")).verify(server, [])


def test_what_is_trusted_is_the_public_authorities_and_ours(tmp_path: Path) -> None:
    files = certificates_in(tmp_path)

    assert (
        files.bundle.read_bytes() == Path(certifi.where()).read_bytes() + b"\n" + files.authority.read_bytes()
    )


def test_a_later_start_keeps_the_certificates(tmp_path: Path) -> None:
    files = certificates_in(tmp_path)
    before = files.certificate.read_bytes()

    certificates_in(tmp_path, NOW + timedelta(days=700))

    assert files.certificate.read_bytes() == before


@pytest.mark.parametrize("fault", ["near its end", "a file is gone"])
def test_certificates_that_no_longer_serve_are_made_anew_with_their_authority(
    tmp_path: Path, fault: str
) -> None:
    files = certificates_in(tmp_path)
    before = files.authority.read_bytes()
    if fault == "a file is gone":
        files.key.unlink()

    certificates_in(tmp_path, NOW if fault == "a file is gone" else NOW + timedelta(days=800))

    assert files.authority.read_bytes() != before


def test_the_key_is_readable_by_its_owner_alone_and_the_authoritys_is_not_kept(tmp_path: Path) -> None:
    files = certificates_in(tmp_path)

    assert stat.filemode(files.key.stat().st_mode) == "-rw-------"
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "bundle.pem",
        "ca.pem",
        "server.key",
        "server.pem",
    ]
