"""Drafts of jobs are played: what a person does and what threads tell, in any order, on the real store.

After every step nothing that was dropped is lost or in another job, and each job was started once, with its own files
and options.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
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

from app.core.errors.document_errors import DocumentLocked, DocumentUnreadable
from app.core.errors.model_errors import NoModel
from app.core.errors.request_errors import MediaRefused
from app.core.errors.saving_errors import DiskFull
from app.core.json_forms import to_json
from app.core.settings import Settings
from app.documents.folder import ExpandedPaths, SkippedPath
from app.documents.segments import Segment
from app.features import file_reading as f
from app.features.document_library import WHOLE, DocumentLibrary, DocumentStored, ReadRange
from app.features.files_to_read import LARGE_BYTES, Stage
from app.features.summarize.summaries import SummaryJobs
from app.features.summarize.summary_draft import SummaryDraftSession
from app.features.summarize.summary_result import Form, Length, SummaryOptions
from app.features.translate.file_drafts import LeavePictures, TranslationDraftSession
from app.features.translate.translation_events import ADDING, DRAFT, KIND, Pictured, TranslationAdded, TranslationWish
from app.features.translate.translation_jobs import TranslationJobs
from app.features.work import job_draft as d
from app.store.attachments import Attachments
from app.store.database import Database
from app.store.document_store import DocumentStore, StoredDocument
from app.store.jobs import JobTable
from app.store.translation_store import TranslationMemory, TranslationStore
from tests.helpers.playing import FailingWrites, empty_tables, play

TABLES = ("job_documents", "job_results", "translation_segments", "jobs", "blocks", "documents")
FOLDERS = 3
INDEX = st.integers(0, 99)
KINDS = st.lists(st.sampled_from(("file", "file", "sound", "folder")), min_size=1, max_size=3)
WISHES = (SummaryOptions(), SummaryOptions(form=Form.QUESTIONS), SummaryOptions(length=Length.LONG, language="de"))
TARGETS = tuple(TranslationWish(target) for target in ("de", "fr", "en"))


class Playground(FailingWrites):
    """A store with summaries and translations on it, whose transactions can fail, and the settings of a window."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.folder = database, folder
        none = cast(Any, None)
        self.settings = Settings()
        self.library = DocumentLibrary(DocumentStore(database), Attachments(database), Path("/nowhere"))
        self.jobs, self.segments = JobTable(database), TranslationStore(database)
        self.summaries = SummaryJobs(database, self.library, none, lambda: self.settings)
        self.translations = TranslationJobs(
            database, TranslationMemory(database), self.library,
            engines=none, settings=lambda: self.settings, copies=None, child_folder=Path("/nowhere"),
        )  # fmt: skip
        for number in range(FOLDERS):
            (folder / f"d{number}").mkdir(exist_ok=True)
        self.fail_in(database)

    def change(self, **values: Any) -> None:
        if self.count_down():
            raise DiskFull("/home")
        self.settings = replace(self.settings, window=replace(self.settings.window, **values))

    def reset(self) -> None:
        """As before the first start."""
        self.settings, self.fails_in, self.is_armed = Settings(), 0, False
        empty_tables(self.database, TABLES)

    def read(self, path: Path, part: ReadRange = WHOLE) -> StoredDocument:
        """What the child makes of a file; each part of one is a document."""
        store = self.library.store
        if known := [one for one in store.find_read(path, 1, 1) if (one.info.get("part") or None) == _as_part(part)]:
            return known[0]
        row = store.begin_document(path, 1, 1, name=path.name)
        info = {"words": 1} | ({"part": _as_part(part)} if _as_part(part) else {})
        return store.finish_document(row, format_="text", unit="page", pages=9, sha256=path.name, info=info)

    def add_translation(self, path: Path, wish: TranslationWish, source: str) -> Any:
        """What the reading of a file to translate stores at its end."""
        spec = {"wish": to_json(wish), "name": path.name, "path": str(path), "sha256": path.name, "format": "text"}
        job = self.jobs.add(KIND, path.stem, spec | {"source_language": source}, state=ADDING)
        self.segments.add_segments(job.id, [(1, to_json(Segment(1, ("A kiln.",))))])
        self.jobs.update(job.id, state=DRAFT)
        return self.translations.get(job.id)


