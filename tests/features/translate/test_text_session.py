"""A typed text is played: what a person does and what threads tell, in any order, on the real history.

After every step nothing that was typed is lost or in another text's place, and what is stored as a text's translation
is that of this text, into the language that it says.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from app.core.settings import Settings
from app.documents.segments import plain
from app.features import file_reading as f
from app.features.document_library import DocumentLibrary
from app.features.translate import text_session as t
from app.features.translate.live import segments_of
from app.features.translate.translation_events import SegmentDone, SegmentGrows, Translated, TranslationWish
from app.features.translate.translation_jobs import TranslationJobs
from app.store.attachments import Attachments
from app.store.database import Database
from app.store.document_store import DocumentStore
from app.store.translation_store import TranslationMemory
from tests.helpers.playing import FailingWrites, empty_tables, play

TABLES = ("job_results", "translation_segments", "jobs")
INDEX = st.integers(0, 99)
USUAL = ("de", "fr")


@dataclass(frozen=True)
class PlayedModel:
    """What a model can, as the window finds out."""

    model: Path | None
    translates: bool = True
    languages: tuple[str, ...] = ("de", "en", "fr", "sv")
    takes_formality: bool = True
    takes_domain: bool = True

    def can(self, _source: str, target: str) -> bool:
        return self.translates and target in self.languages


MODELS = (None, PlayedModel(None, translates=False), PlayedModel(Path("a.gguf")), PlayedModel(Path("b.gguf")))


class Playground(FailingWrites):
    """A store with translations on it, whose transactions can fail."""

    def __init__(self, database: Database) -> None:
        self.database, none = database, cast(Any, None)
        library = DocumentLibrary(DocumentStore(database), Attachments(database), Path("/nowhere"))
        self.translations = TranslationJobs(
            database, TranslationMemory(database), library,
            engines=none, settings=Settings, copies=None, child_folder=Path("/nowhere"),
        )  # fmt: skip
        self.is_armed = True
        self.fail_in(database)

    def reset(self) -> None:
        self.fails_in = 0
        empty_tables(self.database, TABLES)


class TextMachine(RuleBasedStateMachine):
    """Commands and events in any order."""

    playground: Playground

    def __init__(self) -> None:
        super().__init__()
        self.playground.reset()
        self.count = 0
        self.accepted: set[str] = set()
        self.open_session()

    def open_session(self) -> None:
        self.pending: list[Any] = []
        self.known = set(self.stored())
        self.text, self.errors = "", 0
        self.torn: set[int | None] = set()
        self.others: dict[int, tuple[str, str]] = {}
        """Stored texts that are not shown."""
        self.session = t.TextSession(self.playground.translations, TranslationWish("de"), USUAL)
        later, ignore = self.pending.append, lambda _effect: None
        self.session.serve(
            dict.fromkeys((t.TranslateLater, f.SaveLater, t.DetectLanguage, t.TranslateText, t.TranslateBack), later)
            # What is stopped may have been told already.
            | dict.fromkeys((t.StopWork, t.StopBack, t.FindModel, t.ReportTranslated, t.ReportModelLoaded), ignore)
            | {f.ReportError: self.hear_of_error}
        )
        self.session.dispatch(t.ShowNewText())

    @property
    def state(self) -> t.TextState:
        return self.session.state

    def hear_of_error(self, _effect: object) -> None:
        self.errors += 1
        # What could not be stored as a whole is told, and stored again with the next change.
        self.torn |= {self.state.number} | (set(self.stored()) - self.known)

    def stored(self) -> dict[int, tuple[str, str]]:
        translations = self.playground.translations
        return {row.id: translations.typed_text(row.id) for row in translations.find()}

    # What a person does.

    @initialize(model=st.sampled_from((*MODELS, MODELS[-1])))
    def begin(self, model: PlayedModel | None) -> None:
        self.change_model(model)
        self.translate("word")

    @rule(how=st.sampled_from(("word", "line", "other")))
    def translate(self, how: str) -> None:
        """A text, and all that follows."""
        self.type(how)
        for _ in range(12):
            if self.pending:
                self.tell(self.pending.pop(0), 5)
                self.check()

    @rule(how=st.sampled_from(("word", "word", "line", "other", "clear")))
    def type(self, how: str) -> None:
        self.count += 1
        word = f"w{self.count}"
        texts = {"word": f"{self.text} {word}".strip(), "line": f"{self.text}\n{word}".strip(), "clear": ""}
        self.text = texts.get(how, f"another {self.count * 7919} {word}")
        self.session.dispatch(t.TypeSource(self.text))

    @rule(has_text=st.booleans())
    def show_new(self, has_text: bool) -> None:
        self.count += 1
        self.leave(t.ShowNewText(f"given {self.count}" if has_text else ""))
        self.text = f"given {self.count}" if has_text else ""

    @rule(which=INDEX)
    def show_stored(self, which: int) -> None:
        known = self.stored()
        if known:
            number = sorted(known)[which % len(known)]
            if number == self.state.number:
                self.session.dispatch(t.ShowStoredText(number))
                return
            self.leave(t.ShowStoredText(number))
            self.others.pop(number, None)
            self.text = known[number][0]
            assert self.state.number == number

    def leave(self, message: object) -> None:
        """Show another text; the one before is stored, or that it could not be is told."""
        before, self.errors = self.text, 0
        self.session.dispatch(message)
        sources = [source for source, _ in self.stored().values()]
        assert not before.strip() or before in sources or self.errors, "a text was left and is not stored"
        self.others = {number: texts for number, texts in self.stored().items() if number != self.state.number}

    @rule(into=st.sampled_from(("de", "fr", "en")), source=st.sampled_from(("", "", "sv")), is_swapped=st.booleans())
    def change_languages(self, into: str, source: str, is_swapped: bool) -> None:
        state = self.state
        wish = replace(state.wish, target=into, source=source)
        if is_swapped and state.is_complete and state.paragraphs.text.strip():
            self.text = state.paragraphs.text
        self.session.dispatch(t.ChangeLanguages(wish, True, USUAL, is_swapped))

    @rule(model=st.sampled_from(MODELS))
    def change_model(self, model: PlayedModel | None) -> None:
        self.session.dispatch(t.ChangeModel(model))

    @rule(message=st.sampled_from((t.TranslateNow(), t.StopTranslating(), t.CloseText(), t.SaveText(), t.GoOn())))
    def do_seldom(self, message: object) -> None:
        self.errors = 0
        self.session.dispatch(message)
        if isinstance(message, t.CloseText | t.SaveText) and self.text.strip() and not self.errors:
            assert self.stored()[cast(int, self.state.number)][0] == self.text, "it was not stored"

    @rule(is_on=st.booleans())
    def switch_back(self, is_on: bool) -> None:
        self.session.dispatch(t.SwitchBack(is_on))

    @precondition(lambda self: self.state.paragraphs.segments)
    @rule(which=INDEX, is_accepted=st.booleans())
    def change_paragraph(self, which: int, is_accepted: bool) -> None:
        segments = self.state.paragraphs.segments
        number = segments[which % len(segments)].id
        if is_accepted and number in self.state.paragraphs.translated:
            self.accepted.add(plain(self.state.paragraphs.translated[number].content))
        self.session.dispatch(t.AcceptParagraph(number) if is_accepted else t.TranslateAgain(number))

    @rule(count=st.integers(1, 4))
    def fill_disk(self, count: int) -> None:
        self.playground.fails_in = count

    @rule()
    def close_and_open(self) -> None:
        self.playground.fails_in = 0
        self.leave(t.CloseText())
        number, text = self.state.number, self.text
        before = self.stored()
        self.open_session()
        if number is not None and text.strip():
            self.session.dispatch(t.ShowStoredText(number))
            self.text = text
            assert self.state.text == text
            assert self.state.paragraphs.text == before[number][1]
        self.others = {other: texts for other, texts in before.items() if other != self.state.number}
        assert self.stored() == before, "opening changed what is stored"

    # What threads tell.

    @precondition(lambda self: self.pending)
    @rule(told=st.lists(st.tuples(INDEX, st.integers(0, 5), st.booleans()), min_size=1, max_size=3))
    def hear(self, told: list[tuple[int, int, bool]]) -> None:
        for which, outcome, is_again in told:
            if self.pending:
                effect = self.pending[which % len(self.pending)]
                if not is_again:
                    self.pending.remove(effect)
                self.tell(effect, outcome)
                self.check()

    @precondition(lambda self: self.pending)
    @rule()
    def hear_all(self) -> None:
        for _ in range(len(self.pending) + 5):
            if self.pending:
                self.tell(self.pending.pop(0), 5)
                self.check()

    def tell(self, effect: Any, outcome: int) -> None:
        tell = self.session.dispatch
        match effect:
            case t.TranslateLater():
                tell(t.TranslateNow())
            case f.SaveLater():
                tell(t.SaveText())
            case t.DetectLanguage():
                tell(t.LanguageFound(effect.number, ("", "sv", "de", "fr", "sv", "sv")[outcome]))
            case t.TranslateText() if outcome == 0:
                tell(t.WorkFailed())
            case t.TranslateText():
                self.tell_translated(effect, outcome)
            case t.TranslateBack():
                tell(t.BackProgressed(effect.run, f"back {effect.text}"))

    def tell_translated(self, effect: t.TranslateText, outcome: int) -> None:
        tell, segments = self.session.dispatch, segments_of(effect.text)
        known = {
            one.id: replace(effect.known[one.content], id=one.id) for one in segments if one.content in effect.known
        }
        tell(t.ParagraphsFound(effect.run, tuple(segments), effect.wish.source or effect.source_language, known))
        for segment in segments[: outcome or None] if effect.wish.target != effect.wish.source else ():
            if segment.id not in known:
                words = translated(segment.text, effect.wish.target, effect.model.name)
                tell(t.TextProgressed(effect.run, SegmentGrows(segment.id, words)))
                done = SegmentDone(Translated(segment.id, (words,)), 1, len(segments))
                for _ in range(1 + outcome % 2):
                    tell(t.TextProgressed(effect.run, done))
        for _ in range(2):
            tell(t.TextEnded(effect.run, is_partial=outcome == 1, seconds=1.0))

    # What holds after each of these.

    @invariant()
    def check(self) -> None:
        state = self.state
        assert state.text == self.text, "another text is shown than was typed"
        assert not state.run or state.run_text == state.text, "another text is being translated"
        now = self.stored()
        self.known = set(now)
        for number, texts in self.others.items():
            if number != state.number:
                assert now[number] == texts, "a text that is not shown was changed"
        translations = self.playground.translations
        for number, (source, target) in now.items():
            row = translations.get(number)
            assert row is not None
            if target and number not in self.torn:
                self.check_translation(source, target, row.wish.target)
        if state.is_complete and not state.paragraphs.is_apart:
            self.check_translation(state.text, state.paragraphs.text, state.wish.target)
        if state.back and state.back_run and state.is_complete:
            assert state.back == f"back {state.paragraphs.text}", "another text was translated back"

    def check_translation(self, source: str, target: str, language: str) -> None:
        sources, targets = segments_of(source), segments_of(target)
        words = [(one.text, plain(other.content)) for one, other in zip(sources, targets, strict=True)]
        assert all(other.startswith(f"{language}.") and other.endswith(f":{one}") for one, other in words), (
            f"{target!r} is stored or shown as the translation of {source!r} into {language}"
        )
        # What a person accepted stays, whichever model it is of.
        models = {other.split(":")[0] for _, other in words if other not in self.accepted}
        assert len(models) <= 1, "the words of two models are mixed"


def translated(words: str, target: str, model: str) -> str:
    """What a model makes of a paragraph."""
    return f"{target}.{model}:{words}"


@pytest.mark.timeout(900)  # seconds of one processor, which other work may share
def test_a_hundred_and_fifty_sequences_lose_nothing() -> None:
    playground = Playground(Database.in_memory())
    play(TextMachine, playground, playground.database.close, sequences=150, steps=14)


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_ten_thousand_sequences_lose_nothing(tmp_path: Path) -> None:
    playground = Playground(Database.open(tmp_path / "fireside.db"))
    play(TextMachine, playground, playground.database.close, sequences=10_000, steps=20)
