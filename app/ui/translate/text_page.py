"""Typed text: two panes, the languages above them; it is translated as the typing pauses, and kept in the list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.core.errors import AppError
from app.documents.segments import Content, Mark, Segment
from app.features.translation.result import (
    FlagKind,
    Origin,
    SegmentDone,
    SegmentGrows,
    Translated,
    TranslationPlanned,
    TranslationWish,
)
from app.features.work.asking import Rests
from app.language.names import language, own_name
from app.language.sentences import written_words
from app.ui.i18n import tr
from app.ui.shell.desktop import copy_text
from app.ui.shell.keyboard import with_keys
from app.ui.shell.notify import Notify
from app.ui.theme import EDGE_PX, TOP_PX, Theme
from app.ui.translate.languages import Able, Capability, LanguageChoice, NeedsModel, last_wish, remember
from app.ui.translate.text_panes import Paragraph, Selected, TextPanes, sentence_like
from app.ui.translate.text_work import (
    Alternative,
    Answer,
    AskAlternatives,
    AskBack,
    AskText,
    BackText,
    Ended,
    Paragraphs,
    TextHistory,
    TextLanguage,
    TextWork,
    Typed,
)
from app.ui.translate.texts import Remedy, told, with_term
from app.ui.widgets.buttons import text_button
from app.ui.widgets.labels import announce
from app.ui.work.page import scrolled

if TYPE_CHECKING:
    from app.bootstrap import Fireside


PAUSE_MS = 600
SMALL_PX = 520
LEAST_PX = 150
"""Of the height of both texts: in a lower window the page scrolls."""
FORMATS = (
    "Or drop a document anywhere in the window: Word, PowerPoint, Excel, OpenDocument, e-books, web pages, Markdown, "
    "subtitles, PO, JSON, YAML, CSV and plain text come back looking the same. From a PDF a new document is made."
)


class TextPage(QWidget):
    """Shows one typed text of the list, or a new one."""

    list_changed = Signal()
    shown_changed = Signal(object)
    """The id under which the text is kept; None for one that is not."""
    document_wanted = Signal()
    models_wanted = Signal(str)
    model_changed = Signal()
    """A model was fetched, and the tab uses it."""
    memory_changed = Signal()
    """The model may have been put in the place of the chat's, or have given the place back."""

    def __init__(self, app: Fireside, theme: Theme, notify: Notify, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._app, self._theme, self._notify = app, theme, notify
        self._is_small = False
        self.paragraphs = TextParagraphs()
        self.source_language = ""
        self.capability = Capability(app, notify, self)
        self.language = TextLanguage(self)
        self.work = TextWork(app, self)
        self.history = TextHistory(app, notify, self.typed, self)
        self.choice = LanguageChoice(theme)
        self.open = text_button(tr("Open document"), "plain")
        self.open.setToolTip(with_keys(tr("Open a document, or drop it anywhere in the window"), "attach"))
        self.open.clicked.connect(self.document_wanted)
        self.needs = NeedsModel(app, theme, notify)
        self.panes = TextPanes(theme, self.needs)
        self.panes.hint.setText(tr(FORMATS))
        self.pause = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self.pause.timeout.connect(self.translate)
        self._lay_out()
        self.setFocusProxy(self.panes.source)
        self.answers = TextAnswers(self, notify)
        self.rewording = TextRewording(self)
        self._connect()
        self.choice.show_wish(last_wish(app.settings))
        self._show_size(is_small=False)
        self.show_new()

    # What is shown.

    @property
    def able(self) -> Able:
        """What the model can do, as far as that is known."""
        return self.capability.able or Able()

    @property
    def wish(self) -> TranslationWish:
        """What is chosen, with the glossary of the pair."""
        wish = self.choice.wish
        source = wish.source or self.source_language
        if not source or not wish.target or (self.able.knows is not None and not self.able.knows.takes_glossary):
            return wish
        return replace(wish, glossary=self._app.translations.words.glossary(source, wish.target))

    def show_new(self, text: str = "") -> None:
        """An empty one; or a text that is translated at once."""
        self.leave()
        self.panes.source.show_text(text)
        self.choice.show_wish(replace(self.choice.wish, source="", domain=""))
        self._forget()
        self.history.begin()
        self.shown_changed.emit(None)
        if text:
            self.translate()

    def show_text(self, number: int) -> None:
        """One of the list, as it was left."""
        if number == self.history.id:
            return
        self.leave()
        try:
            stored = self._app.translations.get(number)
            source, target = self._app.translations.text(number) if stored is not None else ("", "")
        except AppError as error:
            self._notify.error(error)
            return
        if stored is None:
            self.show_new()
            return
        self.choice.show_wish(stored.wish)
        self.choice.is_target_chosen = True
        self.panes.source.show_text(source)
        self._forget()
        self.source_language = stored.source_language
        self.choice.show_detected(stored.source_language)
        self.panes.show_needs(needed=False)
        self.answers.show_stored(source, target)
        self.history.begin(number)
        self.shown_changed.emit(number)
        if source.strip() and not target:
            self.translate()

    def leave(self) -> None:
        """Another text, another tab, or the window closes: nothing is asked any more, and what is there is kept."""
        self.pause.stop()
        self.language.stop()
        self.work.stop()
        self.panes.alternatives.leave()
        self.history.keep()

    def forget(self) -> None:
        """The text that is shown was deleted: nothing of it is kept any more."""
        self.history.begin()
        self.panes.source.show_text("")

    def take_keyboard(self) -> None:
        """The keyboard to where one types."""
        self.panes.source.setFocus(Qt.FocusReason.OtherFocusReason)

    def typed(self) -> Typed:
        """What there is to keep."""
        source = self.panes.source.text
        target = self.answers.target_text() if self.paragraphs.is_complete else ""
        model = self.able.model.name if self.able.model is not None else ""
        return Typed(source, target, self.choice.wish, self.source_language, model)

    # The work.

    def translate(self) -> None:
        """Translates what is typed, now."""
        self.pause.stop()
        self.work.stop()
        self.language.stop()
        text, languages = self.panes.source.text, self.able.languages
        if not text.strip():
            self._forget()
        elif self.choice.wish.source or self.language.knows(text, languages):
            self._translate()
        else:
            self.language.look(text, languages)

    def _on_language(self, code: str) -> None:
        self.source_language = code
        self.choice.show_detected(code)
        self._translate()

    def _translate(self) -> None:
        if self.choice.show_usual_target(self._app.settings.translations.target):
            self.paragraphs.known.clear()
        text, wish, able = self.panes.source.text, self.wish, self.capability.able
        if able is None:
            return  # what it can do is being asked; the answer leads here again
        source = wish.source or self.source_language
        if able.model is None or not able.can(wish.source, wish.target):
            self.panes.show_needs(needed=True)
            self.needs.look(able.missing(source, wish.target))
            self.panes.state.setText("")
            self.history.nudge()
            return
        self.panes.show_needs(needed=False)
        self.answers.wait()
        self.work.translate(text, wish, able.model, self.paragraphs.known, self.source_language)

    def stop(self) -> None:
        """Ends what is being translated; what is there stays."""
        self.pause.stop()
        self.language.stop()
        if self.work.is_busy:
            self.work.stop(AskText)
            self.answers.say(tr("Stopped · Ctrl+Enter continues"))
        self.panes.alternatives.leave()

    # Wiring.

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.choice, 1)
        top.addWidget(self.open, 0, Qt.AlignmentFlag.AlignTop)
        inside = QWidget()  # in a low window it scrolls, and nothing is pressed together
        inside.setObjectName("page")
        column = QVBoxLayout(inside)
        column.addLayout(top)
        column.addWidget(self.panes, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scrolled(inside))
        dress = self._theme.dress
        dress(column, margins=(EDGE_PX, TOP_PX, EDGE_PX, 16), spacing=12)
        dress(top, spacing=12)
        dress(self.panes, least_height=LEAST_PX)
        dress(self.open, font=(13.5, 400), glyph=("file-text", "muted", 15))

    def _connect(self) -> None:
        panes = self.panes
        panes.source.textChanged.connect(self._on_typed)
        panes.source.wanted.connect(self.translate)
        panes.source.stopped.connect(self.stop)
        panes.target.stopped.connect(self.stop)
        panes.cleared.connect(self.show_new)
        panes.cleared.connect(self.take_keyboard)
        self.choice.changed.connect(self._on_choice)
        self.choice.swapped.connect(self._on_swapped)
        self.history.kept.connect(lambda _number: self.list_changed.emit())
        self.history.kept.connect(self.shown_changed.emit)
        self.capability.changed.connect(self._on_capability)
        self.language.found.connect(self._on_language)
        self.language.failed.connect(self._notify.error)
        self.work.ended.connect(self.memory_changed)
        self.needs.models_wanted.connect(self.models_wanted)
        self.needs.model_came.connect(self.model_changed)
        self.needs.model_came.connect(self.capability.look)

    def _on_typed(self) -> None:
        self.panes.show_count()
        self.language.stop()
        self.work.stop()
        self.panes.alternatives.leave()
        if not self.panes.source.text.strip():
            self._forget()
        else:
            self.pause.start()
            self.history.nudge()

    def _on_choice(self) -> None:
        """Another language or tone: what is there was for another wish."""
        remember(self._app, self.choice, self._notify)
        self.paragraphs.known.clear()
        if self.panes.source.text.strip():
            self.history.nudge()
            self.translate()

    def _on_swapped(self) -> None:
        """The translation becomes the source, where there is one."""
        target = self.answers.target_text() if self.paragraphs.is_complete else ""
        self.source_language = ""
        remember(self._app, self.choice, self._notify)
        self.paragraphs.known.clear()
        if target.strip():
            self.panes.source.show_text(target)
        self.translate()
        self.history.nudge()

    def _on_capability(self) -> None:
        able = self.able
        knows = able.knows if able.translates else None
        self.choice.offer(
            able.languages,
            formality=knows is None or knows.takes_formality,
            domain=knows is None or knows.takes_domain,
        )
        self.paragraphs.known.clear()
        self._go_on()

    def _go_on(self) -> None:
        """What is not translated yet is, as far as the model can."""
        if self.panes.source.text.strip() and not self.paragraphs.is_complete:
            self.translate()
            return
        is_needed = self.capability.able is not None and not self.able.translates and not self.paragraphs.is_complete
        self.panes.show_needs(needed=is_needed)
        if is_needed:
            self.needs.look()

    def _forget(self) -> None:
        """Nothing is there to be translated."""
        self.source_language = ""
        self.paragraphs.clear()
        self.choice.show_detected("")
        self.choice.show_usual_target(self._app.settings.translations.target)
        self.answers.show_nothing(tr(FORMATS))
        self.panes.show_count()
        is_needed = self.capability.able is not None and not self.able.translates
        self.panes.show_needs(needed=is_needed)

    def showEvent(self, event: QShowEvent) -> None:
        self._theme.dress_again(self)
        super().showEvent(event)
        self.capability.look()
        if self.capability.able is not None:
            self._go_on()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.leave()
        self.language.rest()
        self.work.rest()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        is_small = self.width() < self._theme.px(SMALL_PX)
        if is_small != self._is_small:
            self._show_size(is_small=is_small)

    def _show_size(self, *, is_small: bool) -> None:
        self._is_small = is_small
        self.open.setText("" if is_small else tr("Open document"))
        # A push button keeps its text four pixels from the icon; a wider icon gives it air.
        self._theme.dress(self.open, glyph_size=(16 if is_small else 24, 15))
        self.choice.show_small(is_small=is_small)


