"""What follows from a system's declaration."""

import pytest

from shared.core.rest import Rest
from shared.core.system import LegacySystem


@pytest.mark.parametrize(
    ("system", "way"),
    [
        (LegacySystem("crm", (), Rest({})), "REST"),
        (LegacySystem("crm", (), drops=True, by_import=True), "file"),
        (LegacySystem("crm", (), drops=True), ""),
        (LegacySystem("crm", ()), ""),
    ],
)
def test_a_change_reaches_a_system_by_what_it_declares_and_else_by_nothing(
    system: LegacySystem, way: str
) -> None:
    assert system.way == way
