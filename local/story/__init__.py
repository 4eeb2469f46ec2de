"""The sample traffic of `make run`: people at both ends of a small company, and what became of their work."""

from local.story.plot import tell

__all__ = ["tell"]
