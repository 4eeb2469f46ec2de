"""The operators' way to the service: its URL, a token, and the routes as calls."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from shared.settings import OperatorSettings

_TOKEN = re.compile(r"[\x21-\x7e]+")


class Unreachable(Exception):
    """The service cannot be asked; the text says what to do."""


class Declined(Exception):
    """The service answered with a problem; the text is its detail."""


@dataclass(frozen=True, slots=True)
class Service:
    """A running Tandem, addressed over HTTP."""

    url: str
    token: str

    @classmethod
    def found(cls, settings: OperatorSettings) -> "Service":
        """The service the environment names, else the local stack of this folder; raises Unreachable."""
        if settings.url:
            if not settings.token:
                raise Unreachable("TANDEM_URL says which service, and TANDEM_TOKEN who you are: set it, too")
            return cls(settings.url.rstrip("/"), settings.token)
        for folder in (Path.cwd(), *Path.cwd().parents):
            endpoints = folder / ".local" / "endpoints.json"
            if endpoints.is_file():
                url, token = _local(endpoints)
                return cls(url.rstrip("/"), settings.token or token)
        raise Unreachable(
            "no service: set TANDEM_URL and TANDEM_TOKEN, or start the local stack with `make up`"
        )

    def get(self, path: str, **asked: str) -> Mapping[str, Any]:
        """Look at `/api/<path>`, with a query of what is asked; raises Unreachable or Declined."""
        query = "?" + urlencode(asked) if asked else ""
        return self._ask("GET", path + query)

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """Do `/api/<path>`; raises Unreachable or Declined."""
        return self._ask("POST", path, body)

    def now(self) -> Mapping[str, Any]:
        """How things stand."""
        return self.get("ops/now")

    def record(self, any_id: str, **asked: str) -> Mapping[str, Any]:
        """A record's history; `as_of` and `masked` as the route takes them."""
        return self.get("ops/records/" + quote(any_id, safe=":"), **asked)

    def replay(self, message_id: str) -> Mapping[str, Any]:
        """Send one message again."""
        return self.post("ops/replays", {"messageId": message_id})

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        if not _TOKEN.fullmatch(self.token):
            # Never what it is: it would stand on a screen or in a log.
            raise Unreachable(
                "TANDEM_TOKEN is no token: it has a blank, a line's end or a strange letter in it"
            )
        try:
            answer = httpx.request(
                method,
                f"{self.url}/api/{path}",
                json=body,
                headers={"Authorization": f"Bearer {self.token}"},
                timeout=30,
            )
        except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            raise Unreachable(f"TANDEM_URL is no address of a service: {error}") from error
        except httpx.RequestError as error:
            asking = "is it running? `make up` starts a local one"
            raise Unreachable(f"{self.url} does not answer ({error}); {asking}") from error
        told = _explained(answer)
        if told is None:
            raise Declined(
                f"{self.url} answered {answer.status_code} without an explanation; is it a Tandem's address?"
            )
        if answer.status_code >= 400:
            faults = [f"\n  {e['pointer'] or '(message)'}: {e['expected']}" for e in told.get("errors", [])]
            detail = f"{told['code']}: {told.get('detail', '')}"
            raise Declined(detail + "".join(faults))
        return told


def _local(endpoints: Path) -> tuple[str, str]:
    """The address and the operator's token of the stack that left this file; raises Unreachable."""
    try:
        told = json.loads(endpoints.read_text("utf-8"))
        return str(told["functions"]), str(told["tokens"]["ops_operate"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise Unreachable(f"{endpoints} is not what `make up` writes: start the stack anew") from error


def _explained(answer: httpx.Response) -> Mapping[str, Any] | None:
    """What a Tandem says: a JSON object, and in a refusal the code; None for anything else."""
    try:
        told = answer.json()
    except ValueError:
        return None
    if not isinstance(told, dict) or (answer.status_code >= 400 and "code" not in told):
        return None
    return told
