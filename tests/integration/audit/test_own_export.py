"""The checks between records, on an export of our own: a declaration nobody has, and files against it."""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.connectors.exports import pages
from shared.connectors.exports.folder import Folder
from shared.core.mapping.transforms import Slashes
from shared.core.reading.codes import FindingCode
from shared.core.reading.contact_kinds import Email
from shared.core.reading.export import (
    Attachments,
    Column,
    Directory,
    Duplicate,
    Export,
    Format,
    Inventory,
    KindReference,
    NameReference,
    Object,
    Owner,
    OwnerBy,
    Participants,
    Reference,
)
from shared.core.reading.kinds import Day, Html, Key, Number, Text
from shared.core.reading.moments import Clock
from shared.core.reading.rules import Agrees, Blank, Is, Lines, Members, Never, NotBefore, Order, Product, Sum
from shared.core.reading.word_kinds import Choice
from shared.migration.audit import Audit
from shared.migration.circles import behind, cycles
from shared.migration.users import Users

KEY, WORDS, DAY = Key(), Text(30), Day(Clock("UTC", Slashes.DAY_FIRST))

PEOPLE = Object(
    "clerk",
    "clerks.csv",
    Format.CSV,
    ("no",),
    (Column("no", KEY), Column("name", WORDS), Column("mail", Email()), Column("works", Choice(("y", "n")))),
    people="mail",
)
TEAMS = Object(
    "team",
    "teams.csv",
    Format.CSV,
    ("no",),
    (
        Column("no", KEY),
        Column("name", WORDS),
        Column("above", KEY),
        Column("clerk", WORDS),
        Column("size", Number()),
        Column("since", DAY),
    ),
    references=(Reference("above", "team", parent=True),),
    owners=(Owner("clerk", OwnerBy.NAME),),
    duplicates=(Duplicate("name", FindingCode.DUPLICATE_NAME, "team"),),
    rules=(Members("order", ("no",), "size"),),
)
ORDERS = Object(
    "order",
    "orders.csv",
    Format.CSV,
    ("no", "part"),
    (
        Column("no", KEY),
        Column("part", KEY),
        Column("team", WORDS),
        Column("mail", Email()),
        Column("state", Choice(("open", "done"))),
        Column("from", DAY),
        Column("to", DAY),
        Column("net", Number()),
        Column("tax", Number()),
        Column("all", Number()),
        Column("text", Html(None, 20)),
        Column("who", KEY),
    ),
    references=(Reference("no", "team"), NameReference("team", "team", "name")),
    participants=(Participants("who"),),
    duplicates=(Duplicate("mail", FindingCode.DUPLICATE_EMAIL, "person"),),
    rules=(
        Order("from", "to"),
        Sum(("net", "tax"), "all"),
        Agrees("team", "no", "team", "name"),
        NotBefore("from", "no", "team", "since"),
        Never(
            FindingCode.STATE_WITHOUT_DATE,
            "to",
            (Is("state", ("done",)), Blank("to")),
            "done, nobody knows when",
        ),
        Lines("line", ("no", "part"), "sum", "net"),
    ),
)
LINES = Object(
    "line",
    "lines.csv",
    Format.CSV,
    ("no", "part", "line"),
    (
        Column("no", KEY),
        Column("part", KEY),
        Column("line", KEY),
        Column("each", Number()),
        Column("off", Number()),
        Column("many", Number()),
        Column("sum", Number()),
    ),
    references=(Reference("no", "order", also=("part",)),),
    rules=(Product(("each", "many"), "off", "sum"),),
)
PAPERS = Object(
    "paper",
    "papers.csv",
    Format.CSV,
    ("no",),
    (
        Column("no", KEY),
        Column("kind", KEY),
        Column("of", KEY),
        Column("file", KEY),
        Column("bytes", Number()),
        Column("hash", KEY),
    ),
    references=(KindReference("of", "kind", {"t": "team"}),),
    attachments=Attachments("papers/", "file", "bytes", prefix="papers/", sha256="hash"),
)
EXPORT = Export(
    "acme",
    (PEOPLE, TEAMS, ORDERS, LINES, PAPERS),
    Inventory("list.csv", Format.CSV, "file", "rows"),
    Directory("clerk", "name", "mail", "works", frozenset({"y"})),
    largest_attachment=1000,
)

