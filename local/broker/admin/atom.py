"""The ATOM documents that the official administration client exchanges about queues."""

from datetime import UTC, datetime
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree as ET

from local.broker.engine.link import MAX_MESSAGE_SIZE
from local.broker.entities.errors import InvalidArgument, NotImplementedHere
from local.broker.entities.namespace import Entry
from local.broker.entities.settings import FOREVER_MS, QueueSettings, duration_ms, duration_text

_ATOM = "http://www.w3.org/2005/Atom"
_SERVICEBUS = "http://schemas.microsoft.com/netservices/2010/10/servicebus/connect"
_COUNTS = "http://schemas.microsoft.com/netservices/2011/06/servicebus"

# The one namespace of the official emulator.
_HOST = "sbemulatorns"

_MEGABYTE = 1024 * 1024

# What a client may say although it changes nothing here, because it is what this broker does anyway.
_AS_IS = {
    "EnableBatchedOperations": {"true", "false"},
    "EnableExpress": {"false"},
    "EnablePartitioning": {"false"},
    "EntityAvailabilityStatus": {"Available"},
    "IsAnonymousAccessible": {"false"},
    "MaxMessageSizeInKilobytes": {"256"},
    "Status": {"Active"},
    "SupportOrdering": {"true", "false"},
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
        forward_to=_queue_name(given, "ForwardTo"),
        forward_dead_letters_to=_queue_name(given, "ForwardDeadLetteredMessagesTo"),
    )


def entry_document(entry: Entry) -> bytes:
    """One queue, its settings and its counts."""
    return ET.tostring(_entry(entry, {"xmlns": _ATOM}))


def feed_document(entries: list[Entry], next_href: str | None) -> bytes:
    """A page of queues; `next_href` leads to the next one."""
    feed = ET.Element("feed", {"xmlns": _ATOM})
    ET.SubElement(feed, "title", {"type": "text"}).text = "Queues"
    ET.SubElement(feed, "link", {"rel": "self", "href": "$Resources/queues"})
    if next_href is not None:
        ET.SubElement(feed, "link", {"rel": "next", "href": next_href})
    for entry in entries:
        feed.append(_entry(entry, {}))
    return ET.tostring(feed)


def error_document(status: int, detail: str) -> bytes:
    """Why not."""
    error = ET.Element("Error")
    ET.SubElement(error, "Code").text = str(status)
    ET.SubElement(error, "Detail").text = detail
    return ET.tostring(error)


def _entry(entry: Entry, namespace: dict[str, str]) -> ET.Element:
    # The JavaScript client goes by the elements' names as they are written, so prefixes are where the service
    # has them: on the counts alone.
    root = ET.Element("entry", namespace)
    for name, text in (
        ("id", f"sb://{_HOST}/{quote(entry.name)}"),
        ("title", entry.name),
        ("published", _instant(entry.created_at)),
        ("updated", _instant(entry.updated_at)),
    ):
        ET.SubElement(root, name).text = text
    content = ET.SubElement(root, "content", {"type": "application/xml"})
    description = ET.SubElement(content, "QueueDescription", {"xmlns": _SERVICEBUS})
    for name, text in _description(entry).items():
        ET.SubElement(description, name).text = text
    details = ET.SubElement(description, "CountDetails", {"xmlns:d2p1": _COUNTS})
    for name, count in _counts(entry).items():
        ET.SubElement(details, f"d2p1:{name}").text = str(count)
    return root


def _description(entry: Entry) -> dict[str, str]:
    queue, settings = entry.queue, entry.queue.settings
    ttl = FOREVER_MS if settings.default_ttl_ms is None else settings.default_ttl_ms
    forwards = {
        "ForwardTo": settings.forward_to,
        "ForwardDeadLetteredMessagesTo": settings.forward_dead_letters_to,
    }
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
        "EnablePartitioning": "false",
        "EnableExpress": "false",
        "IsAnonymousAccessible": "false",
        "SupportOrdering": "true",
        "MaxMessageSizeInKilobytes": str(MAX_MESSAGE_SIZE // 1024),
        "SizeInBytes": str(queue.shelf.size),
        "MessageCount": str(sum(_counts(entry).values())),
        "Status": "Active",
        **{name: f"sb://{_HOST}/{target}" for name, target in forwards.items() if target is not None},
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


def _queue_name(given: dict[str, str], name: str) -> str | None:
    """A queue of this namespace, which clients name by its whole address."""
    return urlsplit(given.get(name, "")).path.strip("/") or None


def _flag(given: dict[str, str], name: str) -> bool:
    text = given.get(name) or "false"
    if text not in {"true", "false"}:
        raise InvalidArgument(f"{name}: true or false")
    return text == "true"
