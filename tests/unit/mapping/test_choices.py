import pytest

from shared.core.change import Json
from shared.core.codes import Code
from shared.core.mapping.columns import Option
from shared.core.mapping.spec import Unfit
from shared.core.mapping.transforms import choice, status, yes_no

FORECAST = choice({"Pipeline": 1, "Commit": 2}, {"Committed": "Commit"})


@pytest.mark.parametrize(
    ("label", "option", "back"),
    [
        ("Pipeline", 1, "Pipeline"),
        (" PIPELINE ", 1, "Pipeline"),
        ("committed", 2, "Commit"),
        ("", None, ""),
        (None, None, ""),
    ],
)
def test_a_label_becomes_its_option_and_comes_back_as_it_should_be_written(
    label: str | None, option: int | None, back: str
) -> None:
    held = FORECAST.to_dataverse(label)

    assert held == option
    assert FORECAST.to_legacy(held) == back


def test_an_unknown_label_or_option_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Unfit) as inbound:
        FORECAST.to_dataverse("Maybe")
    with pytest.raises(Unfit) as outbound:
        FORECAST.to_legacy(Option(9))

    for caught in (inbound, outbound):
        assert (caught.value.code, caught.value.expected) == (
            Code.VALUE_NO_OPTION,
            "one of Pipeline, Commit",
        )


@pytest.mark.parametrize(
    ("options", "aliases"),
    [
        ({"Open": 1, "Offen": 1}, {}),
        ({"Open": 1, "OPEN": 2}, {}),
        ({"Open": 1, "Won": 2}, {"won": "Open"}),
        ({"Open": 1}, {"open": "Open"}),
    ],
)
def test_a_choice_whose_way_back_would_be_a_guess_cannot_be_declared(
    options: dict[str, int], aliases: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match="two"):
        choice(options, aliases)


@pytest.mark.parametrize(
    ("value", "held"), [("true", True), (" NO ", False), (True, True), (False, False), ("", None)]
)
def test_yes_and_no_are_understood_in_words_and_in_json(value: Json, held: bool | None) -> None:  # noqa: FBT001 - the value under test
    assert yes_no().to_dataverse(value) is held


@pytest.mark.parametrize("value", ["maybe", "1", "0"])
def test_what_is_neither_yes_nor_no_is_refused(value: Json) -> None:
    with pytest.raises(Unfit, match=r"value\.not_yes_or_no: Yes or No"):
        yes_no("Yes", "No").to_dataverse(value)


def test_the_legacy_system_is_told_in_its_own_words() -> None:
    assert [yes_no("Yes", "No").to_legacy(value) for value in (True, False, None)] == ["Yes", "No", ""]


LIFE = status({"open": (1, 2), "won": (3,), "lost": (5, 4)})


def test_a_status_is_written_as_the_first_it_may_mean_and_read_from_any() -> None:
    assert [LIFE.to_dataverse(label) for label in ("open", " WON ", "lost", "", None)] == [
        1,
        3,
        5,
        None,
        None,
    ]
    assert [LIFE.to_legacy(Option(value)) for value in (1, 2, 3, 4, 5)] == [
        "open",
        "open",
        "won",
        "lost",
        "lost",
    ]


def test_a_status_nobody_knows_is_refused_unless_the_map_says_what_it_becomes() -> None:
    with pytest.raises(Unfit, match=r"value\.no_option"):
        LIFE.to_dataverse("on the moon")

    assert status({"open": (1,)}, unknown=1).to_dataverse("on the moon") == 1


def test_two_labels_of_one_status_are_a_mistake_in_the_map() -> None:
    with pytest.raises(ValueError, match="two labels"):
        status({"open": (1, 2), "waiting": (2,)})


def test_a_label_nobody_knows_is_a_blank_where_the_map_keeps_it_elsewhere() -> None:
    roles = choice({"Decision maker": 1, "Influencer": 3}, known_only=True)

    assert [roles.to_dataverse(label) for label in ("influencer", "User", "")] == [3, None, None]


def test_a_label_nobody_knows_is_the_option_the_map_has_for_the_rest() -> None:
    kinds = choice({"Email": 2, "Event": 3}, otherwise=5)

    assert [kinds.to_dataverse(label) for label in ("event", "Podcast", "")] == [3, 5, None]
