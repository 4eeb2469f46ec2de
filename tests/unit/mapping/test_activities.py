"""What activities are made of: participants, simple HTML, times and lengths."""

import pytest

from shared.core.change import Json
from shared.core.codes import Code
from shared.core.identity import RecordKey
from shared.core.mapping.files import FileRef
from shared.core.mapping.parties import PartyRef, Role
from shared.core.mapping.spec import Unfit
from shared.core.mapping.transforms import Slashes
from shared.core.mapping.transforms.activities import (
    ending,
    flag,
    local_instant,
    lookup_by_kind,
    shortened,
    whole_minutes,
    whole_number,
)
from shared.core.mapping.transforms.file import file, told
from shared.core.mapping.transforms.markup import body, plain_text, simplified, words
from shared.core.mapping.transforms.parties import addresses, listed, participants, who
from shared.core.mapping.transforms.text import length

MAIL = participants("allegory", Role.SENDER, Role.TO, Role.CC)


def test_participants_are_read_with_their_roles_their_names_left_out_and_nobody_twice() -> None:
    written = "from: anna@x.example\nto: Bo <bo@x.example>; BO@x.example; +49 30 1 [contact P-1]"

    assert MAIL.to_dataverse(written) == (
        PartyRef(Role.SENDER, "anna@x.example"),
        PartyRef(Role.TO, "bo@x.example"),
        PartyRef(Role.TO, "+49 30 1", RecordKey("allegory", "contact", "P-1")),
    )


@pytest.mark.parametrize("written", ["bcc: anna@x.example", "anna@x.example", "organizer: anna@x.example"])
def test_a_role_an_activity_does_not_know_is_refused(written: str) -> None:
    with pytest.raises(Unfit) as caught:
        MAIL.to_dataverse(written)

    assert caught.value.code is Code.VALUE_NO_OPTION


def test_an_address_longer_than_dataverse_keeps_is_refused_not_cut() -> None:
    with pytest.raises(Unfit) as caught:
        MAIL.to_dataverse("to: " + "x" * 201)

    assert caught.value.code is Code.VALUE_TOO_LONG


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["a@x.example", " ", None, "b@x.example"], ["a@x.example", "b@x.example"]),
        ("a@x.example;b@x.example", ["a@x.example", "b@x.example"]),
        ("a@x.example, b@x.example", ["a@x.example", "b@x.example"]),
        (None, []),
    ],
)
def test_a_list_of_people_is_read_as_list_or_text(given: Json, expected: list[str]) -> None:
    assert addresses(given) == expected


def test_what_parts_entries_cannot_stand_inside_one() -> None:
    assert listed(("from", ["a;b"]), ("to", []), ("cc", [who("1", "contact", "P-1")])) == (
        "from: a b\ncc: 1 [contact P-1]"
    )


HTML = (
    "<html><head><title>T</title><style>p{}</style></head><body onload='x()'>"
    "<script>steal()</script><p>Dear <b>Anna</b></p><!-- hidden -->"
    "<img src='https://pixel.example/1.gif' alt='our logo' onerror='x()'>"
    "<table><tr><td colspan=2>Blade<td>3 &euro;</table>"
    "<a href='javascript:x()'>here</a> <a href='https://x.example/?a=1&amp;b=2'>there</a>"
    "<iframe src='https://x.example'>framed</iframe></body></html>"
)


def test_html_keeps_every_visible_word_and_nothing_that_runs_or_loads() -> None:
    assert simplified(HTML) == (
        '<p>Dear <b>Anna</b></p>our logo<table><tr><td colspan="2">Blade</td><td>3 \u20ac</td></tr></table>'
        '<a>here</a> <a href="https://x.example/?a=1&amp;b=2">there</a>'
    )
    assert plain_text(HTML).split() == ["Dear", "Anna", "our", "logo", "Blade", "3", "€", "here", "there"]


@pytest.mark.parametrize(
    "html",
    [
        "<scr<script>ipt>alert(1)</script>",
        "<p><script>alert(1)",
        "<SCRIPT SRC=//x.example/x.js></SCRIPT>",
        "<svg><script>alert(1)</script></svg>",
        "<a href=' JaVaScRiPt:alert(1)'>x</a>",
        "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
        "<style>@import 'x'</style><div style='background:url(x)' onclick=alert(1)>x</div>",
    ],
)
def test_no_way_of_writing_a_script_survives(html: str) -> None:
    made = simplified(html).casefold()

    assert not any(word in made for word in ("<script", "javascript:", "onclick", "style=", "data:", "url("))


