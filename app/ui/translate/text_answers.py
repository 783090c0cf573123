"""Shows what comes of a typed text: paragraphs as they grow, flags, how long it took, the translation back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent

from app.features.translation.result import (
    Origin,
    SegmentDone,
    SegmentGrows,
    Translated,
    TranslationPlanned,
    TranslationRests,
)
from app.language.names import language, own_name
from app.ui.shell.i18n import tr
from app.ui.shell.notify import Notify
from app.ui.translate.flag_texts import Remedy
from app.ui.translate.text_paragraphs import words_of
from app.ui.translate.text_requests import Answer, AskBack, BackText, Ended, Paragraphs

if TYPE_CHECKING:
    from app.ui.translate.text_page import TextPage

FLUSH_MS = 33
SLOW_MS = 300
LEAST_TOLD_S = 0.05


class TextAnswers(QObject):
    """Hears the page's work, and writes into its panes."""

    def __init__(self, page: TextPage, notify: Notify) -> None:
        super().__init__(page)
        self._page, self._notify = page, notify
        self._grown: set[int] = set()
        self._flush_later = QTimer(self, singleShot=True, interval=FLUSH_MS)
        self._flush_later.timeout.connect(self._flush)
        self._slow = QTimer(self, singleShot=True, interval=SLOW_MS)
        self._slow.timeout.connect(lambda: self.say(tr("Getting the model ready…")))
        page.work.answered.connect(self._on_answer)
        page.work.failed.connect(self._on_failed)
        page.panes.back_switched.connect(self._on_back_switched)
        page.panes.target.remedy_wanted.connect(self._on_remedy)

    def say(self, text: str) -> None:
        """A few words on how far it is."""
        self._page.panes.state.setText(text)
        self._page.panes.state.setAccessibleName(text)

    def wait(self) -> None:
        """It was asked, and nothing came yet."""
        self._slow.start()

    def show_nothing(self, words: str) -> None:
        """What can be done here, in place of a translation."""
        self._slow.stop()
        self._page.panes.target.show_words(words)
        self._page.panes.show_back(shown=False)
        self._page.panes.say_back("")
        self.say("")

    def show_stored(self, source: str, target: str) -> None:
        """A text with its translation as it was kept."""
        if not target:
            return
        from app.features.translation.live import segments_of  # not needed before something was translated

        page = self._page
        segments, translated = segments_of(source), segments_of(target)
        if len(segments) == len(translated):
            done = {
                one.id: Translated(one.id, other.content, Origin.MEMORY)
                for one, other in zip(segments, translated, strict=True)
            }
            page.paragraphs.begin(source, segments, done, self._target_name())
            for each in done.values():
                page.paragraphs.take(each)
        else:  # its paragraphs are others: shown as they are until something is translated anew
            done = {one.id: Translated(one.id, one.content, Origin.MEMORY) for one in translated}
            page.paragraphs.begin(target, translated, done, self._target_name(), is_apart=True)
        self._show_all()
        self._ask_back()

    def target_text(self) -> str:
        """The translation, with the white space of the source between its paragraphs."""
        from app.features.translation.live import joined

        page = self._page
        if page.paragraphs.is_complete and not page.paragraphs.is_apart:
            return joined(page.panes.source.text, page.paragraphs.contents)
        return "\n\n".join(words_of(content) for _, content in sorted(page.paragraphs.contents.items()))

    def _on_answer(self, answer: Answer) -> None:
        event, paragraphs = answer.event, self._page.paragraphs
        self._slow.stop()
        if isinstance(event, Paragraphs):
            self._begin(event)
        elif isinstance(event, TranslationPlanned):
            self._know_language(event.source)
        elif isinstance(event, TranslationRests):
            self.say(tr("Waits until the answer is written") if event.reason else tr("Translating"))
        elif isinstance(event, SegmentGrows):
            if paragraphs.grow(event.id, event.text):
                self._grown.add(event.id)
                self._flush_soon()
        elif isinstance(event, SegmentDone):
            paragraphs.take(event.translated)
            self._grown.add(event.translated.id)
            self._flush_soon()
        elif isinstance(event, BackText):
            self._page.panes.say_back(event.text)
        elif isinstance(event, Ended):
            self._end(event)

    def _begin(self, event: Paragraphs) -> None:
        page = self._page
        self._grown.clear()
        page.paragraphs.begin(page.panes.source.text, event.segments, event.translated, self._target_name())
        self._know_language(event.source_language)
        page.panes.say_back("")
        page.memory_changed.emit()  # its model is in memory now
        self.say(tr("Translating"))
        self._show_all()

    def _know_language(self, code: str) -> None:
        if code:
            self._page.source_language = code
            self._page.choice.show_detected(code)

    def _end(self, event: Ended) -> None:
        self._flush()
        page = self._page
        if not page.paragraphs.is_complete:
            is_same = page.source_language and page.source_language == page.choice.wish.target
            name = own_name(page.source_language)
            self.say(
                tr("This is {language} already.", language=name) if is_same else tr("Stopped · Ctrl+Enter continues")
            )
            if is_same:
                page.panes.target.show_words(tr("Choose another language above."))
            return
        if not event.is_partial and not page.work.is_busy:
            took = tr("Translated in {seconds} s", seconds=f"{event.seconds:.1f}")
            self.say(took if event.seconds >= LEAST_TOLD_S else tr("Translated"))
            self._announce(self.target_text())
            page.history.keep()
            self._ask_back()

    def _on_failed(self, error: BaseException) -> None:
        self._slow.stop()
        self.say(tr("Not translated"))
        self._notify.error(error, action=self._page.translate)

    def _on_remedy(self, number: int, name: str) -> None:
        page = self._page
        remedy, _, place = name.partition(".")
        translated = page.paragraphs.translated(number)
        is_there = translated is not None and remedy == Remedy.KEEP.value
        if is_there:
            page.paragraphs.accept(number)
        elif translated is not None and remedy == Remedy.USE_TERM.value:
            is_there = page.paragraphs.use_term(number, translated.flags[int(place)].wanted)
        if is_there:
            self._grown.add(number)
            self._flush()
            page.history.nudge()
        else:
            page.paragraphs.forget(number)
            page.translate()

    def _on_back_switched(self, is_on: bool) -> None:
        self._page.panes.show_back(shown=is_on and bool(self._page.paragraphs.segments))
        if is_on:
            self._ask_back()
        else:
            self._page.work.stop(AskBack)

    def _ask_back(self) -> None:
        """The translation back, where it is wanted and there is something to translate."""
        page, text = self._page, self.target_text()
        able = page.able
        is_wanted = page.panes.back.isChecked() and page.paragraphs.is_complete and bool(text.strip())
        page.panes.show_back(shown=page.panes.back.isChecked() and bool(page.paragraphs.segments))
        if is_wanted and able.model is not None and able.can(page.choice.wish.target, page.source_language):
            page.work.translate_back(text, page.wish, able.model, page.source_language)

    def _flush_soon(self) -> None:
        if not self._flush_later.isActive():
            self._flush_later.start()

    def _flush(self) -> None:
        self._flush_later.stop()
        for number in sorted(self._grown):
            one = self._page.paragraphs.shown_one(number)
            if one is not None:
                self._page.panes.target.show_paragraph(one)
        self._grown.clear()

    def _show_all(self) -> None:
        target = language(self._page.choice.wish.target)
        is_rtl = target is not None and target.is_rtl
        self._page.panes.target.show_paragraphs(self._page.paragraphs.shown(), is_rtl=is_rtl)

    def _target_name(self) -> str:
        target = language(self._page.choice.wish.target)
        return tr(target.english) if target is not None else self._page.choice.wish.target

    def _announce(self, text: str) -> None:
        if QAccessible.isActive():
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self._page.panes.target, text))
