"""The ATOM documents that the official administration client exchanges about queues."""

from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from local.broker.entities.errors import InvalidArgument, NotImplementedHere
from local.broker.entities.namespace import Entry
from local.broker.entities.settings import FOREVER_MS, QueueSettings, duration_ms, duration_text

_ATOM = "http://www.w3.org/2005/Atom"
_SERVICEBUS = "http://schemas.microsoft.com/netservices/2010/10/servicebus/connect"
_COUNTS = "http://schemas.microsoft.com/netservices/2011/06/servicebus"

_MEGABYTE = 1024 * 1024

# What a client may say although it changes nothing here, because it is what this broker does anyway.
_AS_IS = {
    "EnableBatchedOperations": {"true", "false"},
    "EnableExpress": {"false"},
    "EnablePartitioning": {"false"},
    "EntityAvailabilityStatus": {"Available"},
    "IsAnonymousAccessible": {"false"},
    "Status": {"Active"},
    "SupportOrdering": {"true", "false"},
    "ForwardTo": set[str](),
    "ForwardDeadLetteredMessagesTo": set[str](),
    "UserMetadata": set[str](),
}


def read_settings(body: bytes) -> QueueSettings:
    """The settings of a queue from an entry document. Raises InvalidArgument, NotImplementedHere."""
    try:
        root = ET.fromstring(body)  # noqa: S314  # expat stops entity bombs, the body is bounded, the client local
    except ET.ParseError as wrong:
        raise InvalidArgument("the body is an ATOM entry") from wrong
    description = root.find(f".//{{{_SERVICEBUS}}}QueueDescription")
    if description is None:
        raise NotImplementedHere("this broker has queues only")
    given = {element.tag.rpartition("}")[2]: (element.text or "").strip() for element in description}
    for name, allowed in _AS_IS.items():
        if given.get(name) and given[name] not in allowed:
            raise NotImplementedHere(f"{name}: not supported by this broker")
    if (
        given.get("AutoDeleteOnIdle")
        and duration_ms("AutoDeleteOnIdle", given["AutoDeleteOnIdle"]) < FOREVER_MS
    ):
        raise NotImplementedHere("AutoDeleteOnIdle: queues stay until they are deleted")
    default = QueueSettings()
    ttl = _duration(given, "DefaultMessageTimeToLive", FOREVER_MS)
    return QueueSettings(
        lock_duration_ms=_duration(given, "LockDuration", default.lock_duration_ms),
        max_delivery_count=_number(given, "MaxDeliveryCount", default.max_delivery_count),
        default_ttl_ms=None if ttl >= FOREVER_MS else ttl,
        dead_letter_on_expiration=_flag(given, "DeadLetteringOnMessageExpiration"),
        requires_session=_flag(given, "RequiresSession"),
        requires_duplicate_detection=_flag(given, "RequiresDuplicateDetection"),
        duplicate_window_ms=_duration(
            given, "DuplicateDetectionHistoryTimeWindow", default.duplicate_window_ms
        ),
        max_size_bytes=_number(given, "MaxSizeInMegabytes", default.max_size_bytes // _MEGABYTE) * _MEGABYTE,
    )


def entry_document(entry: Entry) -> bytes:
    """One queue, its settings and its counts."""
    return ET.tostring(_entry(entry))


def feed_document(entries: list[Entry], next_href: str | None) -> bytes:
    """A page of queues; `next_href` leads to the next one."""
    feed = ET.Element(f"{{{_ATOM}}}feed")
    ET.SubElement(feed, f"{{{_ATOM}}}title", {"type": "text"}).text = "Queues"
    ET.SubElement(feed, f"{{{_ATOM}}}link", {"rel": "self", "href": "$Resources/queues"})
    if next_href is not None:
        ET.SubElement(feed, f"{{{_ATOM}}}link", {"rel": "next", "href": next_href})
    for entry in entries:
        feed.append(_entry(entry))
    return ET.tostring(feed)


def error_document(status: int, detail: str) -> bytes:
    """Why not."""
    error = ET.Element("Error")
    ET.SubElement(error, "Code").text = str(status)
    ET.SubElement(error, "Detail").text = detail
    return ET.tostring(error)


def _entry(entry: Entry) -> ET.Element:
    root = ET.Element(f"{{{_ATOM}}}entry")
    for name, text in (
        ("id", entry.name),
        ("title", entry.name),
        ("published", _instant(entry.created_at)),
        ("updated", _instant(entry.updated_at)),
    ):
        ET.SubElement(root, f"{{{_ATOM}}}{name}").text = text
    content = ET.SubElement(root, f"{{{_ATOM}}}content", {"type": "application/xml"})
    description = ET.SubElement(content, f"{{{_SERVICEBUS}}}QueueDescription")
    for name, text in _description(entry).items():
        ET.SubElement(description, f"{{{_SERVICEBUS}}}{name}").text = text
    details = ET.SubElement(description, f"{{{_SERVICEBUS}}}CountDetails")
    for name, count in _counts(entry).items():
        ET.SubElement(details, f"{{{_COUNTS}}}{name}").text = str(count)
    return root


def _description(entry: Entry) -> dict[str, str]:
    queue, settings = entry.queue, entry.queue.settings
    ttl = FOREVER_MS if settings.default_ttl_ms is None else settings.default_ttl_ms
    return {
        "LockDuration": duration_text(settings.lock_duration_ms),
        "MaxSizeInMegabytes": str(settings.max_size_bytes // _MEGABYTE),
        "RequiresDuplicateDetection": _bool(settings.requires_duplicate_detection),
        "RequiresSession": _bool(settings.requires_session),
        "DefaultMessageTimeToLive": duration_text(ttl),
        "DeadLetteringOnMessageExpiration": _bool(settings.dead_letter_on_expiration),
        "DuplicateDetectionHistoryTimeWindow": duration_text(settings.duplicate_window_ms),
        "MaxDeliveryCount": str(settings.max_delivery_count),
        "EnableBatchedOperations": "true",
        "SizeInBytes": str(queue.shelf.size),
        "MessageCount": str(sum(_counts(entry).values())),
        "Status": "Active",
        "CreatedAt": _instant(entry.created_at),
        "UpdatedAt": _instant(entry.updated_at),
        "AccessedAt": _instant(queue.accessed_at),
        "AutoDeleteOnIdle": duration_text(FOREVER_MS),
        "EntityAvailabilityStatus": "Available",
    }


def _counts(entry: Entry) -> dict[str, int]:
    counts = entry.queue.counts()
    return {
        "ActiveMessageCount": counts["active"] + counts["deferred"],
        "DeadLetterMessageCount": len(entry.dead_letters.shelf.messages),
        "ScheduledMessageCount": counts["scheduled"],
        "TransferMessageCount": 0,
        "TransferDeadLetterMessageCount": len(entry.transfer_dead_letters.shelf.messages),
    }


def _instant(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _bool(value: bool) -> str:  # noqa: FBT001  # the value itself, not a switch
    return "true" if value else "false"


def _duration(given: dict[str, str], name: str, default: int) -> int:
    return duration_ms(name, given[name]) if given.get(name) else default


def _number(given: dict[str, str], name: str, default: int) -> int:
    if not given.get(name):
        return default
    if not given[name].isdecimal():
        raise InvalidArgument(f"{name}: a number")
    return int(given[name])


def _flag(given: dict[str, str], name: str) -> bool:
    text = given.get(name) or "false"
    if text not in {"true", "false"}:
        raise InvalidArgument(f"{name}: true or false")
    return text == "true"
