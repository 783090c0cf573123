"""Whatever a model writes, however it comes: it is shown without an error, as words, and nothing is loaded for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser

from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QByteArray, QUrl
from PySide6.QtGui import QTextCharFormat, QTextFormat
from PySide6.QtWidgets import QApplication

from app.ui.text.copied_text import html_of, markdown_of, text_of
from app.ui.text.markdown import MarkdownStream
from app.ui.text.pieces import Piece, safe_href
from app.ui.text.text_body import MessageBody
from app.ui.text.text_view import TextView
from app.ui.theme import Theme
from tests.ui.text.test_markdown import PARTS

HOSTILE = [
    "<img src='http://x.org/a.png'>", "<img src=file:///etc/passwd>", "![a](http://x.org/a.png)", "![](file:///etc/x)",
    "<script>alert(1)</script>", "<style>@import url(http://x.org)</style>", "<a href='javascript:x'>", "</p>", "</td>",
    "[a](javascript:alert(1))", "[a](data:text/html,x)", "<http://x.org/a\"b>", "[a](http://x.org/<b>\"'&)",
    "&lt;b&gt;",
    "<details open>", "<summary>", "</details>", "\x00", "\u202e", "\u2028", "\u2029", "\ufffc", "\ud83d", "🏳️‍🌈",
    "| <img src=x> | `|` |\n|---|---|\n", "```svg\n<svg onload='x'>\n", "$\\href{http://x}{a}$",
    "fireside-drawing:svg:x",
    "[a](fireside-page:1:x)", "<iframe src=http://x.org>", "<!--", "-->", "<![CDATA[", "http://x.org/\"onclick=\"x",
]  # fmt: skip
texts = st.lists(st.one_of(st.sampled_from(PARTS + HOSTILE), st.text(max_size=8)), max_size=30).map("".join)
TAGS = {
    "p", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "ul", "ol", "li", "blockquote", "table", "tr", "th", "td", "pre",
    "code", "b", "i", "s", "sub", "sup", "a", "br",
}  # fmt: skip
ATTRIBUTES = {"href", "value", "align", "border", "cellspacing", "cellpadding"}


class Markup(HTMLParser):
    """Asserts of every tag that it is one of ours."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS
        for name, value in attrs:
            assert name in ATTRIBUTES
            assert name != "href" or safe_href(value or "") == value

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    handle_decl = handle_pi = unknown_decl = handle_comment


@contextmanager
def loading() -> Iterator[list[str]]:
    """What Qt asks texts to load meanwhile."""
    names: list[str] = []
    before = TextView.loadResource

    def hear(_view: TextView, _kind: int, name: QUrl | str) -> object:
        names.append(str(name))
        return QByteArray()

    TextView.loadResource = hear  # type: ignore[method-assign]
    try:
        yield names
    finally:
        TextView.loadResource = before  # type: ignore[method-assign]


@given(texts, st.lists(st.integers(1, 40), min_size=1, max_size=5))
@settings(deadline=None)
def test_it_is_words_and_loads_nothing(qapp: QApplication, text: str, cuts: list[int]) -> None:
    text = text.encode("utf-8", "replace").decode()
    body, stream, position, turn = MessageBody(Theme("light")), MarkdownStream(), 0, 0
    with loading() as loaded:
        while position < len(text):
            stream.feed(text[position : position + cuts[turn % len(cuts)]])
            position, turn = position + cuts[turn % len(cuts)], turn + 1
            body.set_blocks(stream.closed, stream.open_blocks(), stream.revision)
            body.arrange(500)
        stream.finish()
        body.set_blocks(stream.closed, [], stream.revision)
        body.arrange(300)
        views = [view for view in body.findChildren(TextView) if not view.isHidden()]
        for view in views:
            look_at(view)
    assert loaded == []
    pieces: list[Piece] = []
    for view in views:
        view.mark(0, view.length)
        pieces += view.selected()
    for every in (pieces, [piece for block in stream.closed for piece in block.pieces]):
        parser = Markup()
        parser.feed(html_of(every))
        parser.close()
        text_of(every)
        markdown_of(every)
    body.deleteLater()


def test_what_would_be_loaded_is_heard(qapp: QApplication) -> None:
    """Or the other test would prove nothing."""
    with loading() as loaded:
        view = TextView(Theme("light"))
        view.setHtml("<img src='http://x.org/a.png'>")
        view.height_for(300)
    assert any("x.org" in name for name in loaded)


def look_at(view: TextView) -> None:
    """At every run of it: pictures are formulas, and links lead where links may."""
    block = view.document().begin()
    while block.isValid():
        iterator = block.begin()
        while not iterator.atEnd():
            look: QTextCharFormat = iterator.fragment().charFormat()
            assert look.objectType() != QTextFormat.ObjectTypes.ImageObject.value, "formulas are no images"
            assert safe_href(look.anchorHref()) == look.anchorHref()
            iterator += 1
        block = block.next()
