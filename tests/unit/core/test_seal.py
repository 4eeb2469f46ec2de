"""The seal: it fits what was sealed, and nothing else."""

from dataclasses import replace

import pytest

from shared.core.change import Message
from shared.core.seal import Seal

SEAL = Seal(b"k" * 32)
MESSAGE = Message("settle-1-x", "inbound", "s-1", b'{"kind":"settlement"}', sender="ann")


def test_what_was_sealed_is_known_again_whatever_the_broker_adds() -> None:
    arrived = replace(SEAL.on(MESSAGE), position=7, delivery_count=3, properties={"enqueuedTimeUtc": "now"})

    assert SEAL.fits(arrived)
    assert not SEAL.fits(MESSAGE)


@pytest.mark.parametrize(
    "change",
    [
        {"id": "settle-2-x"},
        {"queue": "outbound"},
        {"session_id": "s-2"},
        {"body": b'{"kind":"drain"}'},
        {"sender": "eve"},
        {"sender": None},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_seal_does_not_fit_another_message(change: dict[str, object]) -> None:
    assert not SEAL.fits(replace(SEAL.on(MESSAGE), **change))  # type: ignore[arg-type]  # one field at a time


@pytest.mark.parametrize("told", ["", "ä", 7, None, "0" * 64])
def test_what_is_no_seal_of_ours_does_not_fit(told: str | int | None) -> None:
    assert not SEAL.fits(replace(MESSAGE, application_properties={"tandem-seal": told}))
    assert not Seal(b"o" * 32).fits(SEAL.on(MESSAGE))


def test_the_key_is_not_shown() -> None:
    assert "kkk" not in repr(SEAL)
