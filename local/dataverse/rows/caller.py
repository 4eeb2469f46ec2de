"""Who a request comes from, and on whose behalf."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """The user whose rights count and whom the audit columns name; `real` is who signed the request."""

    user: str
    real: str

    @property
    def impersonates(self) -> bool:
        """Whether the request acts for somebody else."""
        return self.user != self.real


@dataclass(frozen=True, slots=True)
class Origin:
    """What a change remembers about the request that made it."""

    caller: Caller
    silent: bool = False
    tag: str = ""
    correlation: str = ""
