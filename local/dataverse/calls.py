"""One request to the Web API and its answer, independent of how they travel (HTTP or a part of a batch)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

from local.dataverse.errors import Refusal, bad_payload

_HELP = "http://go.microsoft.com/fwlink/?LinkID=398563&error=Microsoft.Crm.CrmException%3a"
JSON_TYPE = "application/json; odata.metadata=minimal"


@dataclass(frozen=True, slots=True)
class Preferences:
    """The Prefer header, read once."""

    representation: bool = False
    page_size: int | None = None
    annotations: tuple[str, ...] = ()
    track_changes: bool = False
    continue_on_error: bool = False

    def wants(self, annotation: str) -> bool:
        """Whether an annotation was asked for, by name or by a wildcard."""
        return any(
            asked in {"*", annotation} or (asked.endswith("*") and annotation.startswith(asked[:-1]))
            for asked in self.annotations
        )

    @property
    def applied(self) -> str:
        """What goes into Preference-Applied; empty when nothing was asked."""
        words = []
        if self.representation:
            words.append("return=representation")
        if self.page_size is not None:
            words.append(f"odata.maxpagesize={self.page_size}")
        if self.annotations:
            words.append(f'odata.include-annotations="{",".join(self.annotations)}"')
        if self.track_changes:
            words.append("odata.track-changes")
        return ",".join(words)


@dataclass(frozen=True, slots=True)
class Call:
    """A request: `path` is decoded and relative to the service root `root`, which ends with a slash."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    root: str
    preferences: Preferences = field(default_factory=Preferences)

    def json(self) -> dict[str, Any]:
        """The body as a JSON object."""
        try:
            parsed = json.loads(self.body or b"{}")
        except ValueError as wrong:
            raise bad_payload("The body is not JSON.") from wrong
        if not isinstance(parsed, dict):
            raise bad_payload("The body is not a JSON object.")
        return parsed

    def objects(self, name: str) -> list[dict[str, Any]]:
        """A parameter of the body that is a list of JSON objects."""
        value = self.json().get(name)
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise bad_payload(f"The parameter '{name}' must be a list of objects.")
        return value

    @property
    def if_match(self) -> str | None:
        """The If-Match header."""
        return self.headers.get("if-match")

    @property
    def if_none_match(self) -> str | None:
        """The If-None-Match header; the literal word null means none was meant."""
        value = self.headers.get("if-none-match")
        return None if value == "null" else value


@dataclass(slots=True)
class Answer:
    """A response."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    # What the batch module needs to resolve $1: the address of the row a part created or changed.
    entity: str = ""


def json_answer(status: int, document: object, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer with a JSON body."""
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return Answer(status, {"Content-Type": JSON_TYPE, **(headers or {})}, body)


def refused(refusal: Refusal, preferences: Preferences) -> Answer:
    """An error answer, with the details that were asked for."""
    error: dict[str, object] = {"code": refusal.code, "message": refusal.message}
    details = {
        "Microsoft.PowerApps.CDS.ErrorDetails.HttpStatusCode": str(refusal.status),
        "Microsoft.PowerApps.CDS.HelpLink": f"{_HELP}{refusal.code}",
        "Microsoft.PowerApps.CDS.TraceText": "",
        "Microsoft.PowerApps.CDS.InnerError.Message": refusal.message,
    }
    error |= {f"@{name}": value for name, value in details.items() if preferences.wants(name)}
    return json_answer(refusal.status, {"error": error}, refusal.headers)


def read_query(text: str) -> dict[str, str]:
    """The query options of a URL: percent escapes and plus signs decoded, names too."""
    options = {}
    for pair in text.split("&"):
        name, equals, value = pair.partition("=")
        if equals or name:
            options[unquote_plus(name)] = unquote_plus(value)
    return options


def read_preferences(header: str) -> Preferences:
    """The Prefer header; unknown words are ignored."""
    page_size: int | None = None
    annotations: tuple[str, ...] = ()
    words = _split(header)
    for word in words:
        name, _, value = word.partition("=")
        value = value.strip().strip('"')
        if name.strip() in {"odata.maxpagesize", "maxpagesize"} and value.isdigit():
            page_size = max(1, min(int(value), 5000))
        elif name.strip() in {"odata.include-annotations", "include-annotations"}:
            annotations = tuple(part.strip() for part in value.split(",") if part.strip())
    plain = {word.replace(" ", "") for word in words}
    return Preferences(
        representation="return=representation" in plain,
        page_size=page_size,
        annotations=annotations,
        track_changes="odata.track-changes" in plain,
        continue_on_error=bool({"odata.continue-on-error", "continue-on-error"} & plain)
        or any(word.startswith("odata.continue-on-error=true") for word in plain),
    )


def _split(header: str) -> list[str]:
    """Words between commas that are not inside quotes."""
    words, current, quoted = [], "", False
    for letter in header:
        if letter == '"':
            quoted = not quoted
        if letter == "," and not quoted:
            words.append(current.strip())
            current = ""
        else:
            current += letter
    words.append(current.strip())
    return [word for word in words if word]
