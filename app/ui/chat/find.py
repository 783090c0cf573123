"""Find bar of a chat: search field, number of hits, and highlights in the turns.

Hits are counted in the stored messages, most of which have no widget; a turn is built when its hit is visited. Where
the rendered answer differs from its source (a table, a formula), the turn's last hit takes the place of a missing one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from PySide6.QtCore import QObject, QPoint, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget
from shiboken6 import isValid

from app.core.events import Role
from app.core.lazy_dataclasses import dataclass
from app.features.finding import phrase_pattern, words_pattern
from app.ui.chat.selection import texts_in
from app.ui.chat.transcript import ChatTranscript, is_answer, is_question
from app.ui.chat.turn import TurnView
from app.ui.i18n import tr
from app.ui.text.formats import char_format, cursor_over, highlight
from app.ui.text.search_row import TextSearchRow
from app.ui.text.selectable import SelectableText
from app.ui.theme import Theme
from app.ui.utf16 import utf16_length
from app.ui.widgets.elevation import elevate
from app.ui.widgets.layouts import drop_focus, fill_layout
from app.ui.widgets.timers import new_timer

MARKED_MS = 4_000
"""Time for which words stay highlighted in a message that was opened by a search hit."""
WIDTH_PX = 400
ABOVE_PX = 90
"""Distance kept between the viewport's edge and a hit that was scrolled to."""
_UNSEEN = re.compile(
    r"^ {0,3}(?P<fence>```+|~~~+)[^\n]*\n(?P<block>.*?)(?:^ {0,3}(?P=fence)[`~]* *$|\Z)"
    r"|(?P<ticks>`+)(?P<code>[^`\n]+)(?P=ticks)"
    r"|(?<=\])\([^()\s]*\)|\*\*|(?<![\w\\])_{1,2}(?=\S)|(?<=\S)_{1,2}(?!\w)|\*(?=\S)|(?<=\S)\*"
    r"|^ {0,3}#{1,6} +|^ {0,3}> ?",
    re.M | re.S,
)
"""Matches Markdown syntax that is not displayed; the text of code is kept."""


@dataclass(frozen=True)
class TurnHit:
    """A hit: number of its turn from 1 on, message id, and index among the message's hits from 0 on."""

    block_id: int
    message_id: int
    number: int


class ConversationText:
    """Text of a transcript as the find bar searches it; callable from any thread."""

    def __init__(self, transcript: ChatTranscript) -> None:
        self._transcript = transcript

    def search_text(self, text: str, most: int) -> list[TurnHit]:
        """Return at most `most` hits in order, ignoring case and accents."""
        pattern, hits = phrase_pattern(text), list[TurnHit]()
        if pattern is None:
            return hits
        for number, message in enumerate(self._transcript.places.messages, 1):
            if message is not None:
                said = seen_of(message.text) if message.role is Role.ASSISTANT else message.text
                count = sum(1 for _ in pattern.finditer(said))
                hits += [TurnHit(number, message.id, at) for at in range(count)]
            if len(hits) >= most:
                break
        return hits[:most]


