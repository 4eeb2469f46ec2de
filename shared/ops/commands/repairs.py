"""`tandem skip`, `edit`, `supersede`, `release`: what a person does about one message."""

import argparse
import json
from pathlib import Path
from typing import Any

from shared.ops.client import Service
from shared.ops.command import Answer, Mistyped, Told, command, why

_DONE = {
    "queued": "goes on in its lane now",
    "skipped": "is superseded; its lane goes on without it",
    "replaced": "is superseded; an edited copy has its place",
    "acknowledged": "stays refused, and its group no longer counts it",
    "finished": "had its outcome already; nothing was done",
}


def register(commands: Any) -> None:
    """Add the commands."""
    _repair(commands, "skip", skip, "let a lane go on without a message")
    editing = _repair(commands, "edit", edit, "put an edited copy in a message's place")
    editing.add_argument(
        "--set", action="append", default=[], metavar="field=value", help="a field of the data, or changedOn"
    )
    editing.add_argument("--blank", action="append", default=[], metavar="field", help="a field to empty")
    replacing = _repair(commands, "supersede", supersede, "let another message stand for a message")
    instead = replacing.add_mutually_exclusive_group(required=True)
    instead.add_argument("--by", metavar="message", help="the message that stands for it")
    instead.add_argument("--body", metavar="file", type=Path, help="a file with the whole envelope")
    _repair(commands, "release", release, "let a message from the future go on with the time it claims")


def skip(service: Service, asked: argparse.Namespace) -> Answer:
    """Let a lane go on without a message."""
    return _told(service, "skip", _of(asked))


def edit(service: Service, asked: argparse.Namespace) -> Answer:
    """Put an edited copy in a message's place."""
    settings: dict[str, str | None] = dict.fromkeys(asked.blank)
    for setting in asked.set:
        name, is_set, value = setting.partition("=")
        if not name or not is_set:
            raise Mistyped("--set wants field=value; --blank field empties one")
        settings[name] = value
    if not settings:
        raise Mistyped("say what to change: --set field=value or --blank field, as often as you like")
    return _told(service, "edit", {**_of(asked), "set": settings})


def supersede(service: Service, asked: argparse.Namespace) -> Answer:
    """Let another message stand for a message."""
    if asked.body is not None:
        return _told(service, "supersede", {**_of(asked), "body": _envelope_in(asked.body)})
    return _told(service, "supersede", {**_of(asked), "by": asked.by})


def _envelope_in(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise Mistyped(f"{error.strerror}: {file}") from error
    except ValueError as error:
        raise Mistyped(f"{file} is not JSON: {error}") from error


def release(service: Service, asked: argparse.Namespace) -> Answer:
    """Let a message go on with the time it claims."""
    return _told(service, "release", _of(asked))


def screen(told: Told) -> str:
    """What a repair did."""
    lines = [f"{told['messageId']} {_DONE.get(told['done'], told['done'])}"]
    if told.get("replacedBy"):
        lines.append(f"  now: {told['replacedBy']}")
    lines += [
        f"  {pointer}: {field['before']} -> {field['after']}"
        for pointer, field in sorted(told.get("fields", {}).items())
    ]
    return "\n".join(lines)


def _repair(commands: Any, name: str, ask: Any, about: str) -> argparse.ArgumentParser:
    added = command(commands, name, ask, about)
    added.add_argument("message_id", help="the message's id")
    added.add_argument("--reason", required=True, type=why, help="why; kept with the message")
    return added


def _of(asked: argparse.Namespace) -> dict[str, Any]:
    return {"messageId": asked.message_id, "reason": asked.reason}


def _told(service: Service, repair: str, body: dict[str, Any]) -> Answer:
    told = service.post(f"ops/repairs/{repair}", body)
    return told, screen, told["done"] != "finished"
