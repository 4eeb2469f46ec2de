"""Who is calling: bearer tokens checked against the issuer's published keys (E-16)."""

from shared.connectors.callers.tokens import Caller, Callers, Forbidden, Unauthenticated

__all__ = ["Caller", "Callers", "Forbidden", "Unauthenticated"]
