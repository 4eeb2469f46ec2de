"""HTML made simple: what people see of it, and nothing that runs, loads or hides (A-07b).

Only what arranges text is kept: paragraphs, lists, tables, emphasis and links to the web or a mailbox. An
image becomes its description. Scripts, styles, comments and handlers are never stored.
"""

import re
from collections.abc import Sequence
from html import escape
from html.parser import HTMLParser

_KEPT = frozenset(
    {
        "a",
        "b",
        "blockquote",
        "br",
        "code",
        "div",
        "em",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "li",
        "ol",
        "p",
        "pre",
        "s",
        "small",
        "strong",
        "sub",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "u",
        "ul",
    }
)
_EMPTY = frozenset({"br", "hr"})
_UNSEEN = frozenset({"script", "style", "title", "template", "object", "iframe", "applet", "svg", "math"})
_ENDS_ITSELF = frozenset({"p", "li", "td", "th", "tr"})
"""A second one in a row ends the first."""
_BREAKS = frozenset(
    {
        "address",
        "article",
        "blockquote",
        "br",
        "div",
        "dl",
        "dd",
        "dt",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "tr",
        "ul",
    }
)
_LINK = re.compile(r"(https?:|mailto:)", re.IGNORECASE)
_BLANKS = re.compile(r"[ \t\u00a0]+")
_LINES = re.compile(r"\n\s*\n+")


class _Reader(HTMLParser):
    """Reads a document once, into simple markup and into plain text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.markup: list[str] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self._unseen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen.append(tag)
        if self._unseen:
            return
        if tag in _ENDS_ITSELF and self._open and self._open[-1] == tag:
            self.handle_endtag(tag)
        given = dict(attrs)
        if tag == "img":
            self.handle_data(given.get("alt") or "")
        elif tag in {"td", "th"}:
            self.text.append("\t")
        elif tag in _BREAKS:
            self.text.append("\n")
        if tag in _KEPT:
            self.markup.append(f"<{tag}{_attributes(tag, given)}>")
            if tag not in _EMPTY:
                self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag in _UNSEEN or tag in _KEPT - _EMPTY:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._unseen:
            if tag in self._unseen:
                del self._unseen[self._unseen.index(tag) :]
            return
        if tag in _BREAKS:
            self.text.append("\n")
        while tag in self._open:
            # What was opened inside ends with it, so that the result is always well formed.
            last = self._open.pop()
            self.markup.append(f"</{last}>")
            if last == tag:
                break

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.markup.append(escape(data, quote=False))
            self.text.append(data)

    def finished(self) -> "_Reader":
        """Itself, with everything closed that is still open."""
        self.close()
        while self._open:
            self.markup.append(f"</{self._open.pop()}>")
        return self


def simplified(html: str) -> str:
    """The document in simple markup, well formed; blank when nothing of it can be seen."""
    reader = _read(html)
    return _LINES.sub("\n", "".join(reader.markup)).strip() if plain_text(html) else ""


def plain_text(html: str) -> str:
    """Every word a reader of the document sees, in its order: a line per paragraph, a tab per cell."""
    text = "".join(_read(html).text).replace("\r", "\n")
    lines = [_BLANKS.sub(" ", line).strip() for line in text.split("\n")]
    return _LINES.sub("\n\n", "\n".join(lines)).strip()


def _read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    return reader.finished()


def _attributes(tag: str, given: dict[str, str | None]) -> str:
    if tag in {"td", "th"}:
        spans = ((name, given.get(name) or "") for name in ("colspan", "rowspan"))
        return "".join(f' {name}="{value}"' for name, value in spans if value.isascii() and value.isdigit())
    link = (given.get("href") or "").strip()
    return f' href="{escape(link)}"' if tag == "a" and _LINK.match(link) else ""


def body(parts: Sequence[object]) -> str:
    """An e-mail's body from its HTML and its text: simple markup, or the text where no HTML is to see."""
    html, text = (part if isinstance(part, str) else "" for part in parts)
    return simplified(html) or text


def words(parts: Sequence[object]) -> str:
    """What an e-mail says as plain text: its own, or what can be seen of its HTML."""
    html, text = (part if isinstance(part, str) else "" for part in parts)
    return text.strip() or plain_text(html)
