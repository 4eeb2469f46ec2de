"""Who sees personal data: the same answer for a record, a match and an owner."""

import azure.functions as func
import pytest

from shared.connectors.callers import Caller
from shared.triggers.roles import OPERATE, PERSONAL, READ, sees_personal


@pytest.mark.parametrize(
    ("roles", "asked", "sees"),
    [
        ({READ}, {}, False),
        ({READ, PERSONAL}, {}, True),
        ({READ, OPERATE}, {}, True),
        ({READ, PERSONAL}, {"masked": "true"}, False),
        ({READ, OPERATE}, {"masked": "true"}, False),
    ],
)
def test_personal_data_is_for_who_repairs_and_for_readers_with_the_role_for_it(
    roles: set[str], asked: dict[str, str], *, sees: bool
) -> None:
    request = func.HttpRequest(method="GET", url="https://x/api/ops/matches/1", params=asked, body=b"")

    assert sees_personal(Caller("id", "Ann", frozenset(roles)), request) is sees
