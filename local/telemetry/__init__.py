"""The local telemetry sink: takes what Application Insights exporters send, and shows it again."""

from local.telemetry.sink import start

__all__ = ["start"]
