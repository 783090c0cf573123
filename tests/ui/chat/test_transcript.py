"""A long conversation: what is seen follows colours, zoom and width at once; the rest when it is scrolled to."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint
from PySide6.QtGui import QColor, QTextCursor
from PySide6.QtWidgets import QTextBrowser

from app.ui.chat.answer_view import AnswerView
from app.ui.chat.prose_view import ProseView
from app.ui.chat.turn import Turn
from tests.ui.chat.conftest import Desk, add_turns

Open = Callable[..., Desk]


def long_chat(desk: Desk, count: int = 60) -> None:
    """All of it is there, and what is far away rests."""
    desk.chat.show_conversation(add_turns(desk, count, "A word, and **another**. " * 12))
    transcript = desk.chat.transcript
    desk.qtbot.waitUntil(lambda: transcript.is_settled and far_texts(desk) == 0, timeout=30_000)


def far_texts(desk: Desk) -> int:
    """Views of texts, each with its scroll bars, that lie more than a page away."""
    page = desk.chat.transcript.viewport().height()
    views = desk.chat.transcript.widget().findChildren(QTextBrowser)
    tops = [view.mapTo(desk.chat.transcript.viewport(), QPoint(0, 0)).y() for view in views if not view.isHidden()]
    return sum(not -page - 700 <= top <= 2 * page + 700 for top in tops)


def prose(turn: Turn) -> ProseView:
    found = [view for view in turn.findChildren(ProseView) if not view.isHidden()]
    return found[0]


def look(turn: Turn) -> tuple[str, int]:
    """The colour and the size of the first character."""
    cursor = QTextCursor(prose(turn).document())
    cursor.setPosition(1)
    style = cursor.charFormat()
    return style.foreground().color().name().upper(), style.font().pixelSize()


def seen(desk: Desk) -> list[Turn]:
    viewport = desk.chat.transcript.viewport()
    places = {turn: turn.mapTo(viewport, QPoint(0, 0)).y() for turn in desk.turns}
    return [turn for turn in desk.turns if places[turn] < viewport.height() and places[turn] + turn.height() > 0]


def test_what_is_far_away_has_no_views_and_comes_back_as_it_was(open_chat: Open) -> None:
    desk = open_chat({"text": "x"})
    long_chat(desk)
    transcript = desk.chat.transcript
    assert sum(turn.is_resting for turn in desk.turns) > 100
    height = transcript.widget().height()
    transcript.verticalScrollBar().setValue(0)
    first = desk.turns[1]
    assert isinstance(first, AnswerView)
    assert not first.is_resting
    assert "another" in prose(first).toPlainText()
    assert transcript.widget().height() == height
    desk.qtbot.waitUntil(lambda: desk.turns[-2].is_resting, timeout=10_000)
    assert not desk.turns[-1].is_resting, "the last turn may grow"


def test_colours_and_zoom_reach_what_is_seen_now_and_the_rest_when_it_is_scrolled_to(open_chat: Open) -> None:
    desk = open_chat({"text": "x"})
    long_chat(desk)
    transcript, theme = desk.chat.transcript, desk.theme
    theme.scheme = "dark"
    theme.zoom = 1.5
    expected = (QColor(theme.tokens.text).name().upper(), theme.font().pixelSize())
    assert {look(turn) for turn in seen(desk)} == {expected}
    assert desk.turns[0].is_resting
    for value in (transcript.verticalScrollBar().maximum() // 2, 0):
        transcript.verticalScrollBar().setValue(value)
        assert {look(turn) for turn in seen(desk)} == {expected}
    width = prose(desk.turns[1]).width()
    assert prose(desk.turns[1]).height() == prose(desk.turns[1]).height_for(width), "nothing is cut"


def test_what_is_read_stays_where_it_is_when_the_zoom_changes_and_when_it_grows_above(open_chat: Open) -> None:
    desk = open_chat({"text": "x"})
    long_chat(desk)
    transcript = desk.chat.transcript
    bar = transcript.verticalScrollBar()
    bar.setValue(bar.maximum() // 2)
    first = seen(desk)[0]
    desk.theme.zoom = 1.5
    assert seen(desk)[0] is first
    desk.theme.zoom = 1.0
    assert seen(desk)[0] is first
    desk.chat.resize(600, 700)
    assert seen(desk)[0] is first
    assert not transcript.is_following


def test_the_end_stays_the_end_when_the_zoom_changes(open_chat: Open) -> None:
    desk = open_chat({"text": "x"})
    long_chat(desk)
    for zoom in (2.0, 0.8, 1.0):
        desk.theme.zoom = zoom
        bar = desk.chat.transcript.verticalScrollBar()
        assert bar.value() == bar.maximum()
        assert seen(desk)[-1] is desk.turns[-1]
