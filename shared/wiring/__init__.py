"""The only place where capabilities meet connectors and maps; built once per process, on first use."""

from shared.wiring.assembly import App, app, build

__all__ = ["App", "app", "build"]
