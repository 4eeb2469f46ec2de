"""The operators' way to the service: its URL, a token, and the routes as calls."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from shared.settings import OperatorSettings


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
                told = json.loads(endpoints.read_text("utf-8"))
                token = settings.token or told["tokens"]["ops_operate"]
                return cls(told["functions"].rstrip("/"), token)
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

    def failures(self) -> Mapping[str, Any]:
        """What is failing."""
        return self.get("ops/failures")

    def record(self, any_id: str, **asked: str) -> Mapping[str, Any]:
        """A record's history; `as_of` and `masked` as the route takes them."""
        return self.get("ops/records/" + quote(any_id, safe=":"), **asked)

    def replay(self, message_id: str) -> Mapping[str, Any]:
        """Send one message again."""
        return self.post("ops/replays", {"messageId": message_id})

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
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
        except httpx.TransportError as error:
            asking = "is it running? `make up` starts a local one"
            raise Unreachable(f"{self.url} does not answer ({error}); {asking}") from error
        try:
            told: Mapping[str, Any] = answer.json()
        except ValueError as error:
            raise Declined(f"{self.url} answered {answer.status_code} without an explanation") from error
        if answer.status_code >= 400:
            faults = [f"\n  {e['pointer'] or '(message)'}: {e['expected']}" for e in told.get("errors", [])]
            detail = f"{told.get('code', answer.status_code)}: {told.get('detail', '')}"
            raise Declined(detail + "".join(faults))
        return told
