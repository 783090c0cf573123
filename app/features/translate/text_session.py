"""A typed text and its translation: one immutable state, and one reducer of what a person does and threads tell.

Each translation has a number, so that what comes late of another text, language or model changes nothing. Steps are
pure: each returns the next state and the effects to be started.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any

from app.core.lazy_dataclasses import dataclass, field, replace
from app.documents.segments import Content, Segment, plain
from app.features.file_reading import ReportError, SaveLater
from app.features.state_session import SessionMessage, StateSession, StoreFailed
from app.features.translate.glossary import with_term
from app.features.translate.text_paragraphs import TextParagraphs, begin_paragraphs, stored_paragraphs
from app.features.translate.translation_events import (
    FlagKind,
    Formality,
    SegmentDone,
    SegmentGrows,
    Translated,
    TranslationPlanned,
    TranslationSource,
    TranslationWish,
)
from app.features.work.asking import TaskRests
from app.language.language_names import has_formality, other_than
from app.language.words import common_start

if TYPE_CHECKING:
    from pathlib import Path

    from app.features.translate.translation_jobs import TranslationJobs


class TypeSource(SessionMessage):
    text: str


class ShowNewText(SessionMessage):
    """Store the text, and show an empty page, or a text that is translated at once."""

    text: str = ""


class BeginText(SessionMessage):
    """Show a text in place of the one that was stored just before."""

    text: str


class ShowStoredText(SessionMessage):
    """Store the text, and show another of the history as it was left."""

    number: int


class ForgetText(SessionMessage):
    """Show an empty page without storing the text, because it was deleted."""


class ChangeLanguages(SessionMessage):
    """Translate again with other options; after a swap the translation becomes the source."""

    wish: TranslationWish
    is_target_chosen: bool
    usual: tuple[str, ...]
    is_swapped: bool = False


class ChangeModel(SessionMessage):
    """What the model can is known, or another; None while that is unknown."""

    able: Any


class TranslateNow(SessionMessage):
    """Translate what is there, because the typing paused or the user asks for it."""


class ShowPage(SessionMessage):
    """The page is shown again; these are the usual targets now."""

    usual: tuple[str, ...]


class GoOn(SessionMessage):
    """Translate what is not translated yet, if the model can."""


class StopTranslating(SessionMessage):
    """Stop translating; finished paragraphs stay, and `TranslateNow` continues with the others."""


class CloseText(SessionMessage):
    """Stop everything and store the text, before another tab, or closing."""


class SaveText(SessionMessage):
    """Store the text if it changed since it was stored last."""


class AcceptParagraph(SessionMessage):
    number: int


class UseTerm(SessionMessage):
    """Put a glossary term into a paragraph; if its place is unclear, that is translated again."""

    number: int
    wanted: str


class TranslateAgain(SessionMessage):
    number: int


class ReplaceWords(SessionMessage):
    """Put other words into a paragraph, unless it has others by now."""

    number: int
    start: int
    words: str
    other: str


class SwitchBack(SessionMessage):
    is_on: bool


class LanguageFound(SessionMessage):
    """The language of a text was detected; "" if it is unknown."""

    number: int
    code: str


class ParagraphsFound(SessionMessage):
    """The paragraphs of a text, told before any answer, with those that are known."""

    run: int
    segments: tuple[Segment, ...]
    source_language: str
    translated: Mapping[int, Translated]


class TextProgressed(SessionMessage):
    run: int
    event: object


class TextEnded(SessionMessage):
    run: int
    is_partial: bool
    seconds: float


class WorkFailed(SessionMessage):
    """The model failed; all that was asked of it ended."""


class BackProgressed(SessionMessage):
    run: int
    text: str


class TypedTextStored(SessionMessage):
    number: int
    typed: TypedText


class TypedTextRead(SessionMessage):
    """A text of the history was read; its number is None if it is gone."""

    number: int | None
    source: str = ""
    target: str = ""
    wish: TranslationWish = field(default_factory=lambda: TranslationWish(""))
    source_language: str = ""


class StoreTypedText(SessionMessage):
    typed: TypedText
    number: int | None


class ReadTypedText(SessionMessage):
    number: int


class TranslateLater(SessionMessage):
    """Ask for `TranslateNow` as soon as the typing pauses for a moment."""


class DetectLanguage(SessionMessage):
    """Detect the language of a text in place of any before; answered by `LanguageFound`."""

    number: int
    text: str
    languages: tuple[str, ...]


class TranslateText(SessionMessage):
    """Translate a text; the model's events are told with the run's number."""

    run: int
    text: str
    wish: TranslationWish
    model: Path
    known: Mapping[Content, Translated]
    source_language: str


class TranslateBack(SessionMessage):
    run: int
    text: str
    wish: TranslationWish
    model: Path
    source_language: str


class StopWork(SessionMessage):
    """Stop waiting, detecting, and whatever the model is asked about the text."""


class StopBack(SessionMessage):
    """Stop translating back what is translated, as that was switched off."""


class FindModel(SessionMessage):
    """Look for a model that can what is `missing`, a pair of languages, or any that translates."""

    missing: tuple[str, str] | None


class ReportTranslated(SessionMessage):
    """All of the text is translated, and that is told."""


class ReportModelLoaded(SessionMessage):
    """The model is loaded, and works on the text."""


class TextStatus(Enum):
    NONE = "none"
    TRANSLATING = "translating"
    WAITING = "waiting"
    STOPPED = "stopped"
    DONE = "done"
    FAILED = "failed"
    SAME_LANGUAGE = "same language"


@dataclass(frozen=True)
class TypedText:
    """Content to store; `target` is "" until the translation is complete. `model` is a file name."""

    source: str
    target: str
    wish: TranslationWish
    source_language: str
    model: str


@dataclass(frozen=True)
class TextState:
    """What is typed, how it is to be translated, and what there is of the translation."""

    text: str = ""
    wish: TranslationWish = field(default_factory=lambda: TranslationWish(""))
    """As chosen, without glossary; see `asked_wish`."""
    is_target_chosen: bool = False
    usual: tuple[str, ...] = ()
    """Targets of a text whose own was not chosen, the first that fits."""
    detected: str = ""
    known_language: tuple[str, tuple[str, ...]] | None = None
    """The text, and the languages among which its own was detected."""
    able: Any = None
    number: int | None = None
    """Id of the text in the history; None until it is stored."""
    kept: TypedText | None = None
    """As stored last."""
    paragraphs: TextParagraphs = field(default_factory=TextParagraphs)
    is_outdated: bool = False
    """True if the paragraphs are translated with other options than those chosen."""
    known: Mapping[Content, Translated] = field(default_factory=dict)
    """Results by source, as long as the options stay the same."""
    run: int = 0
    """Number of the translation under way; 0 for none."""
    run_text: str = ""
    detecting: int = 0
    status: TextStatus = TextStatus.NONE
    seconds: float = 0.0
    is_needy: bool = False
    """True if another model is needed."""
    is_back_on: bool = False
    back_run: int = 0
    back: str = ""
    next_number: int = 1

    @property
    def is_complete(self) -> bool:
        """True if the current text, not an earlier version of it, is fully translated as it is wanted."""
        is_current = self.paragraphs.source == self.text and not self.is_outdated
        return is_current and self.paragraphs.is_complete

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(self.able.languages) if self.able is not None else ()

    @property
    def asked_wish(self) -> TranslationWish:
        """The wish without what the target or the model does not have."""
        able, wish = self.able, self.wish
        has_tone = (able is None or able.takes_formality) and has_formality(wish.target)
        has_domain = able is None or able.takes_domain
        return replace(
            wish,
            formality=wish.formality if has_tone else Formality.DEFAULT,
            domain=" ".join(wish.domain.split()) if has_domain else "",
        )

    @property
    def typed(self) -> TypedText:
        # Half a translation isn't stored as if it were all.
        target = self.paragraphs.text if self.is_complete else ""
        model = self.able.model.name if self.able is not None and self.able.model is not None else ""
        return TypedText(self.text, target, self.asked_wish, self.detected, model)


Step = tuple[TextState, tuple[object, ...]]


def _on_type(state: TextState, message: TypeSource) -> Step:
    if message.text == state.text:
        return state, ()
    # An answer to the older text would only delay the one to the newer.
    state, effects = _stop(replace(state, text=message.text))
    if not state.text.strip():
        return _empty(state), effects
    return state, (*effects, TranslateLater(), SaveLater())


def _stop(state: TextState) -> Step:
    return replace(state, run=0, back_run=0, detecting=0), (StopWork(),)


def _empty(state: TextState) -> TextState:
    state = replace(
        state, detected="", paragraphs=TextParagraphs(), status=TextStatus.NONE, back="", is_needy=_lacks_model(state)
    )
    return _with_usual_target(state)


def _lacks_model(state: TextState) -> bool:
    return state.able is not None and not state.able.translates


def _with_usual_target(state: TextState) -> TextState:
    """Set the default target unless the user chose one."""
    target = other_than(state.wish.source or state.detected, state.usual, state.languages)
    if state.is_target_chosen or target == state.wish.target:
        return state
    # Finished paragraphs are for the target before.
    return replace(state, wish=replace(state.wish, target=target), known={}, is_outdated=True)


def _keep(state: TextState) -> tuple[object, ...]:
    """Return the effect that stores the text, if it changed."""
    typed = state.typed
    if not typed.source.strip() or typed == state.kept:
        return ()
    is_other = state.kept is not None and not is_same_text(state.kept.source, typed.source)
    return (StoreTypedText(typed, None if is_other else state.number),)


def _on_show_new(state: TextState, message: ShowNewText) -> Step:
    kept = _keep(state)
    state, effects = _stop(state)
    return state, (*kept, *effects, BeginText(message.text))


def _on_begin(state: TextState, message: BeginText) -> Step:
    # Target and tone stay for the next text, while source language and topic belong to the last.
    wish = replace(state.wish, source="", domain="")
    state = replace(state, text=message.text, wish=wish, is_target_chosen=False, number=None, kept=None)
    return _empty(state), ((TranslateNow(),) if message.text else ())


def _on_show_stored(state: TextState, message: ShowStoredText) -> Step:
    if message.number == state.number:
        return state, ()
    kept = _keep(state)
    state, effects = _stop(state)
    return state, (*kept, *effects, ReadTypedText(message.number))


def _on_text_read(state: TextState, message: TypedTextRead) -> Step:
    if message.number is None:
        return state, (ShowNewText(),)
    source, target = message.source, message.target
    # Its target was chosen back then, so the usual one doesn't replace it.
    state = replace(state, text=source, wish=message.wish, is_target_chosen=True, number=message.number, known={})
    state = replace(_empty(state), detected=message.source_language, is_needy=False, is_outdated=False)
    if target:
        paragraphs = stored_paragraphs(source, target)
        state = replace(state, paragraphs=paragraphs)
        for translated in paragraphs.translated.values() if not paragraphs.is_apart else ():
            state = _with_translated(state, translated)
    state = replace(state, kept=state.typed)
    state, effects = _ask_back(state)
    # It was left before its translation was complete.
    return state, (*effects, *((TranslateNow(),) if source.strip() and not target else ()))


def _on_forget(state: TextState, _message: ForgetText) -> Step:
    state, effects = _stop(state)
    return _empty(replace(state, text="", number=None, kept=None)), effects


def _on_languages(state: TextState, message: ChangeLanguages) -> Step:
    target = state.paragraphs.text if message.is_swapped and state.is_complete else ""
    is_outdated, chosen = state.is_outdated or message.wish != state.wish, message.is_target_chosen
    state = replace(state, wish=message.wish, is_target_chosen=chosen, usual=message.usual, known={})
    state = replace(state, is_outdated=is_outdated)
    if message.is_swapped:
        state = replace(state, detected="")
    if target.strip():
        state = replace(state, text=target)
    is_wanted = message.is_swapped or bool(state.text.strip())
    return state, ((TranslateNow(), SaveLater()) if is_wanted else ())


def _on_model(state: TextState, message: ChangeModel) -> Step:
    # Paragraphs by one model aren't mixed with those by another.
    return replace(state, able=message.able, known={}), (GoOn(),)


def _on_show_page(state: TextState, message: ShowPage) -> Step:
    return replace(state, usual=message.usual), (GoOn(),)


def _on_go_on(state: TextState, _message: GoOn) -> Step:
    if state.able is None:
        return state, ()
    if state.text.strip() and not state.is_complete:
        return state, (TranslateNow(),)
    state = replace(state, is_needy=_lacks_model(state) and not state.is_complete)
    return state, ((FindModel(None),) if state.is_needy else ())


def _on_translate(state: TextState, _message: TranslateNow) -> Step:
    state, effects = _stop(state)
    if not state.text.strip():
        return _empty(state), effects
    if state.able is None:
        # That is being looked up, and its answer calls this again.
        return state, effects
    if state.wish.source or state.known_language == (state.text, state.languages):
        state, more = _ask(state)
        return state, (*effects, *more)
    number = state.next_number
    state = replace(state, detecting=number, next_number=number + 1)
    return state, (*effects, DetectLanguage(number, state.text, state.languages))


def _on_language(state: TextState, message: LanguageFound) -> Step:
    if message.number != state.detecting or state.able is None:
        return state, ()
    known = (state.text, state.languages)
    return _ask(replace(state, detecting=0, known_language=known, detected=message.code))


def _ask(state: TextState) -> Step:
    state = _with_usual_target(state)
    able, wish = state.able, state.asked_wish
    if able.model is None or not able.can(wish.source, wish.target):
        state = replace(state, is_needy=True, status=TextStatus.NONE)
        return state, (FindModel((wish.source or state.detected, wish.target)), SaveLater())
    number = state.next_number
    state = replace(state, is_needy=False, run=number, run_text=state.text, next_number=number + 1)
    return state, (TranslateText(number, state.text, wish, able.model, state.known, state.detected),)


def _on_paragraphs(state: TextState, message: ParagraphsFound) -> Step:
    if message.run != state.run:
        return state, ()
    state = replace(
        state,
        paragraphs=begin_paragraphs(state.run_text, message.segments, message.translated),
        is_outdated=False,
        detected=message.source_language or state.detected,
        status=TextStatus.TRANSLATING,
        back="",
    )
    return state, (ReportModelLoaded(),)


def _on_progress(state: TextState, message: TextProgressed) -> Step:
    if message.run != state.run:
        return state, ()
    match message.event:
        case TranslationPlanned(source=source) if source:
            state = replace(state, detected=source)
        case TaskRests(reason=reason):
            state = replace(state, status=TextStatus.WAITING if reason else TextStatus.TRANSLATING)
        case SegmentGrows(id=number, text=text):
            paragraphs = state.paragraphs.grow(number, text)
            state = replace(state, paragraphs=paragraphs) if paragraphs is not state.paragraphs else state
        case SegmentDone(translated=translated):
            state = _with_translated(state, translated)
            # Another text may take its place before its end is told.
            return state, _keep(state) if state.is_complete else ()
    return state, ()


def _with_translated(state: TextState, translated: Translated) -> TextState:
    segment = state.paragraphs.segment(translated.id)
    known = state.known
    # What was left untranslated, or is of other options than those chosen, is asked again by the next request.
    is_asked_again = state.is_outdated or translated.origin is TranslationSource.KEPT
    if segment is not None and not is_asked_again:
        known = {**known, segment.content: translated}
    return replace(state, paragraphs=state.paragraphs.with_translated(translated), known=known)


def _on_ended(state: TextState, message: TextEnded) -> Step:
    if message.run != state.run:
        return state, ()
    state = replace(state, run=0)
    if not state.is_complete:
        is_same = bool(state.detected) and state.detected == state.wish.target
        return replace(state, status=TextStatus.SAME_LANGUAGE if is_same else TextStatus.STOPPED), ()
    if message.is_partial:
        return state, ()
    state = replace(state, status=TextStatus.DONE, seconds=message.seconds)
    kept = _keep(state)
    state, effects = _ask_back(state)
    return state, (*kept, ReportTranslated(), *effects)


def _on_failed(state: TextState, _message: WorkFailed) -> Step:
    return replace(state, run=0, back_run=0, status=TextStatus.FAILED), ()


def _on_stop(state: TextState, _message: StopTranslating) -> Step:
    is_running = bool(state.run)
    state, effects = _stop(state)
    return (replace(state, status=TextStatus.STOPPED) if is_running else state), effects


def _on_close(state: TextState, _message: CloseText) -> Step:
    state, effects = _stop(state)
    return state, (*effects, *_keep(state))


def _on_save(state: TextState, _message: SaveText) -> Step:
    return state, _keep(state)


def _on_stored(state: TextState, message: TypedTextStored) -> Step:
    return replace(state, number=message.number, kept=message.typed), ()


def _on_store_failed(state: TextState, message: StoreFailed) -> Step:
    return state, (ReportError(message.error),)


def _on_accept(state: TextState, message: AcceptParagraph) -> Step:
    translated = state.paragraphs.translated.get(message.number)
    return _change(state, message.number, None if translated is None else replace(translated, accepted=True))


def _on_use_term(state: TextState, message: UseTerm) -> Step:
    known, wanted = state.paragraphs.translated.get(message.number), message.wanted
    content = with_term(known.content, wanted) if known is not None else None
    if known is None or content is None:
        return _change(state, message.number, None)
    flags = tuple(flag for flag in known.flags if flag.kind is not FlagKind.GLOSSARY or flag.wanted != wanted)
    edited = replace(known, content=content, origin=TranslationSource.EDITED, flags=flags)
    return _change(state, message.number, edited)


def _on_again(state: TextState, message: TranslateAgain) -> Step:
    return _change(state, message.number, None)


def _on_words(state: TextState, message: ReplaceWords) -> Step:
    known = state.paragraphs.translated.get(message.number)
    text, end = plain(known.content) if known is not None else "", message.start + len(message.words)
    # It may have been translated again meanwhile.
    if known is None or text[message.start : end] != message.words:
        return state, ()
    content: Content = (text[: message.start] + message.other + text[end:],)
    # The user chose these words, so there is nothing left to doubt.
    chosen = replace(known, content=content, origin=TranslationSource.EDITED, flags=(), accepted=True)
    return _change(state, message.number, chosen)


def _change(state: TextState, number: int, translated: Translated | None) -> Step:
    """Replace the translation of a paragraph; None has it translated again."""
    if translated is not None:
        return _with_translated(state, translated), (SaveLater(),)
    segment = state.paragraphs.segment(number)
    known = {content: kept for content, kept in state.known.items() if segment is None or content != segment.content}
    return replace(state, paragraphs=state.paragraphs.without(number), known=known), (TranslateNow(),)


def _on_switch_back(state: TextState, message: SwitchBack) -> Step:
    state = replace(state, is_back_on=message.is_on)
    return _ask_back(state) if message.is_on else (replace(state, back_run=0), (StopBack(),))


def _ask_back(state: TextState) -> Step:
    """Translate back, if that is on and there is something to translate."""
    text, able = state.paragraphs.text if state.paragraphs.is_complete and state.is_back_on else "", state.able
    if not text.strip() or able is None or able.model is None or not able.can(state.wish.target, state.detected):
        return state, ()
    number = state.next_number
    state = replace(state, back_run=number, next_number=number + 1)
    return state, (TranslateBack(number, text, state.asked_wish, able.model, state.detected),)


def _on_back(state: TextState, message: BackProgressed) -> Step:
    return (replace(state, back=message.text) if message.run == state.back_run else state), ()


_HANDLERS: dict[type, Callable[[TextState, Any], Step]] = {
    TypeSource: _on_type,
    ShowNewText: _on_show_new,
    BeginText: _on_begin,
    ShowStoredText: _on_show_stored,
    TypedTextRead: _on_text_read,
    ForgetText: _on_forget,
    ChangeLanguages: _on_languages,
    ChangeModel: _on_model,
    ShowPage: _on_show_page,
    GoOn: _on_go_on,
    TranslateNow: _on_translate,
    LanguageFound: _on_language,
    ParagraphsFound: _on_paragraphs,
    TextProgressed: _on_progress,
    TextEnded: _on_ended,
    WorkFailed: _on_failed,
    StopTranslating: _on_stop,
    CloseText: _on_close,
    SaveText: _on_save,
    TypedTextStored: _on_stored,
    StoreFailed: _on_store_failed,
    AcceptParagraph: _on_accept,
    UseTerm: _on_use_term,
    TranslateAgain: _on_again,
    ReplaceWords: _on_words,
    SwitchBack: _on_switch_back,
    BackProgressed: _on_back,
}


class TextSession(StateSession[TextState]):
    """Session of the typed text that is shown; texts are stored in the history."""

    def __init__(self, translations: TranslationJobs, wish: TranslationWish, usual: tuple[str, ...]) -> None:
        self._translations = translations
        stored: dict[type, Callable[[Any], object]] = {StoreTypedText: self._store_text, ReadTypedText: self._read_text}
        super().__init__(TextState(wish=wish, usual=usual), _HANDLERS, (), stored)

    def _store_text(self, effect: StoreTypedText) -> TypedTextStored:
        typed = effect.typed
        stored = self._translations.keep_text(
            typed.source, typed.target, typed.wish, typed.source_language, typed.model, id=effect.number
        )
        return TypedTextStored(stored.id, typed)

    def _read_text(self, effect: ReadTypedText) -> TypedTextRead:
        if (stored := self._translations.get(effect.number)) is None:
            return TypedTextRead(None)
        source, target = self._translations.typed_text(effect.number)
        return TypedTextRead(effect.number, source, target, stored.wish, stored.source_language)


def is_same_text(before: str, after: str) -> bool:
    """Return whether one text was edited into the other: they share a paragraph, or half of the shorter one at its
    ends.
    """
    lines = {line.strip() for line in before.splitlines() if line.strip()}
    if any(line.strip() in lines for line in after.splitlines()):
        return True
    shorter = min(len(before), len(after))
    start = common_start(before, after)
    # Start and end must not overlap, as in "aa" and "aaa".
    return 2 * (start + min(common_start(before[::-1], after[::-1]), shorter - start)) >= shorter
