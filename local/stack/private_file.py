"""Files that hold keys, tokens or secrets: whole or absent, and readable by their owner alone."""

import json
import os
import secrets
from pathlib import Path
from typing import Any


def write_private(path: Path, content: str | bytes) -> None:
    """Replaces `path` in one step with `content`, mode 600, so that no reader ever sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    data = content.encode() if isinstance(content, str) else content
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def write_private_json(path: Path, value: Any) -> None:
    """The same for a value that JSON can hold, indented, because people open these files."""
    write_private(path, json.dumps(value, indent=2) + "\n")
