"""The official emulator's `config.json`, so that one file serves it and this broker."""

import json
import re
from pathlib import Path
from typing import Any

from local.broker.entities.errors import InvalidArgument
from local.broker.entities.settings import QueueSettings, duration_ms

# The emulator's limits: what it refuses must not work here and then fail there.
_MINUTE = 60_000
_LOCK = (5_000, 5 * _MINUTE)
_TTL = (5 * _MINUTE, 60 * _MINUTE)
_WINDOW = (5_000, 5 * _MINUTE)

# The emulator's own sample has comments, which JSON does not.
_COMMENT = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', re.DOTALL)


def read_config(path: Path) -> dict[str, QueueSettings]:
    """The queues of a configuration file. Raises InvalidArgument with the field and the rule."""
    text = _COMMENT.sub(lambda match: match.group(1) or " ", path.read_text(encoding="utf-8-sig"))
    try:
        document = json.loads(text)
        namespaces = document["UserConfig"]["Namespaces"]
        (namespace,) = namespaces
        queues = {
            queue["Name"]: _settings(queue.get("Properties", {})) for queue in namespace.get("Queues", [])
        }
    except (json.JSONDecodeError, KeyError, TypeError, ValueError) as wrong:
        raise InvalidArgument(
            f"{path.name}: not the emulator's format: {type(wrong).__name__} {wrong}"
        ) from wrong
    if namespace.get("Name") != "sbemulatorns":
        raise InvalidArgument("UserConfig.Namespaces[0].Name: must be sbemulatorns")
    if namespace.get("Topics"):
        raise InvalidArgument("UserConfig.Namespaces[0].Topics: this broker has queues only")
    _check_targets(queues)
    return queues


def _check_targets(queues: dict[str, QueueSettings]) -> None:
    names = {name.lower() for name in queues}
    for settings in queues.values():
        for field, target in (
            ("ForwardTo", settings.forward_to),
            ("ForwardDeadLetteredMessagesTo", settings.forward_dead_letters_to),
        ):
            if target is not None and target.lower() not in names:
                raise InvalidArgument(f"{field}: no queue of that name")


def _settings(properties: dict[str, Any]) -> QueueSettings:
    count = properties.get("MaxDeliveryCount", 3)
    if not isinstance(count, int) or not 1 <= count <= 10:
        raise InvalidArgument("MaxDeliveryCount: 1 to 10")
    return QueueSettings(
        lock_duration_ms=_within(properties, "LockDuration", "PT1M", _LOCK),
        max_delivery_count=count,
        default_ttl_ms=_within(properties, "DefaultMessageTimeToLive", "PT1H", _TTL),
        dead_letter_on_expiration=_flag(properties, "DeadLetteringOnMessageExpiration"),
        requires_session=_flag(properties, "RequiresSession"),
        requires_duplicate_detection=_flag(properties, "RequiresDuplicateDetection"),
        duplicate_window_ms=_within(properties, "DuplicateDetectionHistoryTimeWindow", "PT20S", _WINDOW),
        forward_to=properties.get("ForwardTo") or None,
        forward_dead_letters_to=properties.get("ForwardDeadLetteredMessagesTo") or None,
    )


def _within(properties: dict[str, Any], field: str, default: str, limits: tuple[int, int]) -> int:
    value = duration_ms(field, properties.get(field, default))
    if not limits[0] <= value <= limits[1]:
        raise InvalidArgument(f"{field}: {limits[0] // 1000} s to {limits[1] // 1000} s")
    return value


def _flag(properties: dict[str, Any], field: str) -> bool:
    value = properties.get(field, False)
    if not isinstance(value, bool):
        raise InvalidArgument(f"{field}: true or false")
    return value
