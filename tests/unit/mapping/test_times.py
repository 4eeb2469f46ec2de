import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.change import Json
from shared.core.codes import Code
from shared.core.mapping.spec import Unfit
from shared.core.mapping.transforms import Slashes, date, instant

NEW_YORK = instant("America/New_York", Slashes.MONTH_FIRST)
UTC_ONLY = instant()


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2016-02-28T21:41:41Z", "2016-02-28T21:41:41+00:00"),
        ("2017-03-05T09:15:00+05:30", "2017-03-05T03:45:00+00:00"),
        ("2017-03-05T09:15:00.987Z", "2017-03-05T09:15:00+00:00"),
        ("01/31/2017 11:59 PM", "2017-02-01T04:59:00+00:00"),
        ("07/31/2017 12:05 am", "2017-07-31T04:05:00+00:00"),
        ("07/31/2017 12:05 PM", "2017-07-31T16:05:00+00:00"),
        ("03/04/2015", "2015-03-04T05:00:00+00:00"),
        ("2017-01-02 10:00:00", "2017-01-02T15:00:00+00:00"),
    ],
)
def test_an_instant_is_held_in_utc_to_the_second(written: str, meant: str) -> None:
    assert NEW_YORK.to_dataverse(written) == at(meant)


@pytest.mark.parametrize(
    "written",
    [
        "2016-10-02T02:30:00 Australia/Sydney",
        "1483228800000",
        "2016-02-30T10:00:00Z",
        "2016-02-28T25:00:00Z",
        "13/31/2017 11:59 PM",
        "01/31/2017 13:59 PM",
        "01/31/2017 0:59 AM",
        "20160228T214141Z",
        "2016-W09-1",
        "yesterday",
        "1500-01-01T00:00:00Z",
        "9999-12-31T23:59:59-12:00",
        "0001-01-01T00:00:00+14:00",
    ],
)
def test_what_is_no_instant_is_refused(written: str) -> None:
    with pytest.raises(Unfit) as caught:
        NEW_YORK.to_dataverse(written)

    assert caught.value.code is Code.VALUE_NOT_A_TIME


@pytest.mark.parametrize("written", ["03/12/2017 2:30 AM", "11/05/2017 1:30 AM"])
def test_a_local_time_the_clocks_skip_or_repeat_is_refused(written: str) -> None:
    with pytest.raises(Unfit) as caught:
        NEW_YORK.to_dataverse(written)

    assert caught.value.expected == "a time that clocks in America/New_York show exactly once, or an offset"


@pytest.mark.parametrize("written", ["2016-02-28T21:41:41", "2016-02-28", "03/04/2015"])
def test_without_a_declared_zone_or_order_nothing_is_guessed(written: str) -> None:
    with pytest.raises(Unfit, match=r"value\.not_a_time"):
        UTC_ONLY.to_dataverse(written)


@pytest.mark.parametrize("value", [1483228800000, True])
def test_a_number_is_no_time(value: Json) -> None:
    with pytest.raises(Unfit, match=r"value\.not_text"):
        NEW_YORK.to_dataverse(value)


def test_slashes_follow_the_order_the_system_declares() -> None:
    assert date(Slashes.MONTH_FIRST).to_dataverse("03/04/2015") == dt.date(2015, 3, 4)
    assert date(Slashes.DAY_FIRST).to_dataverse("03/04/2015") == dt.date(2015, 4, 3)
    assert instant("Australia/Sydney", Slashes.DAY_FIRST).to_dataverse("31/12/2017 23:45") == at(
        "2017-12-31T12:45:00+00:00"
    )


@pytest.mark.parametrize("written", ["1975-02-30", "2017-03-08T17:00:00Z", "13/01/2015", "0000-01-01", "x"])
def test_what_is_no_day_is_refused(written: str) -> None:
    with pytest.raises(Unfit) as caught:
        date(Slashes.MONTH_FIRST).to_dataverse(written)

    assert caught.value.code is Code.VALUE_NOT_A_DATE


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2016-02-28T21:41:41.123456789Z", "2016-02-28T21:41:41+00:00"),
        ("2016-02-28 21:41.5z", "2016-02-28T21:41:00+00:00"),
        (" 2016-02-28T21:41Z\n", "2016-02-28T21:41:00+00:00"),
    ],
)
def test_what_is_less_than_a_second_is_left_out(written: str, meant: str) -> None:
    assert UTC_ONLY.to_dataverse(written) == at(meant)


def outcome(value: str) -> object:
    try:
        return UTC_ONLY.to_dataverse(value)
    except Unfit as unfit:
        return unfit.code, unfit.expected


parts = st.tuples(
    *(st.integers(low, high) for low, high in ((0, 9999), (0, 13), (0, 32), (0, 25), (0, 61), (0, 61)))
)


@given(parts)
def test_z_means_what_an_offset_of_nothing_means(said: tuple[int, ...]) -> None:
    written = "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}".format(*said)

    assert outcome(f"{written}Z") == outcome(f"{written}+00:00")


@given(st.dates(dt.date(1754, 1, 1), dt.date(9998, 12, 31)))
def test_every_day_survives_the_way_there_and_back(day: dt.date) -> None:
    assert date().to_dataverse(date().to_legacy(day)) == day


@given(st.datetimes(dt.datetime(1754, 1, 2), dt.datetime(9998, 12, 30), timezones=st.just(dt.UTC)))  # noqa: DTZ001 - hypothesis adds the zone itself
def test_every_second_survives_the_way_there_and_back(instant_: dt.datetime) -> None:
    second = instant_.replace(microsecond=0)

    assert NEW_YORK.to_dataverse(NEW_YORK.to_legacy(second)) == second
