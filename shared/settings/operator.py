"""Which service the command line talks to."""

import os
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OperatorSettings:
    """Whom the command line asks: TANDEM_URL, with TANDEM_TOKEN; a blank URL is the local stack."""

    url: str
    token: str

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> "OperatorSettings":
        """The operator's settings."""
        source = os.environ if env is None else env
        return cls(source.get("TANDEM_URL", ""), source.get("TANDEM_TOKEN", ""))
