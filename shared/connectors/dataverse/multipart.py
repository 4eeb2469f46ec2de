"""The multipart form of a batch: operations to bytes, and bytes to answers. Pure."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    import httpx

_BOUNDARY = re.compile(r'\bboundary=(?:"([^"]+)"|([^\s;]+))', re.IGNORECASE)
_STATUS = re.compile(rb"HTTP/\d(?:\.\d)? (\d{3})(?: [^\r\n]*)?")
_LINE = re.compile(rb"\r?\n")
_HEAD_ENDS = re.compile(rb"\r?\n[ \t]*\r?\n")
# JSON leaves them as they are, and some readers of lines take them for line ends.
_LINE_ENDS = {ord(end): f"\\u{ord(end):04x}" for end in "\x85\u2028\u2029"}
_READ = ("etag", "retry-after")


class UnreadableBatch(ValueError):
    """The answer to a batch is not what such an answer looks like."""


@dataclass(frozen=True, slots=True)
class Part:
    """The answer to one operation of a batch; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def response(self) -> "httpx.Response":
        """The answer as if the operation had travelled alone, with the headers that anybody reads."""
        import httpx  # noqa: PLC0415  # paid by the first call, not by every start of the app

        headers = {name: self.headers[name] for name in _READ if name in self.headers}
        return httpx.Response(self.status, headers=headers, content=self.content)


class Asking(Protocol):
    """What a part of a batch asks: a write, or the call of an action."""

    @property
    def method(self) -> str:
        """The HTTP method."""
        ...

    @property
    def path(self) -> str:
        """The address below the root of the Web API."""
        ...

    @property
    def params(self) -> Mapping[str, str]:
        """The query options."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of the part itself."""
        ...

    @property
    def content(self) -> bytes | None:
        """JSON in UTF-8, or nothing."""
        ...


def render(operations: Sequence[Asking], root: str) -> tuple[str, bytes]:
    """The content type and body of a batch; `root` is the path of the Web API, with slashes around it."""
    written = [_written(operation, root) for operation in operations]
    # A text cannot hold its own digest but by a chance nobody has.
    boundary = f"batch_{hashlib.blake2b(b''.join(written), digest_size=16).hexdigest()}"
    delimiter = f"--{boundary}".encode()
    parts = b"".join(delimiter + b"\r\n" + part + b"\r\n" for part in written)
    return f"multipart/mixed; boundary={boundary}", parts + delimiter + b"--\r\n"


def render_set(requests: Sequence[Asking], root: str, after: Asking) -> tuple[str, bytes]:
    """The content type and body of a batch that holds one change set, all of the requests or none, and one
    request behind it.
    """
    written = [_written(request, root, at) for at, request in enumerate(requests, 1)]
    digest = hashlib.blake2b(b"".join(written), digest_size=16).hexdigest()
    members = b"".join(f"--changeset_{digest}\r\n".encode() + part + b"\r\n" for part in written)
    lines = (
        f"--batch_{digest}",
        f"Content-Type: multipart/mixed; boundary=changeset_{digest}",
        "",
        "",
    )
    last = f"--changeset_{digest}--\r\n\r\n--batch_{digest}\r\n".encode() + _written(after, root)
    end = f"\r\n--batch_{digest}--\r\n".encode()
    return f"multipart/mixed; boundary=batch_{digest}", "\r\n".join(lines).encode() + members + last + end


def parse_set(content_type: str, body: bytes) -> tuple[tuple[Part, ...], Part | None]:
    """The answers to a change set, and to the request behind it, if that was answered.

    The set has an answer for each request, or the one refusal that undid them all. Raises UnreadableBatch,
    also when an end is missing.
    """
    pieces = _pieces(content_type, body)
    after = _part(pieces[1]) if len(pieces) > 1 else None
    return _set(pieces[0] if pieces else b""), after


def _set(piece: bytes) -> tuple[Part, ...]:
    _, headers, inner = _split(piece.lstrip(b"\r\n"))
    said = headers.get("content-type", "")
    if said.lower().startswith("multipart/mixed"):
        return parse(said, inner)
    return (_part(piece),)


def parse(content_type: str, body: bytes) -> tuple[Part, ...]:
    """The answers in a batch's answer, in order; raises UnreadableBatch, also when its end is missing."""
    return tuple(_part(piece) for piece in _pieces(content_type, body))


def _pieces(content_type: str, body: bytes) -> list[bytes]:
    found = _BOUNDARY.search(content_type)
    if found is None or not content_type.lower().lstrip().startswith("multipart/mixed"):
        raise UnreadableBatch("not multipart/mixed with a boundary")
    boundary = re.escape((found[1] or found[2]).encode("latin-1", "replace"))
    # The line end before a delimiter belongs to the delimiter, blanks after it are padding (RFC 2046, 5.1.1).
    pieces = re.split(rb"(?:^|\r?\n)--" + boundary + rb"(--)?[ \t]*(?=\r?\n|$)", body)
    ends = pieces[1::2]
    if b"--" not in ends:
        raise UnreadableBatch("its end is missing")
    return pieces[2::2][: ends.index(b"--")]


def _written(operation: Asking, root: str, content_id: int | None = None) -> bytes:
    query = urlencode(operation.params, quote_via=quote, safe="$,:")
    headers = dict(operation.headers)
    content = b""
    if operation.content is not None:
        headers["Content-Type"] = "application/json"
        content = operation.content.decode().translate(_LINE_ENDS).encode()
    lines = (
        "Content-Type: application/http",
        "Content-Transfer-Encoding: binary",
        *(() if content_id is None else (f"Content-ID: {content_id}",)),
        "",
        f"{operation.method} {root}{operation.path}{'?' * bool(query)}{query} HTTP/1.1",
        *(f"{name}: {value}" for name, value in headers.items()),
        "",
        "",
    )
    return "\r\n".join(lines).encode("ascii") + content


def _part(piece: bytes) -> Part:
    _, _, inner = _split(piece.lstrip(b"\r\n"))
    first, headers, content = _split(inner.lstrip(b"\r\n"), status_line=True)
    status = _STATUS.fullmatch(first.strip())
    if status is None:
        raise UnreadableBatch("a part does not begin with a status")
    return Part(int(status[1]), headers, content)


def _split(text: bytes, *, status_line: bool = False) -> tuple[bytes, dict[str, str], bytes]:
    """The first line if it is none of the headers, the headers, and what follows the blank line."""
    head, *rest = _HEAD_ENDS.split(text, maxsplit=1)
    lines = _LINE.split(head)
    first = lines.pop(0) if status_line else b""
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.decode("latin-1").partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    return first, headers, rest[0] if rest else b""
