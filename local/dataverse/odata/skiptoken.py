"""The paging cookie inside $skiptoken: which page comes next and after which row."""

import html
import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

from local.dataverse.errors import bad_query

_COOKIE = re.compile(r'<cookie pagenumber="(\d+)" pagingcookie="([^"]*)"')
_INNER = re.compile(r'<row last="\{([0-9a-fA-F-]{36})\}" order="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Resume:
    """The next page's number, the last row shown, and its values in the asked order."""

    page: int
    last_id: str
    values: list[Any] = field(default_factory=list)


def write_token(resume: Resume) -> str:
    """The cookie as XML; the inner one is percent-encoded twice, as the service sends it."""
    order = html.escape(json.dumps(resume.values))
    last = f"{{{resume.last_id.upper()}}}"
    inner = f'<cookie page="{resume.page - 1}"><row last="{last}" order="{order}" /></cookie>'
    return f'<cookie pagenumber="{resume.page}" pagingcookie="{quote(quote(inner))}" istracking="False" />'


def read_token(text: str) -> Resume:
    """The cookie of a URL; Refusal when it is not one of ours."""
    outer = _COOKIE.search(text)
    inner = _INNER.search(unquote(unquote(outer[2]))) if outer is not None else None
    if outer is None or inner is None:
        raise bad_query("Malformed XML in the Paging Cookie.")
    return Resume(int(outer[1]), inner[1].lower(), json.loads(html.unescape(inner[2])))
