"""The vault's secrets: every version of each, in one file that only its owner may read.

As in Azure, a value is never changed in place: setting a secret adds a version, and the newest one answers.
A deleted secret stays recoverable under its name until it is purged, and the name cannot be taken meanwhile.
"""

import json
import re
import secrets
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from local.stack import stand_ins
from local.stack.private_file import write_private_json

GENERATED = tuple(f"{name}-api-key" for name in ("allegory", *stand_ins.NAMES))
"""Secrets that a vault makes up by itself, so that nobody has to type one."""

_NAME = re.compile(r"[0-9a-zA-Z-]{1,127}")


class VaultRefusalError(Exception):
    """The vault says no. `status` and `code` are what Azure Key Vault answers in this case."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class SecretVersion:
    """One value a secret has had. `created`, `updated`, `not_before`, `expires`: seconds since 1970, UTC."""

    version: str
    value: str
    created: int
    updated: int
    enabled: bool = True
    not_before: int | None = None
    expires: int | None = None
    content_type: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Secret:
    """A name and its versions, oldest first. `deleted`: when it was deleted, or None while it lives."""

    name: str
    versions: tuple[SecretVersion, ...]
    deleted: int | None = None

    def version(self, version: str) -> SecretVersion:
        """The version of that id, or the newest one for an empty id."""
        for candidate in reversed(self.versions):
            if version in {"", candidate.version}:
                return candidate
        raise _not_found(self.name)


def _not_found(name: str) -> VaultRefusalError:
    return VaultRefusalError(
        404, "SecretNotFound", f"A secret with (name/id) {name} was not found in this key vault."
    )


def _secret(row: dict[str, Any]) -> Secret:
    return Secret(row["name"], tuple(SecretVersion(**version) for version in row["versions"]), row["deleted"])


class SecretStore:
    """The secrets of one vault, kept in `file`; each change is on disk before the call returns."""

    def __init__(self, file: Path, now: Callable[[], datetime]) -> None:
        self._file = file
        self._now = now
        self._secrets: dict[str, Secret] = {}
        if file.exists():
            self._secrets = {row["name"].lower(): _secret(row) for row in json.loads(file.read_text())}
        for name in GENERATED:
            if name not in self._secrets:
                self.set(name, secrets.token_urlsafe(32), {})

    def _keep(self, secret: Secret) -> Secret:
        # Names are not case-sensitive in Azure Key Vault.
        self._secrets[secret.name.lower()] = secret
        self._write()
        return secret

    def _write(self) -> None:
        write_private_json(self._file, [asdict(secret) for secret in self._secrets.values()])

    def live(self) -> list[Secret]:
        """The secrets that are not deleted, by name."""
        return sorted((s for s in self._secrets.values() if s.deleted is None), key=lambda s: s.name)

    def deleted(self) -> list[Secret]:
        """The secrets that can still be recovered, by name."""
        return sorted((s for s in self._secrets.values() if s.deleted is not None), key=lambda s: s.name)

    def find(self, name: str) -> Secret:
        """The living secret of that name; 404 if there is none."""
        secret = self._secrets.get(name.lower())
        if secret is None or secret.deleted is not None:
            raise _not_found(name)
        return secret

    def find_deleted(self, name: str) -> Secret:
        """The deleted secret of that name; 404 if there is none."""
        secret = self._secrets.get(name.lower())
        if secret is None or secret.deleted is None:
            raise _not_found(name)
        return secret

    def readable(self, name: str, version: str) -> tuple[Secret, SecretVersion]:
        """The version whose value may be shown; 403 if it is disabled."""
        secret = self.find(name)
        found = secret.version(version)
        if not found.enabled:
            raise VaultRefusalError(403, "Forbidden", "Operation get is not allowed on a disabled secret.")
        return secret, found

    def set(self, name: str, value: str, attributes: Mapping[str, Any]) -> tuple[Secret, SecretVersion]:
        """Adds a version with this value; the rest of `attributes` are fields of `SecretVersion`."""
        if not _NAME.fullmatch(name):
            raise VaultRefusalError(
                400, "BadParameter", "The secret name may hold 1 to 127 letters, digits and hyphens."
            )
        known = self._secrets.get(name.lower())
        if known is not None and known.deleted is not None:
            raise VaultRefusalError(
                409, "Conflict", f"Secret {name} is currently in a deleted but recoverable state."
            )
        now = int(self._now().timestamp())
        fresh = SecretVersion(uuid.uuid4().hex, value, now, now, **attributes)
        before = known or Secret(name, ())
        return self._keep(replace(before, versions=(*before.versions, fresh))), fresh

    def update(self, name: str, version: str, attributes: Mapping[str, Any]) -> tuple[Secret, SecretVersion]:
        """Changes what surrounds a value (enabled, dates, tags, content type), never the value."""
        secret = self.find(name)
        old = secret.version(version)
        new = replace(old, updated=int(self._now().timestamp()), **attributes)
        versions = tuple(new if candidate is old else candidate for candidate in secret.versions)
        return self._keep(replace(secret, versions=versions)), new

    def delete(self, name: str) -> Secret:
        """Makes the secret unreadable but recoverable."""
        return self._keep(replace(self.find(name), deleted=int(self._now().timestamp())))

    def recover(self, name: str) -> Secret:
        """Undoes a deletion."""
        return self._keep(replace(self.find_deleted(name), deleted=None))

    def purge(self, name: str) -> None:
        """Forgets a deleted secret for good."""
        del self._secrets[self.find_deleted(name).name.lower()]
        self._write()
