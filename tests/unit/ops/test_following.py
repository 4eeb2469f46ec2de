"""Following a plan while the service comes and goes."""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from shared.ops.client import Service, Unreachable
from shared.ops.commands import plan_screen, plans

FOLLOW = argparse.Namespace(plan="1", follow=True, json=True)


def plan(state: str) -> dict[str, Any]:
    """A plan as far as following needs it; nothing of it has moved yet."""
    return {"plan": 1, "state": state, "wave": 0, "heads": {"selected": 0}, "followers": {"selected": 0}}


@dataclass(frozen=True, slots=True)
class Moody(Service):
    """A service that answers what it is told to, and is away where that is nothing."""

    answers: list[Mapping[str, Any] | None] = field(default_factory=list)

    def get(self, path: str, **asked: str) -> Mapping[str, Any]:
        del asked
        answer = self.answers.pop(0)
        if answer is None:
            raise Unreachable(path)
        return answer


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "_POLL", 0.001)
    monkeypatch.setattr(plan_screen, "progress", lambda told: told["state"])


def test_a_service_that_is_away_for_a_moment_is_asked_again() -> None:
    service = Moody("u", "t", [plan("running"), None, None, plan("finished")])

    told, _, is_good = plans.show(service, FOLLOW)

    assert (told, is_good, service.answers) == (plan("finished"), True, [])


def test_a_service_that_stays_away_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "_PATIENCE", 0.0)

    with pytest.raises(Unreachable, match="ops/plans/1"):
        plans.show(Moody("u", "t", [plan("running"), None, None, None]), FOLLOW)


def test_a_service_that_never_answered_is_told_at_once() -> None:
    with pytest.raises(Unreachable, match="ops/plans/1"):
        plans.show(Moody("u", "t", [None]), FOLLOW)
