"""Set-Cookie values, written one way whichever engine a function's answer came through."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cookie:
    """One cookie; a blank attribute is left out. `expires` is an HTTP date, `max_age` seconds."""

    name: str
    value: str
    expires: str = ""
    domain: str = ""
    path: str = ""
    max_age: str = ""
    http_only: bool = False
    secure: bool = False
    same_site: str = ""

    def header(self) -> str:
        """The header's value."""
        parts = [
            f"{self.name}={self.value}",
            *(
                f"{label}={value}"
                for label, value in (
                    ("Expires", self.expires),
                    ("Domain", self.domain),
                    ("Path", self.path),
                    ("Max-Age", self.max_age),
                )
                if value
            ),
            *(["HttpOnly"] if self.http_only else []),
            *(["Secure"] if self.secure else []),
            *([f"SameSite={self.same_site}"] if self.same_site else []),
        ]
        return "; ".join(parts)
