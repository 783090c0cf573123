"""What becomes of a README's HTML and pictures before it is read as Markdown."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QMouseEvent, QTextDocument
from PySide6.QtWidgets import QApplication, QMessageBox, QScrollArea, QTextBrowser
from pytestqt.qtbot import QtBot

from app.ui.models.readme import CARD_SHORTENED, MOST_CHARACTERS, CardView, read_card, readable
from app.ui.text.text_view import TextView
from app.ui.theme import Theme
from tests.helpers.gaps import Gaps
from tests.helpers.texts import shows


@pytest.mark.parametrize(
    ("card", "text"),
    [
        ('<div align="center">\n    <b>Hello</b> there\n</div>', "Hello there"),
        ('<img src="http://x/y.png" alt="The logo" width=3>', "The logo"),
        ("<img src='http://x/y.png' alt='One'><IMG ALT=two SRC=x><img src=x>", "Onetwo"),
        ("![A picture](http://x/y.png) and [![badge](http://x/b.svg)](https://x.org)", "A picture and [badge](https://x.org)"),
        ("[the licence](LICENSE) [below](#notes) [out](https://x.org)", "the licence below [out](https://x.org)"),
        ("a <script>track()</script>b<style>p{}</style>c<!-- hidden --> d", "a bc d"),
        ("a<script>never closed", "a"),
        ("<h2>Title</h2>text", "## Title\n\ntext"),
        ("<ul><li>one</li><li>two</li></ul>", "- one\n- two"),
        ("`<b>` and <think> and <|im_start|> and 1 < 2 > 0", "`<b>` and <think> and <|im_start|> and 1 < 2 > 0"),
        ("one<br>two", "one\u2028two"),
        ("<https://x.org> and <a@b.org>", "<https://x.org> and <a@b.org>"),
        ("```html\n<b>stays</b> ![x](y)\n```\n<b>goes</b>", "```html\n<b>stays</b> ![x](y)\n```\ngoes"),
        ("~~~\n<b>\n", "~~~\n<b>"),
        ("- a\n  - <b>b</b>", "- a\n  - b"),
    ],
)  # fmt: skip
def test_html_becomes_text(card: str, text: str) -> None:
    assert readable(card)[0].strip() == text


def test_a_long_card_is_cut_at_a_line() -> None:
    text, is_long = readable("A line of text.\n" * 5000)
    assert is_long
    assert len(text) <= MOST_CHARACTERS
    assert text.endswith("A line of text.")
    assert readable("short") == ("short", False)
    assert len(readable("x" * (2 * MOST_CHARACTERS))[0]) == MOST_CHARACTERS


ENDLESS = ("<", "<a ", "<!--", "<script", "![", "[", "](", "`", "<b>", "![a](", "[a](b", "```\n", "<img alt='")
"""How long they take is said by `make bench`."""


@pytest.mark.parametrize("piece", ENDLESS)
def test_a_card_of_marks_without_end_is_read(piece: str) -> None:
    assert len(readable(piece * (MOST_CHARACTERS // len(piece)))[0]) <= MOST_CHARACTERS


@given(st.text(alphabet="<>/!-[]()`ab \n\"'=img#", max_size=200))
def test_any_text_is_read(text: str) -> None:
    readable(text)


# A hostile card: nothing it names is ever fetched, nothing in it runs, links are asked about with their address.


class Bait:
    """A real server that a card wants to be asked; it counts every connection, whatever is sent over it."""

    def __init__(self) -> None:
        self.hits: list[str] = []
        bait = self

        class Handler(BaseHTTPRequestHandler):
            def setup(self) -> None:
                bait.hits.append("connection")
                super().setup()

            def do_GET(self) -> None:
                bait.hits.append(self.path)
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def bait() -> Iterator[Bait]:
    server = Bait()
    yield server
    server.stop()


@pytest.fixture
def card(qtbot: QtBot, qapp: QApplication) -> Iterator[CardView]:
    theme = Theme("light")
    theme.install(qapp)
    view = CardView(theme)
    area = QScrollArea(widgetResizable=True)
    qtbot.addWidget(area)
    area.setWidget(view)
    area.resize(700, 500)
    area.show()
    yield view
    qapp.setStyleSheet("")


HOSTILE = """
<img src="{url}/1.png"> <img src={url}/2.png alt="seen"> <IMG SRC='{url}/3' srcset="{url}/4 2x">
![inline]({url}/5.png) ![titled]({url}/6.png "title") ![ref][r] ![][r] [![badge]({url}/7.svg)]({url}/8)

[r]: {url}/9.png

