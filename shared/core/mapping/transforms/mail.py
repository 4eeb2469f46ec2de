"""A whole mail message where a body was meant: its parts, decoded (RFC 5322, RFC 2045)."""

from email import message_from_string, policy
from typing import Literal

Part = Literal["plain", "html"]
_BEGINS = ("content-type:", "mime-version:")


def is_mail(body: str) -> bool:
    """Whether a body begins with the headers of a mail message instead of words."""
    return body.lstrip()[:13].casefold().startswith(_BEGINS)


def part(body: str, *wanted: Part) -> tuple[str, Part | None]:
    """The first of the wanted parts that the message has, and which it is.

    The message as it stands, and None, where it has none of them or cannot be read.
    """
    message = message_from_string(body.lstrip(), policy=policy.default)
    found = message.get_body(preferencelist=wanted)
    if found is None:
        return body, None
    try:
        words = found.get_content()
    except (LookupError, ValueError):
        return body, None
    kind: Part = "html" if found.get_content_subtype() == "html" else "plain"
    return str(words), kind