# Shows what comes of a typed text: paragraphs as they grow, flags, how long it took, the translation back.


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
        page.panes.copied.connect(self._copy)
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

    def _copy(self) -> None:
        text = self.target_text()
        if text.strip():
            copy_text(text)
            self._notify.mention(tr("The translation was copied"))

    def _on_answer(self, answer: Answer) -> None:
        event, paragraphs = answer.event, self._page.paragraphs
        self._slow.stop()
        if isinstance(event, Paragraphs):
            self._begin(event)
        elif isinstance(event, TranslationPlanned):
            self._know_language(event.source)
        elif isinstance(event, Rests):
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
            announce(self._page.panes.target, self.target_text())
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


# Other wordings for a sentence of a translation: other translations of its source; one click puts one in its place.


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


# A typed text as it is shown translated: its paragraphs, what is there of each, what stays from one to the next.


REMEDIES = (Remedy.AGAIN, Remedy.USE_TERM, Remedy.KEEP)
"""What can be done where nothing is edited in place."""


class TextParagraphs:
    """`known` holds what was translated with this wish, by what it translates: it is not asked again."""

    def __init__(self) -> None:
        self.known: dict[Content, Translated] = {}
        self._segments: tuple[Segment, ...] = ()
        self._gaps: tuple[int, ...] = ()
        self._translated: dict[int, Translated] = {}
        self._growing: dict[int, str] = {}
        self._language = ""
        self.is_apart = False
        """Whether these are the paragraphs of a stored translation, which do not match those of its source."""

    @property
    def segments(self) -> tuple[Segment, ...]:
        """Those of the text that is shown."""
        return self._segments

    @property
    def is_complete(self) -> bool:
        """Whether every paragraph is there."""
        return bool(self._segments) and all(one.id in self._translated for one in self._segments)

    @property
    def contents(self) -> dict[int, Content]:
        """What is there, by the segments' ids."""
        return {number: one.content for number, one in self._translated.items()}

    def begin(
        self,
        text: str,
        segments: Sequence[Segment],
        done: Mapping[int, Translated],
        language: str,
        *,
        is_apart: bool = False,
    ) -> None:
        """Another text. `language` is the target's name."""
        self.is_apart = is_apart
        self._segments, self._translated, self._growing = tuple(segments), dict(done), {}
        self._gaps = gaps_of(text, segments)
        self._language = language

    def clear(self) -> None:
        """No text."""
        self._segments, self._translated, self._growing = (), {}, {}

    def grow(self, number: int, text: str) -> bool:
        """More of one; whether there is more to be seen, which are whole words."""
        seen = text[: written_words(text)]
        if number in self._translated or seen == self._growing.get(number, ""):
            return False
        self._growing[number] = seen
        return True

    def take(self, translated: Translated) -> None:
        """One is done, or is another now."""
        self._translated[translated.id] = translated
        self._growing.pop(translated.id, None)
        segment = self.segment(translated.id)
        if segment is not None and translated.origin is not Origin.KEPT:
            self.known[segment.content] = translated

    def segment(self, number: int) -> Segment | None:
        """A paragraph of the source."""
        return next((one for one in self._segments if one.id == number), None)

    def translated(self, number: int) -> Translated | None:
        """What became of it."""
        return self._translated.get(number)

    def accept(self, number: int) -> None:
        """A person said that it is good."""
        known = self._translated.get(number)
        if known is not None:
            self.take(replace(known, accepted=True))

    def forget(self, number: int) -> None:
        """It is to be translated again."""
        segment = self.segment(number)
        self._translated.pop(number, None)
        if segment is not None:
            self.known.pop(segment.content, None)

    def use_term(self, number: int, wanted: str) -> bool:
        """Puts the glossary's term into it; False where it is not clear which words it takes the place of."""
        known = self._translated.get(number)
        content = with_term(known.content, wanted) if known is not None else None
        if known is None or content is None:
            return False
        flags = tuple(flag for flag in known.flags if flag.kind is not FlagKind.GLOSSARY or flag.wanted != wanted)
        self.take(replace(known, content=content, origin=Origin.EDITED, flags=flags))
        return True

    def reword(self, number: int, text: str) -> None:
        """A person chose other words for it."""
        known = self._translated.get(number)
        if known is not None:
            self.take(replace(known, content=(text,), origin=Origin.EDITED, flags=(), accepted=True))

    def shown(self) -> list[Paragraph]:
        """All of them as the pane shows them."""
        return [self.paragraph(place) for place in range(len(self._segments))]

    def shown_one(self, number: int) -> Paragraph | None:
        """One of them."""
        place = next((place for place, one in enumerate(self._segments) if one.id == number), None)
        return None if place is None else self.paragraph(place)

    def paragraph(self, place: int) -> Paragraph:
        """The one at a place."""
        segment, gap = self._segments[place], self._gaps[place]
        translated = self._translated.get(segment.id)
        if translated is None:
            return Paragraph(segment.id, gap, self._growing.get(segment.id, ""))
        flags = [
            (each.reason, [(f"{remedy.value}.{n}", words) for remedy, words in each.remedies if remedy in REMEDIES])
            for n, each in enumerate(told(segment, translated, self._language))
        ]
        return Paragraph(segment.id, gap, words_of(translated.content), True, flags)


def words_of(content: Content) -> str:
    """A content as it is read: what marks stand for is among its words."""
    return "".join(part.shows if isinstance(part, Mark) else part for part in content)


def gaps_of(text: str, segments: Sequence[Segment]) -> tuple[int, ...]:
    """How many line breaks stand before each segment in its text."""
    gaps, end = [], 0
    for segment in segments:
        words = words_of(segment.content)
        place = text.find(words, end)
        gaps.append(text.count("\n", end, place) if place >= 0 else 1)
        end = place + len(words) if place >= 0 else end
    return tuple(gaps)
