"""Other wordings for a sentence of a translation: other translations of its source; one click puts one in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QRect, Qt

from app.ui.translate.text_paragraphs import words_of
from app.ui.translate.text_places import sentence_like
from app.ui.translate.text_requests import Alternative, Answer, AskAlternatives, Ended
from app.ui.translate.text_target import Selected

if TYPE_CHECKING:
    from app.ui.translate.text_page import TextPage


class TextRewording(QObject):
    """Hears the target pane and the card of the wordings."""

    def __init__(self, page: TextPage) -> None:
        super().__init__(page)
        self._page = page
        self._selected: Selected | None = None
        self._number = 0
        self._card = page.panes.alternatives
        page.panes.target.sentence_selected.connect(self._on_selected)
        page.panes.target.alternatives_wanted.connect(self._on_wanted)
        page.panes.target.verticalScrollBar().valueChanged.connect(lambda _value: self._card.leave())
        page.work.answered.connect(self._on_answer)
        self._card.wanted.connect(self._ask)
        self._card.chosen.connect(self._on_chosen)
        self._card.closed.connect(self._on_closed)

    def _on_selected(self, selected: Selected | None) -> None:
        if self._number:
            return  # the wordings of another one are looked at
        self._selected = selected
        if selected is None:
            self._card.leave()
        else:
            self._card.offer(self._rect_of(selected))

    def _on_wanted(self) -> None:
        """By key: what is selected now."""
        selected = self._page.panes.target.selected()
        if selected is not None:
            self._selected = selected
            self._card.offer(self._rect_of(selected))
            self._ask()

    def _ask(self) -> None:
        page, selected = self._page, self._selected
        able = page.able
        if selected is None or able.model is None:
            return
        translated, segment = (
            page.paragraphs.translated(selected.paragraph),
            page.paragraphs.segment(selected.paragraph),
        )
        if translated is None or segment is None:
            return
        words = words_of(translated.content)
        sentence, start, end = sentence_like(segment.text, words, selected.start, selected.end)
        selected = self._selected = Selected(selected.paragraph, start, end, words[start:end])
        self._card.begin()
        page.work.stop(AskAlternatives)
        self._number = page.work.find_alternatives(
            sentence, segment.text, page.wish, able.model, page.source_language, current=selected.sentence
        )
        page.panes.target.select(selected)  # what would be replaced

    def _on_answer(self, answer: Answer) -> None:
        if answer.number != self._number or not self._number:
            return
        if isinstance(answer.event, Alternative):
            self._card.add(answer.event.text)
        elif isinstance(answer.event, Ended):
            self._card.end()

    def _on_chosen(self, text: str) -> None:
        page, selected = self._page, self._selected
        translated = page.paragraphs.translated(selected.paragraph) if selected is not None else None
        if selected is None or translated is None:
            return
        words = words_of(translated.content)
        if words[selected.start : selected.end] != selected.sentence:
            return  # it was translated anew meanwhile
        page.paragraphs.reword(selected.paragraph, words[: selected.start] + text + words[selected.end :])
        one = page.paragraphs.shown_one(selected.paragraph)
        if one is not None:
            page.panes.target.show_paragraph(one)
        page.history.nudge()

    def _on_closed(self, had_focus: bool) -> None:
        self._number = 0
        self._page.work.stop(AskAlternatives)
        if had_focus:
            self._page.panes.target.setFocus(Qt.FocusReason.OtherFocusReason)

    def _rect_of(self, selected: Selected) -> QRect:
        target = self._page.panes.target
        rect = target.rect_of(selected)
        return QRect(target.viewport().mapTo(self._page.panes.right, rect.topLeft()), rect.size())
