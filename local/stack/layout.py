"""Where the stack keeps things: one checkout, and everything that is made under its `.local`."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of one checkout's stack; `elsewhere` keeps its state out of the checkout."""

    root: Path
    elsewhere: Path | None = None

    @property
    def state(self) -> Path:
        """Everything the stack makes; removing it makes the stack new."""
        return self.elsewhere or self.root / ".local"

    @property
    def logs(self) -> Path:
        """One file per part, and the supervisor's own."""
        return self.state / "log"

    @property
    def lock(self) -> Path:
        """Held by the supervisor for as long as it lives."""
        return self.state / "stack.lock"

    @property
    def status(self) -> Path:
        """What `tandem local status` prints."""
        return self.state / "stack.json"

    @property
    def ports(self) -> Path:
        """The ports of the last start, used again while they are free."""
        return self.state / "ports.json"

    @property
    def endpoints(self) -> Path:
        """Where each part answers, and the tokens to call the app with."""
        return self.state / "endpoints.json"

    @property
    def settings(self) -> Path:
        """The app's settings, in the format of `local.settings.json`."""
        return self.state / "settings.json"

    @property
    def environment(self) -> Path:
        """The same settings as lines of NAME=value, for the container of `infra/compose.yaml`."""
        return self.state / "settings.env"

    @property
    def certificates(self) -> Path:
        """The stack's certificate authority and server certificate."""
        return self.state / "ca"

    @property
    def azurite(self) -> Path:
        """The storage emulator's program."""
        return self.root / ".local" / "npm" / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"

    def key_of(self, system: str) -> Path:
        """The key that a system's API takes at the moment; the vault holds the one that the app sends."""
        return self.state / "crm" / f"{system}-api-key"

    def log_of(self, part: str) -> Path:
        """Where a part's output goes."""
        return self.logs / f"{part}.log"


def this_checkout() -> Layout:
    """The layout of the checkout that this file belongs to; TANDEM_STATE names another place for its state.

    So a test, or a second stack, runs beside the one a person works with.
    """
    elsewhere = os.environ.get("TANDEM_STATE")
    return Layout(Path(__file__).resolve().parents[2], Path(elsewhere).resolve() if elsewhere else None)
