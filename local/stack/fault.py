"""Why the stack cannot do what it was asked, in a sentence for the person who asked.

StackError
├── NotReadyError     something is missing on this machine: a port, a tool, a package; exit status 2
└── PartFailedError   a part of the stack did not come up; exit status 1
"""

from typing import ClassVar


class StackError(Exception):
    """The root; the message is one or two plain sentences."""

    exit_status: ClassVar[int] = 1


class NotReadyError(StackError):
    """Something that the stack needs is not on this machine; the message says what to do about it."""

    exit_status = 2


class PartFailedError(StackError):
    """A part ended, or never answered, while the stack was starting."""
