"""Allegory on its bad days, and with a new key: what people did in Dynamics arrives all the same."""

import json
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from azure.identity import ManagedIdentityCredential
from azure.keyvault.secrets import SecretClient

from tests.acceptance.conftest import Stack, company, eventually, session_of
from tests.acceptance.trouble import Trouble

KEY = "allegory-api-key"


@pytest.fixture
def row(stack: Stack, tag: str) -> str:
    """A company that both sides hold; its row."""
    body = company(tag, 1, phone="1", city="Jena")
    with stack.allegory() as allegory:
        allegory.put(f"/companies/{tag}-C1", json=body["data"]).raise_for_status()
    record = str(stack.fate(stack.send("inbound", body, session=session_of(body)))["record"])
    stack.quiet()
    return record


def edited(stack: Stack, tag: str, row: str, phone: str) -> list[dict[str, Any]]:
    """Let a person change the phone number; the decisions on that, once Allegory has it."""
    with stack.dataverse() as dataverse, stack.allegory() as allegory:
        dataverse.patch(f"accounts({row})", json={"telephone1": phone}).raise_for_status()
        eventually(
            "the edit in Allegory",
            lambda: allegory.get(f"/companies/{tag}-C1").json().get("phone") == phone or None,
        )
    return eventually("the decision", lambda: decided(stack, row, phone))


def decided(stack: Stack, row: str, phone: str) -> list[dict[str, Any]] | None:
    """The journal of the message that brought this number, once it is over."""
    with stack.api() as api:
        told = api.get(f"ops/records/{row}").raise_for_status().json()["records"]
    lines = [line for record in told for line in record["journal"]]
    done = [line for line in lines if line["changes"].get("telephone1", {}).get("after") == phone]
    message = done[-1]["message_id"] if done else None
    return [line for line in lines if line["message_id"] == message] or None


def outcomes(lines: list[dict[str, Any]]) -> list[str]:
    return [line["outcome"] for line in lines]


def asked(stack: Stack, **wanted: Any) -> int:
    """How often Allegory was asked so."""
    counts = httpx.get(f"{stack.endpoints['allegory']['rest']}/admin/requests").json()["counts"]
    return sum(entry["count"] for entry in counts if wanted.items() <= entry.items())


def test_an_allegory_that_is_down_costs_only_time(stack: Stack, trouble: Trouble, tag: str, row: str) -> None:
    trouble.allegory(kind="status", count=2, status=503, method="PATCH", path=f"/companies/{tag}-C1")

    lines = edited(stack, tag, row, "2")

    assert outcomes(lines) == ["failed", "failed", "applied"]
    assert lines[0]["reason"].startswith("target.unavailable: Allegory answered 503")


def test_a_record_that_moved_on_in_allegory_is_read_and_decided_again_at_once(
    stack: Stack, trouble: Trouble, tag: str, row: str
) -> None:
    trouble.allegory(kind="status", count=1, status=412, method="PATCH", path=f"/companies/{tag}-C1")

    assert outcomes(edited(stack, tag, row, "2")) == ["applied"]


def test_a_record_that_never_stands_still_is_left_to_the_timer(
    stack: Stack, trouble: Trouble, tag: str, row: str
) -> None:
    trouble.allegory(kind="status", count=3, status=412, method="PATCH", path=f"/companies/{tag}-C1")

    lines = edited(stack, tag, row, "2")

    assert outcomes(lines) == ["failed", "applied"]
    assert lines[0]["reason"].startswith("target.moved_on")


def test_a_real_edit_between_our_read_and_our_write_is_kept(
    stack: Stack, trouble: Trouble, tag: str, row: str
) -> None:
    with stack.allegory() as allegory:
        allegory.patch(f"/companies/{tag}-C1", json={"city": "Gera"}).raise_for_status()

        assert outcomes(edited(stack, tag, row, "2"))[-1] in {"applied", "merged"}

        record = allegory.get(f"/companies/{tag}-C1").json()
        assert (record["phone"], record["city"]) == ("2", "Gera")
    with stack.dataverse() as dataverse:
        eventually(
            "the edit in Dataverse",
            lambda: dataverse.get(f"accounts({row})").json()["address1_city"] == "Gera" or None,
        )


def test_what_allegory_asks_for_with_429_is_kept(stack: Stack, trouble: Trouble, tag: str, row: str) -> None:
    trouble.allegory(
        kind="status", count=1, status=429, retry_after=4, method="PATCH", path=f"/companies/{tag}-C1"
    )

    lines = edited(stack, tag, row, "2")

    assert outcomes(lines) == ["failed", "applied"]
    assert lines[0]["reason"].startswith("target.throttled")
    pause = datetime.fromisoformat(lines[1]["at"]) - datetime.fromisoformat(lines[0]["at"])
    assert timedelta(seconds=4) <= pause < timedelta(seconds=12)


def test_a_rotated_key_is_used_from_the_next_call_on(
    stack: Stack, tag: str, row: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rotated with the SDK, as a person or a pipeline does; the host goes on running."""
    values = json.loads((stack.state / "settings.json").read_text())["Values"]
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, values[name])
    held = stack.state / "crm" / KEY
    old, host = held.read_text(), stack.part("host")
    refused = asked(stack, status=401)

    with (
        ManagedIdentityCredential() as credential,
        SecretClient(values["KEY_VAULT_URL"], credential, verify_challenge_resource=False) as vault,
    ):
        vault.set_secret(KEY, f"rotated-{tag}")
    eventually("Allegory's new key", lambda: held.read_text() != old or None)

    assert outcomes(edited(stack, tag, row, "2")) == ["applied"], "at the first try"
    assert outcomes(edited(stack, tag, row, "3")) == ["applied"]
    assert 1 <= asked(stack, status=401) - refused <= 2, "one by the edit or the feed, or both at once"
    now = stack.part("host")
    assert (now["pid"], now["restarts"]) == (host["pid"], host["restarts"]), "no restart"
    stack.quiet()
    settled = asked(stack, status=401)
    edited(stack, tag, row, "4")
    assert asked(stack, status=401) == settled, "one renewal serves all that follow"


def test_no_key_is_ever_written_down(stack: Stack) -> None:
    """Not in the logs, the state, the tickets or the telemetry."""
    secrets = json.loads((stack.state / "vault" / "secrets.json").read_text())
    values = json.loads((stack.state / "settings.json").read_text())["Values"]
    hidden = [version["value"] for secret in secrets for version in secret["versions"]]
    hidden += [values["IDENTITY_HEADER"], *stack.endpoints["tokens"].values()]
    places = [*(stack.state / "log").glob("*.log*"), *stack.state.glob("tandem.db*")]
    places += [*(stack.state / "desk").iterdir(), *(stack.state / "telemetry").iterdir()]

    assert len(hidden) >= 6
    assert {"host.log", "tandem.db", "desk.db", "telemetry.db"} <= {place.name for place in places}
    for place in places:
        found = place.read_bytes()
        assert not [value for value in hidden if value.encode() in found], place.name
