"""Results for a typed text as they are shown: growing paragraphs, flags, time taken, back translation."""

from __future__ import annotations

from PySide6.QtCore import QObject

from app.documents.segments import plain
from app.features.translate import text_session as t
from app.features.translate.text_paragraphs import TextParagraphs
from app.language.language_names import find_language, own_name
from app.ui.i18n import tr
from app.ui.locale_formats import format_decimal
from app.ui.translate.target_view import Paragraph
from app.ui.translate.text_panes import TextPanes
from app.ui.translate.translation_texts import Remedy, is_rtl, shown_flags
from app.ui.widgets.labels import announce
from app.ui.widgets.spoken_views import SPOKEN_LANGUAGE
from app.ui.widgets.timers import new_timer

TRANSLATING = "Translating"
TRANSLATED = "Translated"
STOPPED_CAN_CONTINUE = "Stopped · Ctrl+Enter continues"
CHOOSE_OTHER_LANGUAGE = "Choose another language above."
LANGUAGE_ALREADY = "This is already in {language}."
NOT_TRANSLATED = "Not translated"
FLUSH_MS = 33
SLOW_MS = 300
LEAST_TOLD_S = 0.05


class TextAnswers(QObject):
    """Shows a session's translation in the panes; `hint` stands in its place while there is none."""

    def __init__(self, panes: TextPanes, session: t.TextSession, hint: str) -> None:
        super().__init__(panes)
        self._panes, self._session, self._hint = panes, session, hint
        self._shown = t.TextState()
        """What is shown of the session."""
        self._paragraphs = TextParagraphs()
        self._flush_later = new_timer(self, FLUSH_MS, self._flush)
        self._slow = new_timer(self, SLOW_MS, self._say_slow)
        self._run = 0
        """The newest translation, whether it runs or not."""
        session.serve({t.ReportTranslated: lambda _effect: announce(panes.target, session.state.paragraphs.text)})
        session.listen(self._on_state)
        panes.back.toggled.connect(lambda is_on: session.dispatch(t.SwitchBack(is_on)))
        panes.target.remedy_wanted.connect(self._on_remedy)
        panes.target.show_words(hint)

    def _on_state(self) -> None:
        state, shown = self._session.state, self._shown
        self._shown = state
        if state.run and state.run != self._run:
            self._run = state.run
            self._slow.start()
        elif not state.run or state.paragraphs is not shown.paragraphs or state.status is not shown.status:
            self._slow.stop()
        if (state.status, state.seconds) != (shown.status, shown.seconds):
            self._panes.show_state(self._status_words(state))
        if state.back != shown.back:
            self._panes.say_back(state.back)
        self._panes.show_back(shown=state.is_back_on and bool(state.paragraphs.segments))
        if state.paragraphs is not self._paragraphs or state.status is not shown.status:
            is_other = state.paragraphs.segments is not self._paragraphs.segments
            if is_other or not state.run:
                self._flush()
            elif not self._flush_later.isActive():
                self._flush_later.start()

    def _say_slow(self) -> None:
        # It may have been stopped meanwhile.
        if self._session.state.run:
            self._panes.show_state(tr("Getting the model ready…"))

    def _status_words(self, state: t.TextState) -> str:
        took = tr("Translated in {seconds} s", seconds=format_decimal(state.seconds, 1))
        return {
            t.TextStatus.NONE: "",
            t.TextStatus.TRANSLATING: tr(TRANSLATING),
            t.TextStatus.WAITING: tr("Waiting for the answer to finish"),
            t.TextStatus.STOPPED: tr(STOPPED_CAN_CONTINUE),
            t.TextStatus.DONE: took if state.seconds >= LEAST_TOLD_S else tr(TRANSLATED),
            t.TextStatus.FAILED: tr(NOT_TRANSLATED),
            t.TextStatus.SAME_LANGUAGE: tr(LANGUAGE_ALREADY, language=own_name(state.detected)),
        }[state.status]

    def _on_remedy(self, number: int, name: str) -> None:
        # As named in `shown_paragraph`: the remedy and the number of its flag.
        remedy, _, place = name.partition(".")
        translated = self._session.state.paragraphs.translated.get(number)
        message: object = t.TranslateAgain(number)
        if translated is not None and remedy == Remedy.KEEP.value:
            message = t.AcceptParagraph(number)
        elif translated is not None and remedy == Remedy.USE_TERM.value:
            message = t.UseTerm(number, translated.flags[int(place)].wanted)
        self._session.dispatch(message)

    def _flush(self) -> None:
        """Show the paragraphs that are others than those shown."""
        self._flush_later.stop()
        state, before = self._session.state, self._paragraphs
        now = self._paragraphs = state.paragraphs
        language = _name_of(state.wish.target)
        target = self._panes.target
        target.setProperty(SPOKEN_LANGUAGE, state.wish.target if now.segments else "")
        if state.status is t.TextStatus.SAME_LANGUAGE:
            target.show_words(tr(CHOOSE_OTHER_LANGUAGE))
        elif not now.segments:
            target.show_words(self._hint)
        elif now.segments is not before.segments:
            shown = [shown_paragraph(now, place, language) for place in range(len(now.segments))]
            target.show_paragraphs(shown, is_rtl=bool(is_rtl(state.wish.target)))
        else:
            for place, segment in enumerate(now.segments):
                number = segment.id
                is_same = now.translated.get(number) is before.translated.get(number)
                if not is_same or now.growing.get(number) != before.growing.get(number):
                    target.show_paragraph(shown_paragraph(now, place, language))


def _name_of(code: str) -> str:
    found = find_language(code)
    return tr(found.english) if found is not None else code


REMEDIES = (Remedy.AGAIN, Remedy.USE_TERM, Remedy.KEEP)
"""Remedies available where the text isn't edited in place."""


def shown_paragraph(paragraphs: TextParagraphs, place: int, language: str) -> Paragraph:
    """Return a paragraph as it is shown; `language` is the name of the target."""
    segment, gap = paragraphs.segments[place], paragraphs.gaps[place]
    if (translated := paragraphs.translated.get(segment.id)) is None:
        return Paragraph(segment.id, gap, paragraphs.growing.get(segment.id, ""))
    flags = [
        (
            shown_flag.reason,
            [(f"{remedy.value}.{n}", words) for remedy, words in shown_flag.remedies if remedy in REMEDIES],
        )
        for n, shown_flag in enumerate(shown_flags(segment, translated, language))
    ]
    return Paragraph(segment.id, gap, plain(translated.content), True, flags)
