"""How long the supervisor waits before it starts a dead part again."""

from local.stack.keeper import Patience


def test_the_pause_doubles_with_each_death_up_to_a_limit() -> None:
    patience = Patience(first_pause=0.5, longest_pause=30)

    assert [patience.pause(deaths) for deaths in (1, 2, 3, 4, 10, 5000)] == [0.5, 1, 2, 4, 30, 30]
