"""A batch says what its operations say, and its answer is read however it is laid out."""

import json
from collections.abc import Mapping
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.dataverse.api.multipart import Operation as Received
from local.dataverse.api.multipart import Result, read_batch, write_batch
from local.dataverse.calls import Answer, read_query
from mappers.dataverse import account
from shared.connectors.dataverse.multipart import Part, UnreadableBatch, parse, render
from shared.connectors.dataverse.operation import Operation, create, delete, update
from shared.core.mapping.columns import Value

TABLE = account.TABLE
ROOT = "/api/data/v9.2/"

texts = st.text(st.characters(codec="utf-8"), max_size=40)
versions = st.integers(1, 10**9).map(lambda number: f'W/"{number}"')
values = st.fixed_dictionaries({"name": texts}, optional={"telephone1": st.none() | texts})
tags = st.none() | texts


@st.composite
def operations(draw: st.DrawFn) -> Operation:
    row_id, tag = draw(st.uuids()), draw(tags)
    columns: Mapping[str, Value] = draw(values)
    match draw(st.integers(0, 2)):
        case 0:
            return create(TABLE, row_id, columns, tag)
        case 1:
            return update(TABLE, row_id, columns, draw(versions), tag)
        case _:
            return delete(TABLE, row_id, draw(versions), tag)


@given(st.lists(operations(), min_size=1, max_size=12))
def test_a_service_reads_from_a_batch_what_each_operation_says(sent: list[Operation]) -> None:
    content_type, body = render(sent, ROOT)
    received = read_batch(body, content_type)

    assert len(received) == len(sent)
    for operation, found in zip(sent, received, strict=True):
        assert isinstance(found, Received)
        path, _, query = found.url.partition("?")
        assert (found.method, path) == (operation.method, ROOT + operation.path)
        assert read_query(query) == operation.params
        headers = {name.lower(): value for name, value in operation.headers.items()}
        assert found.headers.items() >= headers.items()
        assert ("content-type" in found.headers) == (operation.content is not None)
        assert same_json(found.body, operation.content)


def same_json(body: str, content: bytes | None) -> bool:

    return body == "" if content is None else json.loads(body) == json.loads(content)


@given(st.lists(operations(), min_size=1, max_size=3))
def test_the_same_operations_are_the_same_bytes(sent: list[Operation]) -> None:
    assert render(sent, ROOT) == render(sent, ROOT)


answered = st.builds(
    Answer,
    status=st.sampled_from([200, 204, 400, 404, 412, 429, 500]),
    headers=st.fixed_dictionaries({}, optional={"ETag": versions, "Retry-After": st.just("7")}),
    body=st.text(
        st.characters(codec="utf-8", exclude_characters="\r\n"),
        max_size=60,
    ).map(str.encode),
)


@given(st.lists(answered, max_size=12))
def test_every_answer_is_found_in_the_answer_to_a_batch(said: list[Answer]) -> None:
    content_type, body = write_batch([Result(each) for each in said])

    found = parse(content_type, body)

    assert [(part.status, part.content) for part in found] == [(each.status, each.body) for each in said]
    for part, each in zip(found, said, strict=True):
        assert part.headers.get("etag") == each.headers.get("ETag")
        assert part.headers.get("retry-after") == each.headers.get("Retry-After")


@given(st.lists(answered, min_size=1, max_size=4), st.data())
def test_an_answer_cut_short_is_never_taken_for_a_whole_one(said: list[Answer], data: st.DataObject) -> None:
    content_type, body = write_batch([Result(each) for each in said])
    cut = data.draw(st.integers(0, len(body) - len("--\r\n") - 1))

    with pytest.raises(UnreadableBatch):
        parse(content_type, body[:cut])


@given(st.binary(max_size=200))
def test_noise_is_unreadable_and_nothing_else(noise: bytes) -> None:
    with pytest.raises(UnreadableBatch):
        parse("multipart/mixed; boundary=batchresponse_7f", noise)


@pytest.mark.parametrize(
    "content_type", ["", "application/json", "multipart/mixed", "text/plain; boundary=b"]
)
def test_what_is_no_batch_is_unreadable(content_type: str) -> None:
    with pytest.raises(UnreadableBatch):
        parse(content_type, b"--b--\r\n")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("content_type", ["multipart/mixed; boundary=b", 'Multipart/Mixed;boundary="b"'])
def test_line_ends_quotes_and_indented_json_make_no_difference(content_type: str, end: str) -> None:
    lines = [
        "--b",
        "Content-Type: application/http",
        "",
        "HTTP/1.1 200 OK",
        'ETag: W/"7"',
        "",
        "{",
        "",
        '  "--b": 1',
        "}",
        "--b  ",
        "Content-Type: application/http",
        "Content-Transfer-Encoding: binary",
        "",
        "HTTP/1.1 204 No Content",
        "",
        "",
        "--b--",
        "an epilogue",
    ]

    assert parse(content_type, end.join(lines).encode()) == (
        Part(200, {"etag": 'W/"7"'}, end.join(lines[6:10]).encode()),
        Part(204, {}, b""),
    )


def test_a_version_cannot_smuggle_a_header_in() -> None:
    with pytest.raises(ValueError, match="a row version is printable ASCII"):
        update(TABLE, uuid4(), {"name": "A"}, 'W/"1"\r\nIf-Match: *', None)


def test_a_column_the_table_does_not_have_is_found_before_anything_is_sent() -> None:
    with pytest.raises(KeyError):
        create(TABLE, UUID(int=1), {"nosuchcolumn": "A"}, None)
