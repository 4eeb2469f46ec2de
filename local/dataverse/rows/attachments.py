"""What may be attached: the size and the kinds of file the organisation's settings allow."""

from local.dataverse.errors import Refusal
from local.dataverse.store.row import Row

# Tables whose rows carry a file as base64 text.
FILE_COLUMNS = {"annotation": "documentbody", "activitymimeattachment": "body"}
_DEFAULT_LIMIT = 5_242_880


def check_attachment(organisation: Row, filename: str | None, size: int) -> None:
    """Refusal when a file is too big or of a blocked kind."""
    limit = int(organisation.get("maxuploadfilesize", _DEFAULT_LIMIT))
    if size > limit:
        raise Refusal(400, "0x80044a02", f"Attachment file size is too big. The limit is {limit} bytes.")
    blocked = str(organisation.get("blockedattachments", "")).split(";")
    if filename and filename.rpartition(".")[2].lower() in blocked:
        raise Refusal(400, "0x80043e09", "The attachment is either not a valid type or is too large.")


def decoded_size(body: str) -> int:
    """The number of bytes behind a base64 text."""
    return len(body) * 3 // 4 - body[-2:].count("=")
