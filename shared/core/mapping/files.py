"""Files of legacy records, by reference: where the bytes are, and what they have to be.

The content itself is on no bus and in no SQL table. It is fetched when its row is made (A-12a).
"""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol

DROPPED = "drop:"
"""What the place of a file begins with that lies in an export drop, where its system has other ways, too."""


def in_drop(folder: str, path: str) -> str:
    """The place of a file in the folder of a drop; `.` is the place of the drops itself."""
    return (PurePosixPath(folder) / path.replace("\\", "/").lstrip("/")).as_posix()


@dataclass(frozen=True, slots=True)
class FileRef:
    """One file: its system, where that system keeps it, and what it declares of it.

    `place` is what the system finds it by (an attachment's id, a path in the export), `size` its bytes,
    `sha256` lower-case hexadecimal; blank where the system does not tell.
    """

    system: str
    place: str
    name: str
    size: int
    sha256: str = ""

    def __str__(self) -> str:
        return f"{self.system}:{self.place} ({self.size:,} bytes)"


class Files(Protocol):
    """The bytes of legacy files."""

    async def piece(self, ref: FileRef, start: int, size: int) -> bytes:
        """At most `size` bytes from `start` on; none behind its end.

        Raises InvalidMessage (`file.missing`) when the system has no such file, Throttled, Unavailable.
        """
        ...
