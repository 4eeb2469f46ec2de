"""A legacy system's REST interface, as far as systems differ in it: part of its declaration (E-23).

Such a system has collections of records; each has an id, a version and a time of its last change.

    GET    <collection>?<limit>=&<cursor>=     a page of a list
    POST   <collection>                        creates, once for a key in the header `idempotency`
    GET    <collection>/<id>                   a record, its version in the header `version`
    PATCH, DELETE <collection>/<id>            under the header `condition` with the version seen: else 412
    POST   <collection>/<id>/merge {"loser"}   merges another record into this one, where it `merges`
    GET    <feed>?<since>=&<limit>=            what changed, oldest first
    GET    <files>/<id>/content                the bytes of a file, which honours `Range`
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Event(StrEnum):
    """What a feed tells of a record."""

    CREATED = "create"
    UPDATED = "update"
    DELETED = "delete"
    MERGED = "merge"


@dataclass(frozen=True, slots=True)
class ChangeFeed:
    """Where a feed is, what its questions and answers are called, and its words for what happened.

    `since` and `limit` are asked for; entries (`changes`) are answered, and the position after them (`next`).
    The others are what an entry says: `at` in ISO 8601 (UTC when it names no zone), `by` where the system
    tells who, `record` as the change left it, `into` after a merge. Where no word of `events` means
    `Event.CREATED`, nothing is taken for the making of a record.
    """

    path: str = "changes"
    since: str = "since"
    limit: str = "limit"
    page_size: int = 100
    changes: str = "changes"
    next: str = "next"
    cursor: str = "cursor"
    entity: str = "entity"
    id: str = "id"
    operation: str = "operation"
    at: str = "changed_at"
    by: str = "changed_by"
    record: str = "record"
    into: str = "into"
    events: Mapping[str, Event] = field(default_factory=lambda: {event.value: event for event in Event})


@dataclass(frozen=True, slots=True)
class Listing:
    """What the questions and answers of a collection's list are called; `next` is null on the last page."""

    limit: str = "limit"
    cursor: str = "cursor"
    records: str = "records"
    next: str = "next"


@dataclass(frozen=True, slots=True)
class Rest:
    """A REST interface.

    `collections` names the collection of each entity; an entity without one is not written back. `changed` is
    the field that tells when a record last changed (ISO 8601; UTC when it names no zone). `version`,
    `condition` and `idempotency` are names of headers. A system without a `feed` is compared now and then,
    entity by entity; one without `files` serves none.
    """

    collections: Mapping[str, str]
    feed: ChangeFeed | None = None
    files: str = ""
    changed: str = "updated_at"
    version: str = "ETag"
    condition: str = "If-Match"
    idempotency: str = "Idempotency-Key"
    merges: bool = True
    listing: Listing = Listing()