class FindBar(QFrame):
    """Bar above the transcript. Escape closes it and returns the focus, or calls `take_keyboard`."""

    def __init__(
        self,
        theme: Theme,
        transcript: ChatTranscript,
        take_keyboard: Callable[[], object],
        parent: QWidget | None = None,
        *,
        on_toggle: Callable[[], object],
    ) -> None:
        super().__init__(parent)
        self.on_toggle = on_toggle
        """The bar was opened or closed."""
        self._take_keyboard = take_keyboard
        self.setObjectName("find_bar")
        self._transcript = transcript
        self._text = ConversationText(transcript)
        self.search = TextSearchRow(theme, self)
        self.search.field.setAccessibleName(tr("Find in this chat"))
        self.search.field.setPlaceholderText(tr("Find in this chat"))
        self.marks = TurnMarks(transcript, theme, self)
        self._focus_before: QWidget | None = None
        theme.dress(fill_layout(QHBoxLayout(self), self.search), margins=(0, 2, 0, 0))
        theme.dress(self, width=WIDTH_PX)
        self.search.hits_changed.connect(self._on_hits)
        self.search.chosen.connect(self._on_chosen)
        self.search.left.connect(self.close_bar)
        elevate(self)
        self.hide()

    def begin(self, words: str = "") -> bool:
        """Open the bar and focus its field, with optional initial words. Return False if there is nothing to search."""
        if not self._transcript.places.count:
            return False
        if self.isHidden():
            self._focus_before = self.window().focusWidget()
            self.show()
            self.search.set_document(self._text)
            self.on_toggle()
        if words:
            self.search.field.setText(words)
        self.search.begin(first_seen(self._transcript) + 1)
        return True

    def close_bar(self) -> None:
        """Close the bar and restore the previous focus."""
        before, had_focus = self._focus_before, self.search.has_keyboard
        self.forget()
        # The widget focused before may be gone: turns far from the viewport are deleted.
        if had_focus and before is not None and isValid(before) and before.isVisible():
            before.setFocus(Qt.FocusReason.OtherFocusReason)
        elif had_focus:
            self._take_keyboard()

    def search_again(self) -> None:
        self.search.look_again()

    def forget(self) -> None:
        """Close the bar because another chat is shown."""
        drop_focus(self)
        self.hide()
        self.search.set_document(None)
        self.marks.clear()
        self.on_toggle()

    def show_message(self, message_id: int, words: str) -> None:
        """Scroll to a message and highlight `words` there for a moment, if there are any."""
        self.forget()
        if (turn := self._transcript.turn_of(message_id)) is not None:
            self._transcript.show_turn(turn)
            if words.split():
                self.marks.show_briefly(words, message_id)

    def take_key(self, event: QKeyEvent) -> bool:
        """Handle F3, Shift+F3 and Escape from anywhere in the chat. Return whether the key was used."""
        if self.isHidden():
            return False
        job = self.close_bar if event.key() == Qt.Key.Key_Escape else self.search.key_job(event)
        if job is not None:
            job()
        return job is not None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self.take_key(event):
            super().keyPressEvent(event)

    def _on_hits(self) -> None:
        if not self.search.hits:
            self.marks.clear()

    def _on_chosen(self, hit: TurnHit) -> None:
        self.marks.show_all(self.search.field.text(), hit)


