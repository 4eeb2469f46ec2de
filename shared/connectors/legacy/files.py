"""The bytes of legacy files, piece by piece: over REST, or from the folder that an export was dropped in."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from urllib.parse import quote

import fsspec

from shared.connectors.web.client import WebClient
from shared.connectors.web.meaning import failure, of_status
from shared.core.codes import Code
from shared.core.errors import Fault, InvalidMessage, Unavailable
from shared.core.mapping.files import DROPPED, FileRef, Files


@dataclass(frozen=True, slots=True)
class RestFiles:
    """`Files` of a system that serves `GET <place>/<id>/content` and honours `Range`."""

    place: str
    client: WebClient

    async def piece(self, ref: FileRef, start: int, size: int) -> bytes:
        """See `Files.piece`."""
        path = f"{self.place}/{quote(ref.place, safe='')}/content"
        response = await self.client.send("GET", path, headers={"Range": f"bytes={start}-{start + size - 1}"})
        if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return b""
        if response.status_code == HTTPStatus.NOT_FOUND:
            raise _missing()
        if not response.is_success:
            raise failure(self.client.who, of_status(response.status_code), response)
        content = bytes(response.content)
        # A server may answer with the whole file, whatever was asked for.
        return (
            content if response.status_code == HTTPStatus.PARTIAL_CONTENT else content[start : start + size]
        )


@dataclass(frozen=True, slots=True)
class DropFiles:
    """`Files` of an export, by their path under the folder or blob container `url`."""

    url: str

    async def piece(self, ref: FileRef, start: int, size: int) -> bytes:
        """See `Files.piece`; a path that leaves the folder names no file."""
        parts = ref.place.replace("\\", "/").split("/")
        if not self.url or ".." in parts or parts[0] == "":
            raise _missing()
        try:
            filesystem, root = fsspec.core.url_to_fs(self.url)
            found: bytes = filesystem.cat_file(f"{root}/{ref.place}", start=start, end=start + size)
        except (FileNotFoundError, IsADirectoryError) as absent:
            raise _missing() from absent
        except OSError as error:
            raise Unavailable("the export drop cannot be read") from error
        return found


@dataclass(frozen=True, slots=True)
class EitherFiles:
    """`Files` of a system that serves them itself and drops exports as well."""

    served: Files
    dropped: Files

    async def piece(self, ref: FileRef, start: int, size: int) -> bytes:
        """See `Files.piece`."""
        if not ref.place.startswith(DROPPED):
            return await self.served.piece(ref, start, size)
        inside = replace(ref, place=ref.place.removeprefix(DROPPED))
        return await self.dropped.piece(inside, start, size)


@dataclass(frozen=True, slots=True)
class SystemFiles:
    """`Files` of several systems, each in its own way."""

    systems: Mapping[str, Files]

    async def piece(self, ref: FileRef, start: int, size: int) -> bytes:
        """See `Files.piece`."""
        files = self.systems.get(ref.system)
        if files is None:
            raise _missing()
        return await files.piece(ref, start, size)


def _missing() -> InvalidMessage:
    return InvalidMessage(Fault("/data/file", Code.FILE_MISSING, "a file that the system has"))