GOOD = {
    "clerks.csv": "no,name,mail,works\n1,Ann Lee,ann@x.example,y\n",
    "teams.csv": "no,name,above,clerk,size,since\nA,North,,Ann Lee,1,2020-01-01\n",
    "orders.csv": "no,part,team,mail,state,from,to,net,tax,all,text,who\n"
    "A,1,North,bob@x.example,done,2020-02-01,2020-02-02,10,2,12,<p>hi</p>,ann@x.example\n",
    "lines.csv": "no,part,line,each,off,many,sum\nA,1,1,5,50,4,10\n",
    "papers.csv": f"no,kind,of,file,bytes,hash\n1,t,A,a.txt,3,{hashlib.sha256(b'abc').hexdigest()}\n",
    "papers/a.txt": "abc",
    "list.csv": "file,rows\nclerks.csv,1\nteams.csv,1\norders.csv,1\nlines.csv,1\npapers.csv,1\n",
}
USERS = [{"systemuserid": "1", "internalemailaddress": "Ann@X.example", "isdisabled": False, "accessmode": 0}]

Found = Callable[..., list[tuple[str, Any, str | None, str]]]
Told = Callable[..., list[Mapping[str, Any]]]


@pytest.fixture
def told(tmp_path: Path) -> Told:
    """The findings of the good export with lines added to files, or files replaced."""

    def find(
        *, more: Mapping[str, str] | None = None, other: Mapping[str, str] | None = None, users: Any = None
    ) -> list[Mapping[str, Any]]:
        texts = dict(GOOD) | dict(other or {})
        for file, lines in (more or {}).items():
            texts[file] += lines
        counts = "".join(
            f"{entry.file},{len(texts[entry.file].splitlines()) - 1}\n" for entry in EXPORT.objects
        )
        texts["list.csv"] = (other or {}).get("list.csv", "file,rows\n" + counts)
        for file, text in texts.items():
            (tmp_path / file).parent.mkdir(exist_ok=True)
            (tmp_path / file).write_bytes(text.encode())
        known = Users.read(json.dumps({"value": USERS if users is None else users}).encode())
        audit = Audit(EXPORT, Folder(str(tmp_path)), known, pages.plain, pages.is_html)
        return [finding.told() for finding in audit.run()]

    return find


@pytest.fixture
def found(told: Told) -> Found:
    """The findings of that export by what they are of."""

    def find(**asked: Any) -> list[tuple[str, Any, str | None, str]]:
        return [(one["file"], one["record"], one["field"], one["finding"]) for one in told(**asked)]

    return find