def _as_part(part: ReadRange) -> dict[str, Any] | None:
    return {"first_page": part.first_page} if part.first_page else None


@dataclass
class Thing:
    """A file that was dropped, as a person sees it: on its way, ready, or refused with a reason."""

    state: str = "way"
    part: ReadRange = WHOLE


class DraftMachine(RuleBasedStateMachine):
    """Commands and events in any order."""

    playground: Playground
    field: str

    def __init__(self) -> None:
        super().__init__()
        self.playground.reset()
        self.count, self.things = 0, dict[str, Thing]()
        self.inside: dict[Path, list[str]] = {}
        self.open_session()

    def open_session(self) -> None:
        """As a tab does when it opens."""
        self.pending: list[Any] = []
        self.removed: list[tuple[f.ReportParts, dict[str, Thing]]] = []
        self.errors = 0
        played, self.session = self.playground, self.new_session()

        def store(effect: f.StoreUnread) -> f.UnreadStored:
            played.change(**{self.field: effect.lines})
            return f.UnreadStored(effect.lines)

        later, ignore = self.pending.append, lambda _effect: None
        self.session.serve_at_once(
            {f.StoreUnread: store, f.FindUnread: lambda _: d.find_unread(getattr(played.settings.window, self.field))}
        )
        self.session.serve(
            dict.fromkeys((f.LookUpFiles, f.ReadFile, f.AskPassword, f.AskAboutSize, f.SaveLater), later)
            | dict.fromkeys((f.CancelReading, f.WakeModel, d.ReportBegun), ignore)
            | {f.BeginScan: self.begin_scan, f.ReportParts: self.hear_of_parts}
            | dict.fromkeys((f.ReportError, f.ReportLeftOut), self.hear_of_error)
        )
        self.session.dispatch(d.FindDraft() if self.field == "unread_summarized" else f.ModelChanged(None))
        self.session.dispatch(f.ResumeFiles())

    def new_session(self) -> d.JobDraftSession:
        raise NotImplementedError

    @property
    def state(self) -> d.JobDraft:
        return self.session.state

    def do(self, message: object) -> None:
        self.playground.is_armed = True
        try:
            self.session.dispatch(message)
        finally:
            self.playground.is_armed = False

    def begin_scan(self, effect: f.BeginScan) -> None:
        """Of every third document pages are read that are pictures."""
        document = effect.part.document
        if sum(map(ord, document.name)) % 3 == 0:
            self.session.dispatch(f.ScansChanged(self.state.scanned | {document.id}))
            self.pending.append(document)

    def hear_of_error(self, _effect: object) -> None:
        self.errors += 1

    def hear_of_parts(self, effect: f.ReportParts) -> None:
        self.errors += effect.kind is f.ReportKind.FAILED
        if effect.kind is f.ReportKind.REMOVED:
            gone = {part.name: self.things[part.name] for part in effect.parts if part.name in self.things}
            self.removed.append((effect, gone))

    # What a person does.

    @initialize(kinds=KINDS)
    def begin(self, kinds: list[str]) -> None:
        self.drop(kinds)

    @rule(kinds=KINDS)
    def drop(self, kinds: list[str]) -> None:
        paths = []
        for kind in kinds:
            self.count += 1
            if kind == "folder":
                folder = self.playground.folder / f"d{self.count % FOLDERS}"
                if any(folder in file.paths for file in self.state.awaited) or folder in paths:
                    continue
                self.inside[folder] = [f"a{self.count}.txt", f"b{self.count}.txt"]
                self.things |= {name: Thing() for name in self.inside[folder]}
                paths.append(folder)
            else:
                name = f"x{self.count}{'.wav' if kind == 'sound' else '.txt'}"
                self.things[name] = Thing()
                paths.append(Path("/", name))
        if self.options is not None:
            # A new batch begins without what was refused.
            self.things = {name: thing for name, thing in self.things.items() if thing.state != "refused"}
        self.do(d.AddFiles(tuple(paths), self.options))

    options: Any = None

    @precondition(lambda self: self.state.parts)
    @rule(which=INDEX, is_told=st.booleans())
    def remove(self, which: int, is_told: bool) -> None:
        part = self.state.parts[which % len(self.state.parts)]
        self.do(d.RemoveFiles((part.key,), is_told))
        self.things.pop(part.name, None)

    @rule(count=st.integers(1, 4))
    def fill_disk(self, count: int) -> None:
        self.playground.fails_in = count

    @rule(model=st.sampled_from((None, "deaf", "hears")))
    def change_model(self, model: str | None) -> None:
        found = SimpleNamespace(path=model, hears=model == "hears")
        self.do(f.ModelChanged(found if model is not None else None))

    @rule()
    def close_and_open(self) -> None:
        self.playground.fails_in = 0
        # What would have to be asked again, and what was refused, with a reason.
        lost = {part.name for part in self.state.parts if part.stage is not Stage.READ and not part.is_kept_unread}
        self.session.dispatch(d.SaveUnread(is_last=True))
        before = self.facts()
        for name in lost:
            self.things.pop(name, None)
        self.open_session()
        assert before == self.facts(), "another draft is there after closing and opening"

    def facts(self) -> object:
        """What is the same after closing and opening."""
        return None

    # What threads tell.

    @precondition(lambda self: self.pending)
    @rule(told=st.lists(st.tuples(INDEX, st.integers(0, 9), st.booleans()), min_size=1, max_size=3))
    def hear(self, told: list[tuple[int, int, bool]]) -> None:
        for which, outcome, is_again in told:
            if self.pending:
                effect = self.pending[which % len(self.pending)]
                if not is_again or isinstance(effect, f.ReadFile):
                    self.pending.remove(effect)
                self.tell(effect, outcome)
                self.check()

    @precondition(lambda self: self.pending)
    @rule()
    def hear_all(self) -> None:
        while self.pending:
            self.tell(self.pending.pop(0), 9)
            self.check()

    def tell(self, effect: Any, outcome: int) -> None:
        match effect:
            case f.LookUpFiles():
                self.tell_found(effect, outcome)
            case f.ReadFile():
                self.tell_read(effect, outcome)
            case f.SaveLater():
                self.do(d.SaveUnread())
            case StoredDocument():
                self.do(f.ScansChanged(self.state.scanned - {effect.id}))
                renewed = self.playground.read(effect.path, ReadRange(first_page=5))
                self.do(d.DocumentRenewed(effect.id, renewed.id, renewed if outcome else None))
            case _:
                self.tell_asked(effect, outcome)

    def tell_found(self, effect: f.LookUpFiles, outcome: int) -> None:
        names = [name for path in effect.paths for name in self.inside.get(path, [path.name])]
        if outcome == 0:
            self.do(f.FilesFound(effect.key, error=DocumentUnreadable("x", "denied")))
            return
        if outcome == 1:
            gone = ExpandedPaths((), (SkippedPath(effect.paths[0], "missing"),))
            self.do(f.FilesFound(effect.key, (), gone))
            return
        paths = tuple(Path("/", name) for name in names)
        size = LARGE_BYTES if outcome == 2 else 1
        files = tuple(f.FoundFile(path, path, size, path.suffix == ".wav") for path in paths)
        self.do(f.FilesFound(effect.key, files, ExpandedPaths(paths)))

    def tell_read(self, effect: f.ReadFile, outcome: int) -> None:
        part, number = effect.part, effect.reading
        errors = {
            0: DocumentUnreadable(str(part.path), "damaged"),
            1: DocumentLocked(str(part.path), is_wrong=False),
            2: NoModel() if part.is_heard else None,
            3: MediaRefused("x", "sound", "deaf") if part.is_heard else None,
        }
        error = errors.get(outcome)
        if error is None:
            error = self.tell_whole(effect, outcome)
        for _ in range(2):
            self.do(f.FileEnded(number, error))
        now = self.state.find(part.key)
        if now is not None and part.name in self.things and now.stage is Stage.READ:
            self.things[part.name] = Thing("ready", now.part)

    def tell_whole(self, effect: f.ReadFile, outcome: int) -> Exception | None:
        raise NotImplementedError

    def tell_asked(self, effect: f.AskPassword | f.AskAboutSize, outcome: int) -> None:
        part = self.state.find(effect.part.key)
        if outcome and part is not None:
            self.do(f.ReadAgain(part.key, password="spring" if isinstance(effect, f.AskPassword) else None))
        elif part is not None and part.stage in (Stage.ASKED, Stage.LOCKED):
            self.things.pop(part.name, None)
            self.do(d.RemoveFiles((part.key,)))

    # What holds after each of these.

    @invariant()
    def check(self) -> None:
        there = [part.name for part in self.state.parts]
        there += [name for file in self.state.awaited for path in file.paths for name in self.names_at(path)]
        assert len(there) == len(set(there)), "something is in the draft twice"
        done = self.check_stored()
        for name, thing in list(self.things.items()):
            is_failed = any(part.name == name and part.error for part in self.state.parts)
            if name not in there and name not in done:
                assert thing.state == "way" and self.errors, f"{name} is lost"
                del self.things[name]
            elif is_failed or thing.state == "refused":
                thing.state = "refused" if is_failed else "way"
        assert not set(there) - set(self.things), "something is in the draft that was not put there"
        waiting = {part.key for part in self.state.parts if part.stage is Stage.WAITS and not part.awaits_model}
        assert waiting == set(self.state.line), "a file waits for nothing"
        assert self.state.line == () or self.state.readings, "nothing is read though files wait"
        self.errors = 0

    def names_at(self, path: Path) -> list[str]:
        return self.inside.get(path, [path.name])

    def check_stored(self) -> set[str]:
        """Return the names of what has become a job."""
        raise NotImplementedError


