"""HTML bodies: every visible word stays, nothing that runs does (A-07b)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.connectors.exports.pages import is_html, plain

MAIL = """<html><head><title>t</title><style>p{margin:0}</style></head><body><p>Offer&nbsp;&euro;1&#8239;000
&lt;net&gt;</p><script>alert(document.cookie)</script><img src="http://track.example/p.gif" width=1 height=1>
<!--[if mso]><p>secret words</p><![endif]--><table><tr><td>Qty</td><td>3</td></tr></table>
<ul><li>one<li>two</ul>Re<b>gar</b>ds<br>Kim</body></html>"""


def test_a_mail_becomes_text_with_every_visible_word_in_order() -> None:
    page = plain(MAIL)

    assert page.text.split() == ["Offer", "€1", "000", "<net>", "Qty", "3", "one", "two", "Regards", "Kim"]
    assert [remark.code.value for remark in page.remarks] == ["html.script", "html.remote", "html.hidden"]
    assert "alert" not in page.text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>a</p><p>b</p>", "a\n\nb"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<div>a<div>b</div>c</div>", "a\nb\nc"),
        ("<p>a&amp;b &lt;c&gt;", "a&b <c>"),
        ("<p>bro<i>ken</i> w<wbr>ord", "broken word"),
        ("<p>a</p><noscript>b</noscript><template>no</template>", "a\nb"),
        ('<img alt="a logo" src="cid:1">', "a logo"),
        ("<p>unclosed <b>tags <p>here", "unclosed tags\n\nhere"),
        ("<o:p>office</o:p>", "office"),
        ("", ""),
    ],
)
def test_layout_becomes_lines(html: str, text: str) -> None:
    assert plain(html).text == text


@pytest.mark.parametrize(
    ("html", "codes"),
    [
        ('<p onclick="x()">a</p>', ["html.script"]),
        ('<a href="javascript:x()">a</a>', ["html.script"]),
        ('<iframe src="https://x.example"></iframe>', ["html.script", "html.remote"]),
        ('<p style="display:none">secret</p>a', ["html.hidden"]),
        ('<a href="https://x.example">a</a>', []),
        ("<style><!-- p {margin: 0} --></style>a", []),
    ],
)
def test_what_runs_loads_or_hides_is_told(html: str, codes: list[str]) -> None:
    assert [remark.code.value for remark in plain(html).remarks] == codes


def test_a_body_of_many_levels_does_not_break_the_reader() -> None:
    assert plain("<div>" * 20_000 + "deep" + "</div>" * 20_000).text == "deep"


@given(st.lists(st.from_regex(r"[a-zA-Zäé0-9]{1,12}", fullmatch=True), min_size=1, max_size=20))
def test_words_between_any_tags_are_all_kept(words: list[str]) -> None:
    tags = ["<p>", "</p>", "<br>", "<b> ", " </b>", "<td>", "<li>", "<div>"]
    html = "".join(f"{tags[number % len(tags)]} {word} " for number, word in enumerate(words))

    assert plain(html).text.split() == words


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ("<html><body>a</body></html>", "html"),
        ("\n<!DOCTYPE html><p>a", "html"),
        ("<?xml version='1.0'?>\n<html>", "html"),
        ("Hi <kim@x.example>, thanks", "text"),
        ("a < b", "text"),
        ("<kim@x.example> wrote", "text"),
    ],
)
def test_a_body_is_told_from_text(body: str, answer: str) -> None:
    assert ("html" if is_html(body) else "text") == answer