class TurnMarks(QObject):
    """Highlights words in the existing turns, including new ones, and scrolls to one hit."""

    def __init__(self, transcript: ChatTranscript, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._transcript, self._theme = transcript, theme
        self._pattern: re.Pattern[str] | None = None
        self._only: int | None = None
        """The one message with highlights; None for all."""
        self._chosen: TurnHit | None = None
        self._is_awaited = False
        """True until the chosen hit was scrolled to: its turn may not be laid out that far yet."""
        self._marked: dict[SelectableText, object] = {}
        # Several signals come when turns change; they are marked once, in the next turn of the event loop.
        self._soon = new_timer(self, 0, self._mark)
        self._over = new_timer(self, MARKED_MS, self.clear)
        transcript.placed.connect(self._on_placed)
        theme.changed.connect(self._on_placed)

    def show_all(self, words: str, chosen: TurnHit) -> None:
        """Highlight the words everywhere and the chosen hit more strongly."""
        self._over.stop()
        self._pattern, self._only, self._chosen = phrase_pattern(words), None, chosen
        if (turn := self._transcript.turn_of(chosen.message_id)) is not None:
            if is_question(turn):
                # A long question shows only its beginning.
                turn.show_whole()
            # What is in sight isn't moved.
            if not turn.visibleRegion().boundingRect().height():
                self._transcript.show_turn(turn)
        self._is_awaited = turn is not None
        self._mark()

    def show_briefly(self, words: str, message_id: int) -> None:
        """Highlight words in one message for a moment and scroll to the first."""
        self._pattern, self._only = words_pattern(words), message_id
        self._chosen, self._is_awaited = TurnHit(0, message_id, 0), True
        turn = self._transcript.turn_of(message_id)
        if is_question(turn):
            turn.show_whole()
        self._over.start()
        self._mark()

    def clear(self) -> None:
        self._over.stop()
        self._pattern = self._chosen = None
        self._is_awaited = False
        for view in self._marked:
            # Turns that went far away are deleted with their texts.
            if isValid(view):
                view.setExtraSelections([])
        self._marked.clear()

    def _on_placed(self) -> None:
        if self._pattern is not None:
            self._soon.start()

    def _mark(self) -> None:
        if self._pattern is None:
            return
        self._marked = {view: known for view, known in self._marked.items() if isValid(view)}
        for turn in self._transcript.turns:
            if turn.message is not None and self._only in (None, turn.message.id):
                self._mark_turn(turn, self._pattern)

    def _mark_turn(self, turn: TurnView, pattern: re.Pattern[str]) -> None:
        views = texts_in(turn)
        found = [list(places_in(view, pattern)) for view in views]
        chosen, count = None, sum(map(len, found))
        if self._chosen is not None and turn.message is not None and turn.message.id == self._chosen.message_id:
            # An answer that is still being laid out may not have this hit yet.
            is_whole = not is_answer(turn) or turn.written.is_settled
            if self._chosen.number < count or is_whole:
                chosen = min(self._chosen.number, count - 1)
        before = 0
        for view, places in zip(views, found, strict=True):
            here = None if chosen is None or not 0 <= chosen - before < len(places) else chosen - before
            # The colours are those of the theme, so another theme marks anew.
            known = (tuple(places), here if self._only is None else None, self._theme.is_dark)
            if self._marked.get(view) != known:
                self._marked[view] = known
                self._select(view, places, here if self._only is None else None)
            if here is not None and self._is_awaited:
                self._is_awaited = False
                self._bring_into_view(view, places[here][0])
            before += len(places)

    def _select(self, view: SelectableText, places: list[tuple[int, int]], chosen: int | None) -> None:
        tokens, document = self._theme.tokens, view.document()
        usual = char_format(None, tokens.text, tokens.mark)
        strong = char_format(None, tokens.on_accent, tokens.accent)
        view.setExtraSelections(
            [
                highlight(cursor_over(document, start, end), strong if number == chosen else usual)
                for number, (start, end) in enumerate(places)
            ]
        )

    def _bring_into_view(self, view: SelectableText, position: int) -> None:
        rect, bar = view.cursorRect(cursor_over(view.document(), position)), view.horizontalScrollBar()
        # In a wide line of code the hit may be outside at a side.
        if bar.maximum() and not 0 <= rect.left() < view.viewport().width():
            bar.setValue(bar.value() + rect.left() - view.viewport().width() // 2)
        inside = self._transcript.widget()
        at = view.viewport().mapTo(inside, rect.center()) if inside is not None else QPoint()
        self._transcript.ensureVisible(0, at.y(), 0, self._theme.px(ABOVE_PX))


def seen_of(markdown: str) -> str:
    """Return roughly the displayed text of an answer's Markdown."""
    return _UNSEEN.sub(lambda found: found["block"] or found["code"] or "", markdown)


def places_in(view: SelectableText, pattern: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """Yield the matches as positions in the Qt document, which count UTF-16 code units."""
    text = view.toPlainText()
    for found in pattern.finditer(text):
        if found[0]:
            start = utf16_length(text[: found.start()])
            yield start, start + utf16_length(found[0])


def first_seen(transcript: ChatTranscript) -> int:
    """Return the index of the first turn that is visible, wholly or in part."""
    held = transcript.column.held()
    return held[0] if held is not None else 0
