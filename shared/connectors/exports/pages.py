"""HTML bodies as plain text, by the HTML5 parser of selectolax."""

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

from shared.core.reading.codes import FindingCode
from shared.core.reading.finding import Remark
from shared.core.reading.source import Page

_BLOCK_TAGS = """
address article aside blockquote body dd div dl dt fieldset figure footer form h1 h2 h3 h4 h5 h6 header hr
html li main nav ol p pre section table tbody tfoot thead tr ul
"""
_BLOCKS = frozenset(_BLOCK_TAGS.split())
_NEVER = frozenset({"script", "style", "head", "title", "template", "object", "embed", "iframe", "svg"})
_ACTIVE = (
    "script, iframe, object, embed, form, [onclick], [onload], [onerror], [onmouseover], "
    "[href^='javascript:' i]"
)
_REMOTE = "img[src^='http' i], link[href^='http' i], iframe[src], base[href], [background^='http' i]"
_HIDDEN = "[hidden], [style*='display:none' i], [style*='display: none' i], [style*='visibility:hidden' i]"
_COMMENT = re.compile(r"<!--(.*?)-->", re.DOTALL)
_STYLE = re.compile(r"<style\b.*?</style\s*>", re.DOTALL | re.IGNORECASE)
_BLANKS = re.compile(r"[ \t\r\n\f]+")


def plain(html: str) -> Page:
    """The text of a body: every visible word once and in order, blocks on lines of their own, no script."""
    tree = LexborHTMLParser(html)
    remarks: list[Remark] = []
    if tree.css_first(_ACTIVE) is not None:
        remarks.append(Remark(FindingCode.HTML_SCRIPT, f"{len(tree.css(_ACTIVE))} parts"))
    if tree.css_first(_REMOTE) is not None:
        remarks.append(Remark(FindingCode.HTML_REMOTE, f"{len(tree.css(_REMOTE))} parts"))
    hidden = [node for node in tree.css(_HIDDEN) if node.text(strip=True)]
    comments = [said for said in _COMMENT.findall(_STYLE.sub("", html)) if _worded(said)]
    if hidden or comments:
        remarks.append(
            Remark(FindingCode.HTML_HIDDEN, f"{len(hidden)} hidden parts, {len(comments)} comments")
        )
    words: list[str] = []
    root = tree.body or tree.root
    if root is not None:
        _collect(root, words)
    lines = (_BLANKS.sub(" ", line).strip(" ") for line in "".join(words).split("\n"))
    return Page(re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip(), tuple(remarks))


def is_html(body: str) -> bool:
    """Whether a body is mark-up rather than text that has a bracket in it."""
    return (
        re.match(
            r"\s*(?:<\?xml\b[^>]*>\s*)?<(?:!doctype|html|head|body|div|p|table|span|blockquote|meta)\b",
            body,
            re.IGNORECASE,
        )
        is not None
    )


def _collect(root: LexborNode, words: list[str]) -> None:
    """The text of a tree, without recursion: mails quote each other a thousand levels deep."""
    waiting: list[LexborNode | str] = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, str):
            words.append(node)
            continue
        tag = node.tag
        if tag == "-text":
            words.append(_BLANKS.sub(" ", node.text_content or ""))
        elif tag == "br":
            words.append("\n")
        elif tag == "img":
            words.append(f" {(node.attributes.get('alt') or '').strip()} ")
        elif tag not in _NEVER and not (tag or "").startswith("-"):
            after, between = (
                ("\n", "\n") if tag in _BLOCKS else ("\t", "\t") if tag in {"td", "th"} else ("", "")
            )
            children = list(node.iter(include_text=True))
            words.append(between)
            waiting.append(after)
            waiting.extend(reversed(children))


def _worded(comment: str) -> bool:
    """Whether a comment hides words: conditional ones of an office program do, style sheets do not."""
    if "{" in comment and "}" in comment:
        return False
    return bool(
        re.search(
            r"[^\W\d_]{3,}", LexborHTMLParser(re.sub(r"\[[^\]]*\]>?|<!\[endif\]", "", comment)).text() or ""
        )
    )