class SummaryMachine(DraftMachine):
    field = "unread_summarized"

    def __init__(self) -> None:
        self.begun: list[tuple[tuple[str, ...], SummaryOptions]] = []
        super().__init__()

    def new_session(self) -> SummaryDraftSession:
        return SummaryDraftSession(self.playground.summaries, self.playground.library)

    @rule(which=st.sampled_from(WISHES), is_together=st.booleans())
    def change_options(self, which: SummaryOptions, is_together: bool) -> None:
        self.do(d.ChangeOptions(which, is_together))

    @precondition(lambda self: self.state.documents)
    @rule(which=INDEX)
    def choose_pages(self, which: int) -> None:
        part = next(part for part in self.state.parts if part.document is not None)
        if part.stage is Stage.READ:
            self.do(f.ReadAgain(part.key, part=ReadRange(first_page=1 + which % 3)))
            self.things[part.name] = Thing()

    @precondition(lambda self: self.removed)
    @rule(which=INDEX)
    def put_back(self, which: int) -> None:
        effect, gone = self.removed.pop(which % len(self.removed))
        for _ in range(2):
            self.do(d.PutBackFiles(tuple(part.key for part in effect.parts)))
        self.things |= {name: Thing(thing.state if thing.state == "ready" else "way") for name, thing in gone.items()}

    @rule(is_twice=st.booleans())
    def start(self, is_twice: bool) -> None:
        state, before = self.state, len(self.playground.summaries.find())
        names = tuple(document.name for document in state.documents)
        for _ in range(1 + is_twice):
            self.do(d.StartJobs(state.options, state.is_together))
        if len(self.playground.summaries.find()) > before:
            assert not state.is_reading, "a summary began before its files were there"
            groups = [names] if state.is_together else [(name,) for name in names]
            self.begun += [(group, state.options) for group in groups]
            self.things = {}
            assert not self.state.parts
        else:
            assert state.is_reading or not names or self.errors, "it was not started"

    def tell_whole(self, effect: f.ReadFile, outcome: int) -> Exception | None:
        document = self.playground.read(effect.part.path, effect.part.part)
        for _ in range(1 + outcome % 2):
            self.do(f.FileProgressed(effect.reading, DocumentStored(document)))
        return None

    def facts(self) -> object:
        state = self.state
        return (state.document_ids, state.options, state.is_together) if state.documents else None

    def check_stored(self) -> set[str]:
        summaries, store = self.playground.summaries, self.playground.library.store
        found = [(tuple(store.get(n).name for n in row.document_ids), row.wish) for row in summaries.find()]  # type: ignore[union-attr]
        assert sorted(map(str, found)) == sorted(map(str, self.begun)), "another job was begun than was asked for"
        draft, state = summaries.find_draft(), self.state
        if not self.errors and not state.has_failed:
            stored = (draft.document_ids, draft.wish, draft.is_together) if draft is not None else ()
            assert stored == ((state.document_ids, state.options, state.is_together) if state.documents else ())
        ready = {name for name, thing in self.things.items() if thing.state == "ready"}
        assert ready <= {document.name for document in state.documents}, "what was ready is not in the draft"
        return set()