<style>body {{ background: url({url}/10); }} @import "{url}/11";</style>
<link rel="stylesheet" href="{url}/12"> <script src="{url}/13"></script><script>fetch("{url}/14")</script>
<p style="background-image:url('{url}/15')">text</p> <table background="{url}/16"><tr><td>cell</td></tr></table>
<iframe src="{url}/17"></iframe> <object data="{url}/18"></object> <embed src="{url}/19">
<video src="{url}/20" poster="{url}/21"></video> <svg><image href="{url}/22"/></svg> <base href="{url}/23">
<meta http-equiv="refresh" content="0;url={url}/24"> <body onload="x()" background="{url}/25">

| a |
|---|
| ![cell]({url}/26.png) <img src="{url}/27"> |

- ![item]({url}/28.png)

> ![quoted]({url}/29.png)

<<img src="{url}/30"> <img
src="{url}/31"
alt="over lines"> <img src="{url}/32"

[file](file:///etc/passwd) [script](javascript:alert(1)) <a href="{url}/33">link</a> [data](data:text/html,x)
"""


def show(qtbot: QtBot, view: CardView, card: str) -> None:
    view.show_blocks(read_card(card))
    qtbot.waitUntil(lambda: view.is_complete)
    for _ in range(20):
        QApplication.processEvents()


def text_of(view: CardView) -> str:
    return "\n".join(each.toPlainText() for each in view.findChildren(QTextBrowser) if each.isVisibleTo(view))


def test_nothing_a_card_names_is_fetched(card: CardView, bait: Bait, qtbot: QtBot) -> None:
    show(qtbot, card, HOSTILE.format(url=bait.url))
    card.grab()
    for view in card.findChildren(TextView):
        for name in (f"{bait.url}/direct.png", "file:///etc/passwd"):
            for kind in (QTextDocument.ResourceType.ImageResource, QTextDocument.ResourceType.StyleSheetResource):
                assert not view.document().resource(kind.value, QUrl(name))
        view.setSource(QUrl(f"{bait.url}/page"))
    text = text_of(card)
    for word in ("seen", "inline", "badge", "cell", "item", "quoted", "over lines"):
        assert word in text
    for word in ("fetch(", "background: url", "onload"):
        assert word not in text
    assert bait.hits == []
    # The bait works.
    socket.create_connection(("127.0.0.1", bait.port), timeout=5).close()
    qtbot.waitUntil(lambda: bait.hits == ["connection"])


def test_no_document_holds_markup_of_the_card(card: CardView, bait: Bait, qtbot: QtBot) -> None:
    show(qtbot, card, HOSTILE.format(url=bait.url))
    for view in card.findChildren(TextView):
        html = view.toHtml()
        assert "<img" not in html
        assert "url(" not in html
        assert "javascript:" not in html.replace("(javascript:", "")  # as text it may be there, as a link not
        assert 'href="file' not in html
        assert 'href="data' not in html


def test_a_link_is_asked_about_with_its_whole_address(card: CardView, qtbot: QtBot, tmp_path: Path) -> None:
    show(qtbot, card, "[Read the paper](https://example.org/paper?id=1)")
    view = card.body.views[0]
    assert isinstance(view, TextView)
    at = view.viewport().mapToGlobal(QPoint(20, 8))
    for kind in (QMouseEvent.Type.MouseButtonPress, QMouseEvent.Type.MouseButtonRelease):
        left = Qt.MouseButton.LeftButton
        held = left if kind == QMouseEvent.Type.MouseButtonPress else Qt.MouseButton.NoButton
        event = QMouseEvent(kind, QPointF(20, 8), QPointF(at), left, held, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(view.viewport(), event)
    qtbot.waitUntil(lambda: card.findChild(QMessageBox) is not None)
    box = card.findChild(QMessageBox)
    assert box.informativeText() == "https://example.org/paper?id=1"
    box.reject()


def test_a_long_card_is_bounded_and_never_holds_the_window(card: CardView, qtbot: QtBot) -> None:
    blocks = read_card("## Title\n\nSome words of *text* here, and `code`.\n\n- one\n- two\n\n" * 3000)
    gaps = Gaps().start()
    card.show_blocks(blocks)
    qtbot.waitUntil(lambda: card.is_complete)
    gaps.stop()
    assert gaps.largest_busy_ms < 100
    text = text_of(card)
    assert len(text) < MOST_CHARACTERS
    assert shows(CARD_SHORTENED.strip("*"), text)
    assert card.height() > 1000


def test_letters_that_get_longer_in_lower_case_move_no_cut() -> None:
    assert readable("İİİİ before<!-- a note -->after <SCRIPT>run()</SCRIPT>the end")[0] == "İİİİ beforeafter the end"


@pytest.mark.parametrize("card_text", ["", "\n\n", "<div></div>", "<!-- only this -->"])
def test_an_empty_card_has_no_blocks(card_text: str) -> None:
    assert read_card(card_text) == []