def test_simplified_html_is_stable() -> None:
    assert simplified(simplified(HTML)) == simplified(HTML)


def test_a_body_is_its_html_and_its_words_where_there_is_none() -> None:
    assert (body(["<p>a</p>", "b"]), body(["", "b"]), body(["<p> </p>", "b"])) == ("<p>a</p>", "b", "b")
    assert (words(["<p>a</p>", "b"]), words(["<p>a</p>", ""]), words([None, None])) == ("b", "a", "")


def test_a_time_is_on_the_clock_of_the_zone_it_names() -> None:
    def at(written: str, zone: str | None) -> Json:
        return local_instant((written, zone), "America/New_York", Slashes.MONTH_FIRST)

    assert at("2017-03-05T22:00:00", "America/Los_Angeles") == "2017-03-06T06:00:00Z"
    assert at("2017-03-05T22:00:00", None) == "2017-03-06T03:00:00Z"
    assert at("2017-03-05T22:00:00Z", "America/Los_Angeles") == "2017-03-05T22:00:00Z"
    assert at("2017-07-01", "Europe/Berlin") == "2017-06-30T22:00:00Z"
    for zone in ("Mars/Olympus", "../etc/passwd"):
        with pytest.raises(Unfit):
            at("2017-03-05T22:00:00", zone)


def test_lengths_are_whole_and_minutes_begun() -> None:
    assert [whole_minutes(seconds) for seconds in ("0", "1", "60", "61", "")] == ["0", "1", "1", "2", ""]
    assert [whole_number(written) for written in ("21 min", "21", 5, "")] == [21, 21, 5, None]
    assert ending(("2017-01-31T23:59:30Z", "61"), "UTC", Slashes.MONTH_FIRST) == "2017-02-01T00:00:31Z"
    for bad in ("-1", "1.5", "an hour"):
        with pytest.raises(Unfit):
            whole_number(bad)


@pytest.mark.parametrize("length", ["999999 min", "9" * 15, "9" * 40])
def test_what_ends_after_the_last_day_is_refused(length: str) -> None:
    with pytest.raises(Unfit, match=r"value\.out_of_range: a length that ends while there is a calendar"):
        ending(("9998-12-31T23:59:30Z", length), "UTC", Slashes.MONTH_FIRST, unit=3600)


def test_a_record_is_named_by_kind_and_id() -> None:
    kinds = lookup_by_kind("allegory", {"deal": "deal", "company": "company"})

    assert kinds.to_legacy(kinds.to_dataverse("Deal/D-1")) == "deal/D-1"
    for bad in ("quote/Q-1", "/D-1", "deal/"):
        with pytest.raises(Unfit):
            kinds.to_dataverse(bad)
    way = flag("out", "in")
    assert [way.to_legacy(way.to_dataverse(word)) for word in ("OUT", "in", "")] == ["out", "in", ""]


def test_a_shortened_text_fits_and_says_so() -> None:
    made = shortened("\N{GRINNING FACE}" * 1500, 2000)

    assert length(made) <= 2000
    assert made.endswith("stands in Body as text]")
    assert shortened("x" * 2000, 2000) == "x" * 2000


def test_a_file_is_told_by_place_name_size_and_hash() -> None:
    crossing = file("allegory")

    assert crossing.to_dataverse(told(["A-1", "a.txt", "3", "AB" * 32])) == FileRef(
        "allegory", "A-1", "a.txt", 3, "ab" * 32
    )
    for bad in (["A-1", "a.txt", ""], ["A-1", "", "3"], ["A-1", "a.txt", "3", "short"]):
        with pytest.raises(Unfit):
            crossing.to_dataverse(told(bad))


@pytest.mark.parametrize(
    "text", ["A-1/a.txt", "5", "true", "{}", "[]", '["A-1"]', '["A-1", 5, "3"]', "[" * 100_000]
)
def test_a_file_told_in_another_way_is_refused(text: str) -> None:
    with pytest.raises(Unfit, match=r"value\.required: a place and a file name"):
        file("allegory").to_dataverse(text)