def test_a_good_export_has_no_findings(found: Found) -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"teams.csv": "B,South,C,Ann Lee,,\n"}, ("teams.csv", "B", "above", "reference.dangling")),
        ({"teams.csv": "B,South,B,Ann Lee,,\n"}, ("teams.csv", ["B"], "above", "reference.cycle")),
        (
            {"teams.csv": "B,x,C,Ann Lee,,\nC,y,B,Ann Lee,,\n"},
            ("teams.csv", ["B", "C"], "above", "reference.cycle"),
        ),
        (
            {"teams.csv": "B,x,B,Ann Lee,,\nC,y,B,Ann Lee,,\nD,z,C,Ann Lee,,\n"},
            ("teams.csv", "D", "above", "reference.cycle_child"),
        ),
        ({"teams.csv": "B,South,,Nobody,,\n"}, ("teams.csv", "B", "clerk", "owner.unknown")),
        ({"teams.csv": "B,South,,,,\n"}, ("teams.csv", "B", "clerk", "owner.blank")),
        ({"teams.csv": "B,South,,,,\n"}, ("teams.csv", None, None, "owners.unmatched")),
        ({"teams.csv": "B, NORTH ,,Ann Lee,,\n"}, ("teams.csv", "A", "name", "duplicate.name")),
        ({"teams.csv": "B,South,,Ann Lee,3,\n"}, ("teams.csv", "B", "size", "members.differ")),
        ({"teams.csv": "A,North,,Ann Lee,,\n"}, ("teams.csv", "A", "no", "key.repeated")),
        ({"teams.csv": "a,East,,Ann Lee,,\n"}, ("teams.csv", "a", "no", "key.repeated")),
        ({"teams.csv": ",North,,Ann Lee,,\n"}, ("teams.csv", None, "no", "key.blank")),
        ({"clerks.csv": "2,Ann Lee,lee@x.example,y\n"}, ("teams.csv", "A", "clerk", "owner.ambiguous")),
        ({"orders.csv": "Z,1,,,,,,,,,,\n"}, ("orders.csv", "Z/1", "no", "reference.dangling")),
        ({"orders.csv": "A,2,West,,,,,,,,,\n"}, ("orders.csv", "A/2", "team", "reference.name_unknown")),
        ({"orders.csv": "A,2,West,,,,,,,,,\n"}, ("orders.csv", "A/2", "team", "state.contradicts")),
        ({"orders.csv": "A,2,,,,2019-01-01,,,,,,\n"}, ("orders.csv", "A/2", "from", "dates.out_of_order")),
        (
            {"orders.csv": "A,2,,,,2021-01-02,2021-01-01,,,,,\n"},
            ("orders.csv", "A/2", "to", "dates.out_of_order"),
        ),
        ({"orders.csv": "A,2,,,done,,,,,,,\n"}, ("orders.csv", "A/2", "to", "state.without_date")),
        ({"orders.csv": "A,2,,,,,,,1,5,,\n"}, None),
        ({"orders.csv": "A,2,,,,,,0,1,5,,\n"}, ("orders.csv", "A/2", "all", "sum.differs")),
        ({"orders.csv": "A,2,,,,,,7,,,,\n"}, ("orders.csv", "A/2", "net", "sum.differs")),
        ({"orders.csv": "A,2,,BOB@x.example,,,,,,,,\n"}, ("orders.csv", "A/1", "mail", "duplicate.email")),
        (
            {"orders.csv": "A,2,,,,,,,,,<p>a<script>b</script>,\n"},
            ("orders.csv", "A/2", "text", "html.script"),
        ),
        ({"orders.csv": f"A,2,,,,,,,,,<p>{'x' * 21}</p>,\n"}, ("orders.csv", "A/2", "text", "text.too_long")),
        ({"orders.csv": f"A,2,,,,,,,,,<p class='{'x' * 21}'>y</p>,\n"}, None),
        (
            {"orders.csv": "A,2,,,,,,,,,,who@y.example\n"},
            ("orders.csv", "A/2", "who", "participant.unresolved"),
        ),
        ({"lines.csv": "A,9,1,,,,\n"}, ("lines.csv", "A/9/1", "no", "reference.dangling")),
        ({"lines.csv": "A,1,2,5,0,4,21\n"}, ("lines.csv", "A/1/2", "sum", "sum.differs")),
        ({"papers.csv": "2,t,Z,,,\n"}, ("papers.csv", "2", "of", "reference.dangling")),
        ({"papers.csv": "2,x,A,,,\n"}, ("papers.csv", "2", "kind", "reference.unknown_kind")),
        ({"papers.csv": "2,t,A,a.txt,3,\n"}, ("papers.csv", "1", None, "attachment.collides")),
        ({"papers.csv": "2,t,A,A.TXT,3,\n"}, ("papers.csv", "1", None, "attachment.collides")),
        ({"papers.csv": "2,t,A,b.txt,3,\n"}, ("papers.csv", "2", "file", "attachment.missing")),
        ({"papers.csv": "2,t,A,b.txt,1001,\n"}, ("papers.csv", "2", "bytes", "attachment.too_large")),
        ({"papers.csv": "2,t,A,..\\b.txt,1,\n"}, ("papers.csv", "2", "file", "attachment.outside")),
        ({"papers.csv": "2,t,A,C:\\b.txt,1,\n"}, ("papers.csv", "2", "file", "attachment.outside")),
        ({"papers.csv": "2,t,A,b.EXE,1,\n"}, ("papers.csv", "2", "file", "attachment.blocked")),
        ({"papers/a.txt": "d"}, ("papers.csv", "1", "bytes", "attachment.size_differs")),
    ],
)
def test_what_breaks_a_rule_is_found(
    found: Found, more: Mapping[str, str], expected: tuple[str, Any, str | None, str] | None
) -> None:
    told = found(more=more)

    assert expected in told if expected else "sum.differs" not in {code for *_, code in told}
    if expected is None:
        assert {code for *_, code in told} & {"text.too_long"} == set()