class TranslationMachine(DraftMachine):
    field = "unread_translated"

    def __init__(self) -> None:
        self.options = TARGETS[0]
        self.begun: set[int] = set()
        super().__init__()

    def new_session(self) -> TranslationDraftSession:
        return TranslationDraftSession(self.playground.translations, lambda _source: "it")

    @rule(which=st.sampled_from(TARGETS))
    def change_options(self, which: TranslationWish) -> None:
        """As the view does for the open draft and the others of its batch."""
        translations = self.playground.translations
        self.options = which
        self.session.dispatch(d.ChangeOptions(which))
        for number in self.state.batch:
            stored = translations.get(number)
            if stored is not None and number not in self.begun:
                source = stored.source_language
                translations.change_wish(number, replace(which, target="it") if source == which.target else which)

    @precondition(lambda self: self.state.batch)
    @rule()
    def start(self) -> None:
        ids = [number for number in self.state.batch if number not in self.begun]
        self.playground.translations.begin_translations(ids)
        self.begun |= set(ids)

    @rule()
    def leave_pictures(self) -> None:
        self.do(LeavePictures())

    def tell_whole(self, effect: f.ReadFile, outcome: int) -> Exception | None:
        part, number, played = effect.part, effect.reading, self.playground
        if outcome == 4 and not part.leaves_pictures:
            self.do(f.FileProgressed(number, Pictured(played.read(part.path))))
            return DocumentUnreadable(str(part.path), "pictures")
        source = "en" if outcome == 5 else "sv"
        added = TranslationAdded(played.add_translation(part.path, self.options_at[number], source))
        for _ in range(1 + outcome % 2):
            self.do(f.FileProgressed(number, added))
        return None

    def begin_scan(self, effect: f.BeginScan) -> None:
        self.pending.append(effect.part.document)

    options_at: dict[int, TranslationWish]

    def open_session(self) -> None:
        self.options_at = {}
        super().open_session()
        reading = self.session._serving[f.ReadFile]

        def read_file(effect: f.ReadFile) -> None:
            # The reading begins with the options of now, and they may be others at its end.
            self.options_at[effect.reading] = self.state.options or self.options
            reading(effect)

        self.session.serve({f.ReadFile: read_file})
        for effect in self.pending:
            if isinstance(effect, f.ReadFile):
                self.options_at[effect.reading] = self.options

    def check_stored(self) -> set[str]:
        rows = self.playground.translations.find()
        names = [row.name for row in rows]
        assert len(names) == len(set(names)), "a file has become two translations"
        assert set(names) <= set(self.things), "what was removed is in the list"
        for row in rows:
            self.things[row.name].state = "ready"
            wish = self.options
            if row.id in self.state.batch and row.id not in self.begun and not self.errors:
                target = "it" if row.source_language == wish.target else wish.target
                assert row.wish.target == target, "a file of the batch has other options"
            assert row.state == ("queued" if row.id in self.begun else DRAFT)
        return set(names)


@pytest.mark.timeout(900)  # seconds of one processor, which other work may share
@pytest.mark.parametrize("machine", [SummaryMachine, TranslationMachine])
def test_a_hundred_and_fifty_sequences_lose_nothing(tmp_path: Path, machine: type[DraftMachine]) -> None:
    playground = Playground(Database.in_memory(), tmp_path)
    play(machine, playground, playground.database.close, sequences=150, steps=12)


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("machine", [SummaryMachine, TranslationMachine])
def test_none_of_ten_thousand_sequences_loses_anything(tmp_path: Path, machine: type[DraftMachine]) -> None:
    playground = Playground(Database.open(tmp_path / "fireside.db"), tmp_path)
    play(machine, playground, playground.database.close, sequences=10_000, steps=20)
