"""The multipart form of a batch: read line by line and tolerantly, written byte for byte.

Clients differ in line ends, in quotes around boundaries and in blank lines at the end, and some put raw
blanks into the address of a part; their parsers of the answer are strict.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from uuid import uuid4

from local.dataverse.calls import Answer
from local.dataverse.errors import Refusal

MAX_OPERATIONS = 1000
_BOUNDARY = re.compile(r'boundary="?([^";]+)"?', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Operation:
    """One request inside a batch; `url` is as it was sent."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: str
    content_id: str | None


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """Operations that succeed or fail together."""

    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to one operation."""

    answer: Answer
    content_id: str | None = None


def bad_batch(message: str) -> Refusal:
    """The batch itself cannot be read."""
    return Refusal(400, "0x80060888", message)


def boundary_of(content_type: str) -> str:
    """The boundary a content type names."""
    match = _BOUNDARY.search(content_type)
    if match is None or not content_type.lower().startswith("multipart/mixed"):
        raise bad_batch("The content type of a batch must be multipart/mixed with a boundary.")
    return match[1].strip()


def read_batch(body: bytes, content_type: str) -> list[Operation | ChangeSet]:
    """The operations and change sets of a batch in their order."""
    items = [_item(part) for part in _parts(body.decode("utf-8"), boundary_of(content_type))]
    total = sum(len(item.operations) if isinstance(item, ChangeSet) else 1 for item in items)
    if total > MAX_OPERATIONS:
        raise bad_batch(f"A batch holds at most {MAX_OPERATIONS} operations.")
    return items


def write_batch(results: list[Result | list[Result]]) -> tuple[str, bytes]:
    """The content type and body of a batch answer; a list is the answer to a change set."""
    boundary = f"batchresponse_{uuid4()}"
    lines: list[str] = []
    for result in results:
        lines.append(f"--{boundary}")
        if isinstance(result, Result):
            lines += _written(result)
            continue
        inner = f"changesetresponse_{uuid4()}"
        lines += [f"Content-Type: multipart/mixed; boundary={inner}", ""]
        for member in result:
            lines += [f"--{inner}", *_written(member)]
        lines += [f"--{inner}--", ""]
    lines += [f"--{boundary}--", ""]
    return f"multipart/mixed; boundary={boundary}", "\r\n".join(lines).encode()


def _written(result: Result) -> list[str]:
    answer = result.answer
    lines = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    if result.content_id is not None:
        lines.append(f"Content-ID: {result.content_id}")
    lines += ["", f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
    headers = {"OData-Version": "4.0"} | answer.headers
    if answer.status >= HTTPStatus.BAD_REQUEST:
        headers = {"REQ_ID": str(uuid4())} | headers
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return [*lines, "", answer.body.decode("utf-8")]


def _parts(text: str, boundary: str) -> list[str]:
    delimiter, end = f"--{boundary}", f"--{boundary}--"
    parts: list[list[str]] = []
    # Not `splitlines`: a text in a body may hold line ends of other kinds.
    for line in text.replace("\r\n", "\n").split("\n"):
        stripped = line.strip()
        if stripped == end:
            break
        if stripped == delimiter:
            parts.append([])
        elif parts:
            parts[-1].append(line)
    return ["\n".join(lines) for lines in parts if any(line.strip() for line in lines)]


def _item(part: str) -> Operation | ChangeSet:
    headers, rest = _headers(part)
    content_type = headers.get("content-type", "")
    if content_type.lower().startswith("multipart/mixed"):
        members = [_item(inner) for inner in _parts(rest, boundary_of(content_type))]
        operations = tuple(member for member in members if isinstance(member, Operation))
        if len(operations) < len(members):
            raise bad_batch("A change set cannot hold another change set.")
        for operation in operations:
            _check_member(operation)
        return ChangeSet(operations)
    line, _, following = rest.lstrip("\n").partition("\n")
    words = line.split()
    if len(words) < 3 or not words[-1].upper().startswith("HTTP/"):
        raise bad_batch("A part of a batch must begin with a request line.")
    url = line.strip()[len(words[0]) :].strip()[: -len(words[-1])].strip()
    inner_headers, body = _headers(following)
    content_id = headers.get("content-id", inner_headers.get("content-id"))
    return Operation(words[0].upper(), url, inner_headers, body.strip(), content_id)


def _check_member(operation: Operation) -> None:
    if operation.method == "GET":
        raise bad_batch("A change set cannot hold a GET request.")
    if operation.content_id is None:
        raise bad_batch("Content-ID is mandatory for every operation of a change set.")


def _headers(text: str) -> tuple[dict[str, str], str]:
    """Header lines up to the first blank one, names in lower case, and what follows."""
    headers: dict[str, str] = {}
    lines = text.split("\n")
    for at, line in enumerate(lines):
        if not line.strip():
            return headers, "\n".join(lines[at + 1 :])
        name, colon, value = line.partition(":")
        if not colon:
            return headers, "\n".join(lines[at:])
        headers[name.strip().lower()] = value.strip()
    return headers, ""