def test_a_file_is_found_though_its_accents_stand_apart(found: Found) -> None:
    told = found(
        more={"papers.csv": f"2,t,A,f\u00fcr.txt,3,{hashlib.sha256(b'abc').hexdigest()}\n"},
        other={"papers/fu\u0308r.txt": "abc"},
    )

    assert told == []


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ({"papers/a.txt": "abd"}, ("papers.csv", "1", "hash", "attachment.changed")),
        ({"papers/b.txt": "abc"}, ("papers/b.txt", None, None, "attachment.untracked")),
        ({"list.csv": "file,rows\nteams.csv,2\n"}, ("teams.csv", None, None, "file.count_differs")),
        ({"list.csv": "file,rows\nteams.csv,many\n"}, ("list.csv", None, None, "drop.list_unreadable")),
        ({"list.csv": "file,rows\ngone.csv,2\n"}, ("gone.csv", None, None, "file.missing")),
        ({"stray.csv": "a\n"}, ("stray.csv", None, None, "file.unlisted")),
    ],
)
def test_what_differs_from_the_list_is_found(
    found: Found, other: Mapping[str, str], expected: tuple[str, Any, str | None, str]
) -> None:
    assert expected in found(other=other)


@pytest.mark.parametrize(
    ("users", "code"),
    [
        ([], "owner.unknown"),
        ([USERS[0] | {"isdisabled": True}], "owner.disabled"),
        ([USERS[0], USERS[0] | {"systemuserid": "2"}], "owner.ambiguous"),
        ([USERS[0] | {"accessmode": 4}], "owner.not_a_person"),
        ([USERS[0] | {"internalemailaddress": None, "domainname": "ANN@x.example"}], "owner.alias"),
    ],
)
def test_an_owner_is_matched_by_address(found: Found, users: list[Any], code: str) -> None:
    assert ("teams.csv", "A", "clerk", code) in found(users=users)


def test_whoever_provides_users_learns_for_whom_and_how_many_records_wait(told: Told) -> None:
    clerks = "2,Bo Ek,bo@x.example,y\n3,Cy Orr,cy@x.example,n\n"
    owners = ("Bo Ek", "Bo Ek", "Cy Orr", "Nobody", "")
    teams = "".join(f"{no},T{no},,{owner},,\n" for no, owner in enumerate(owners))
    users = [*USERS, {"systemuserid": "2", "internalemailaddress": "cy@x.example", "isdisabled": True}]

    found = told(more={"clerks.csv": clerks, "teams.csv": teams}, users=users)

    details = {one["record"]: one["detail"] for one in found if one["finding"].startswith("owner")}
    assert details == {
        "0": "user 2",
        "1": "user 2",
        "2": "user 3",
        "3": "no user of the export",
        "4": "Nobody owns the record.",
        None: "5 records of team: blank 1, disabled 1 (1 of user 3), "
        "unknown 3 (2 of user 2, 1 of no user of the export)",
    }


def test_a_file_that_breaks_off_leaves_the_others_audited(found: Found) -> None:
    told = found(other={"teams.csv": GOOD["teams.csv"] + 'B,"South'}, more={"lines.csv": "A,1,2,5,0,4,21\n"})

    assert ("teams.csv", None, None, "file.quote_unclosed") in told
    assert ("lines.csv", "A/1/2", "sum", "sum.differs") in told
    assert ("orders.csv", None, "no", "reference.unchecked") in told
    assert {code for *_, code in told} & {"reference.dangling", "reference.name_unknown"} == set()


@given(st.dictionaries(st.integers(0, 30).map(str), st.integers(0, 30).map(str), max_size=31))
def test_every_record_ends_above_or_in_one_circle_or_behind_one(parents: dict[str, str]) -> None:
    found = cycles(parents)
    late = behind(parents, found)
    members = {record for circle in found for record in circle}

    assert all(
        parents[one] == other
        for circle in found
        for one, other in zip(circle, circle[1:] + circle[:1], strict=True)
    )
    for record in parents:
        at, steps = record, 0
        while at in parents and steps <= len(parents):
            at, steps = parents[at], steps + 1
        assert (at in parents) == (record in members or record in late)
        assert not (record in members and record in late)
