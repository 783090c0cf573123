"""The drafts and queues of chats are played: what a person does and what threads tell, on the real store.

After every step nothing that was typed, dropped or recorded is lost or in another chat, and each message was stored
once, with what its draft had.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from app.core.errors.document_errors import DocumentLocked, DocumentUnreadable, PictureUnreadable
from app.core.errors.model_errors import NoModel
from app.core.errors.request_errors import MediaRefused
from app.core.errors.saving_errors import DiskFull
from app.core.settings import Settings
from app.documents.folder import ExpandedPaths, SkippedPath
from app.features import file_reading as f
from app.features.chat import session_messages as m
from app.features.chat.answer_service import AnswerService
from app.features.chat.message_draft import ChatPlace, DraftDocument, DraftPart, DraftPicture
from app.features.chat.prompt_inspector import DocumentFit
from app.features.chat.session import ChatSession
from app.features.chat.session_state import ChatState, QueueState
from app.features.chat.session_store import SessionStore
from app.features.document_library import DocumentLibrary, DocumentStored
from app.features.files_to_read import LARGE_BYTES, Stage
from app.features.media import UnsavedPicture
from app.store.attachments import Attachments
from app.store.conversations import Conversations
from app.store.database import Database
from app.store.document_store import DocumentStore
from app.store.media_store import StoredMedia
from tests.helpers.playing import FailingWrites, empty_tables

WORD = re.compile(r"w\d+")
TABLES = ("messages", "queued_messages", "attachments", "media_uses", "media", "blocks", "documents")
TABLES += ("conversations", "projects")
FOLDERS = 4
INDEX = st.integers(0, 99)
KINDS = st.lists(
    st.sampled_from(("word", "word", "file", "folder", "picture", "sound", "recording", "paste", "drawn")),
    min_size=1,
    max_size=3,
)
SELDOM = (m.TypeText(""), m.TakeBack(), m.SaveDraft(), m.SendingAllowed(True), m.SendingAllowed(False))


class Playground(FailingWrites):
    """A store with the services of a chat on it, whose transactions can fail, and the settings of a window."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.folder, self.settings = database, folder, Settings()
        self.model: Any = None
        for number in range(FOLDERS):
            (folder / f"d{number}").mkdir()
        self.kept = self._service(database)
        self._temporary = Database.in_memory()
        for one in (database, self._temporary):
            self.fail_in(one)

    def _service(self, database: Database, *, is_temporary: bool = False) -> AnswerService:
        documents = DocumentLibrary(DocumentStore(database), Attachments(database), Path("/nowhere"))
        none, engine = cast(Any, None), cast(Any, SimpleNamespace(loaded=None))
        return AnswerService(
            lambda: engine,
            Conversations(database),
            documents,
            lambda: self.settings,
            none,
            media=none,
            is_temporary=is_temporary,
        )

    def new_temporary(self) -> AnswerService:
        """One at a time: what an earlier one had is gone."""
        empty_tables(self._temporary, TABLES)
        return self._service(self._temporary, is_temporary=True)

    def change(self, section: str, **values: Any) -> None:
        """Settings change as the program's."""
        if self.count_down():
            raise DiskFull("/home")
        self.settings = replace(self.settings, **{section: replace(getattr(self.settings, section), **values)})

    def databases(self) -> Iterator[tuple[bool, Database]]:
        """The program's and the temporary chat's."""
        return iter(((False, self.database), (True, self._temporary)))

    def reset(self) -> None:
        """As before the first start."""
        self.settings, self.model, self.fails_in, self.is_armed = Settings(), None, 0, False
        empty_tables(self.database, TABLES)
        empty_tables(self._temporary, TABLES)

    def close(self) -> None:
        """Both databases."""
        self.database.close()
        self._temporary.close()


@dataclass(eq=False)
class Home:
    """A chat as a person sees it, whatever its number: what was put into its draft, and what was sent from there."""

    talk: AnswerService
    number: int | None
    words: set[str] = field(default_factory=set)
    things: dict[str, str] = field(default_factory=dict)
    """Names of what is in the draft: on its way, or ready."""
    sent: dict[frozenset[str], frozenset[str]] = field(default_factory=dict)
    """Names that went with the words of a message."""
    is_closed: bool = False
    may_go_on: bool = False
    """Whether its queue may be sent without a person saying so again."""
    resumes: bool = False
    """Its queue goes on after an answer that ends well."""

    @property
    def place(self) -> ChatPlace:
        return ChatPlace(self.talk, self.number)


class SessionMachine(RuleBasedStateMachine):
    """Commands and events in any order."""

    playground: Playground

    def __init__(self) -> None:
        super().__init__()
        self.playground.reset()
        self.count = 0
        self.created: int | None = None
        self.homes: list[Home] = []
        self.gone_chats: list[Home] = []
        self.inside: dict[Path, list[str]] = {}
        self.edited: dict[bool, set[int]] = {False: set(), True: set()}
        """Ids of versions of questions, which have the same things, in the program's store and in a temporary one."""
        self.open_session()

    def open_session(self) -> None:
        """As a window does when it opens."""
        self.pending: list[Any] = []
        self.running: dict[int, Any] = {}
        self.removed: list[tuple[Home, dict[str, str], f.ReportParts]] = []
        self.unqueued: list[m.ReportUnqueued] = []
        self.errors = 0
        self.may_appear = False
        self.pause_queues()
        played = self.playground
        store = SessionStore(
            played.kept,
            lambda: played.settings,
            played.change,
            loaded=lambda: played.model,
            create_chat=self.create_chat,
        )
        self.session = ChatSession(ChatPlace(played.kept), store)
        later, ignore = self.pending.append, lambda _effect: None
        self.session.serve(
            dict.fromkeys((f.LookUpFiles, f.ReadFile, m.OpenPictures, m.LoadPreviews, m.CountDocuments), later)
            | dict.fromkeys((m.CountPictures, f.AskPassword, f.AskAboutSize, f.SaveLater, m.AskForNext), later)
            | dict.fromkeys((f.CancelReading, m.WatchScans, m.StopScans, f.WakeModel, m.TouchChat, m.TextBegun), ignore)
            | dict.fromkeys((m.ReportQueued, m.ReportRaised, m.ReportSent, m.ReportStarted), ignore)
            | dict.fromkeys((m.ReportBusy, m.ReportMemoryMoved, m.CloseEditor, m.FocusMessage), ignore)
            | dict.fromkeys((f.ReportError, f.ReportLeftOut), self.hear_of_error)
            | {
                f.BeginScan: self.begin_scan,
                f.ReportParts: self.hear_of_parts,
                m.ReportUnqueued: self.unqueued.append,
                m.SubmitMessage: lambda effect: self.session.dispatch(m.SendMessage(effect.is_whole)),
                m.StartAnswer: self.start_answer,
            }
        )
        self.session.dispatch(m.ShowChat(ChatPlace(self.playground.kept)))
        self.session.dispatch(f.ResumeFiles())

    def pause_queues(self) -> None:
        """From now on no queue goes on by itself."""
        for home in self.homes:
            home.may_go_on = home.resumes = False

    def create_chat(self) -> int:
        """What the chat's options do."""
        self.created = self.state.place.talk.conversations.create(project_id=self.state.project_id).id
        assert self.created is not None
        return self.created

    @property
    def state(self) -> ChatState:
        return self.session.state

    @property
    def home(self) -> Home:
        """The chat that is shown."""
        return self.home_of(self.state.place)

    def home_of(self, place: ChatPlace) -> Home:
        """The chat at a place; a new one takes the number that it is stored with."""
        found = next((home for home in self.homes if home.place == place), None)
        if found is None:
            found = next((home for home in self.homes if home.place == ChatPlace(place.talk)), None)
            if found is None or place.conversation_id != self.created:
                found = Home(place.talk, place.conversation_id)
                self.homes.append(found)
            found.number = place.conversation_id
        return found

    def do(self, message: object) -> None:
        """What happens at once, in which a write may fail."""
        self.playground.is_armed = True
        try:
            self.session.dispatch(message)
        finally:
            self.playground.is_armed = False

    def name(self, letter: str) -> str:
        """A name that nothing else has."""
        self.count += 1
        return f"{letter}{self.count}"

    # What the window does at once.

    def begin_scan(self, effect: f.BeginScan) -> None:
        """Of every third document pages are read that are pictures."""
        document = effect.part.document
        assert document is not None
        if sum(map(ord, document.name)) % 3 == 0:
            scanned = (effect.part.place.talk.is_temporary, document.id)
            self.session.dispatch(f.ScansChanged(self.state.scanned | {scanned}))
            self.pending.append((scanned, effect.part.name))
        else:
            self.make_ready(effect.part)
        self.session.dispatch(m.ScanDecided(effect.part.key))

    def make_ready(self, part: DraftPart) -> None:
        """It is in the store, and nothing of it is to come."""
        things = self.home_of(part.place).things
        if part.name in things:
            things[part.name] = "ready"

    def hear_of_error(self, _effect: object) -> None:
        """Something was told to a person."""
        self.errors += 1

    def hear_of_parts(self, effect: f.ReportParts) -> None:
        """What was taken out can be put back; what failed is said."""
        self.errors += effect.kind is f.ReportKind.FAILED
        if effect.kind is f.ReportKind.REMOVED:
            home = self.home_of(effect.parts[0].place)
            self.removed.append((home, {part.name: "ready" for part in effect.parts}, effect))
        if effect.kind is f.ReportKind.ATTACHED and isinstance(effect.parts[0], DraftPicture):
            self.make_ready(effect.parts[0])

    def start_answer(self, effect: m.StartAnswer) -> None:
        """An answer runs until it is told that it ended."""
        raise NotImplementedError

    def end_answer(self, key: int, how: str) -> None:
        """It ends well, badly, or because it was stopped."""
        raise NotImplementedError

    # What a person does.

    @initialize(kinds=KINDS)
    def begin(self, kinds: list[str]) -> None:
        self.write(kinds)

    @rule(kinds=KINDS)
    def write(self, kinds: list[str]) -> None:
        for kind in kinds:
            DROPS.get(kind, SessionMachine.drop)(self, kind)

    def type_word(self, _kind: str) -> None:
        """One more word in the message."""
        word = self.name("w")
        self.home.words.add(word)
        self.do(m.TypeText(f"{self.state.text} {word}".strip()))

    def drop(self, kind: str) -> None:
        """A file, a picture or a text that was pasted."""
        name = self.name("x") + {"picture": ".png", "sound": ".wav", "drawn": ".png"}.get(kind, ".txt")
        self.home.things[name] = "way"
        if kind == "paste":
            self.do(m.AttachFile(Path(name), text=f"pasted {name}", key=self.session.new_key()))
        elif kind == "drawn":
            self.do(m.AttachPictures((UnsavedPicture(Path(name), b"drawn"),), name))
        else:
            self.do(m.AttachFiles((Path("/", name),)))

    def drop_folder(self, _kind: str) -> None:
        """A folder with two files."""
        folder = self.playground.folder / f"d{self.count % FOLDERS}"
        if not any(folder in file.paths for file in self.state.awaited):
            self.inside[folder] = [f"{self.name('f')}.txt", f"{self.name('f')}.txt"]
            self.home.things |= dict.fromkeys(self.inside[folder], "way")
            self.do(m.AttachFiles((folder,)))

    def stop_recording(self, _kind: str) -> None:
        """It is saved in a moment."""
        name, key = f"{self.name('r')}.wav", self.session.new_key()
        self.home.things[name] = "way"
        self.do(m.ExpectFile(name, key))
        self.pending.append(m.FileMade(key, Path("/", name)))

    @precondition(lambda self: self.state.shown)
    @rule(which=INDEX, what=st.sampled_from(("remove", "remove", "into message", "whole", "background")))
    def change_part(self, which: int, what: str) -> None:
        part, home = self.state.shown[which % len(self.state.shown)], self.home
        if what == "remove":
            self.home.things.pop(part.name, None)
            self.do(m.RemoveParts((part.key,)))
        elif what == "into message" and isinstance(part, DraftDocument) and part.text:
            self.home.things.pop(part.name, None)
            self.home.words.add(part.name)
            self.do(m.PutIntoMessage(part.key))
        else:
            self.do(m.ChooseUse(part.key, what == "background"))
        # What could not be taken out of the store is there again, which is said.
        if self.errors and part.name in [name for name, *_ in self.rows()[1]]:
            home.things[part.name] = "ready"

    @precondition(lambda self: self.removed)
    @rule(which=INDEX)
    def put_back(self, which: int) -> None:
        home, things, effect = self.removed.pop(which % len(self.removed))
        self.do(m.PutBackParts(tuple(part.key for part in effect.parts)))
        stored = {name for name, *_ in self.rows()[1]}
        if not home.is_closed:
            home.things |= {name: state for name, state in things.items() if name in stored}

    @rule()
    def send(self) -> None:
        home, before = self.home, len(self.home.sent)
        is_ready = bool(home.words or any(name.endswith(".png") for name in home.things))
        is_ready = is_ready and "way" not in home.things.values()
        self.may_appear = True
        self.do(m.SendMessage())
        is_excused = not is_ready or self.errors
        self.check()
        assert is_excused or len(home.sent) > before, "it was not sent"

    @rule(kinds=KINDS, is_ready=st.booleans())
    def write_and_send(self, kinds: list[str], is_ready: bool) -> None:
        self.write(["word", *kinds])
        if is_ready and self.pending:
            self.hear_all(ends_well=False)
        self.send()

    @rule(which=INDEX)
    def show(self, which: int) -> None:
        kept = [home.place for home in self.homes if not home.talk.is_temporary]
        places = [ChatPlace(self.playground.kept), *kept]
        if which % 5:
            self.leave(places[which % len(places)])
            return
        # One store for all temporary chats: what the one before had is forgotten first.
        if self.state.place.talk.is_temporary:
            self.leave(ChatPlace(self.playground.kept))
        self.leave(ChatPlace(self.playground.new_temporary()))

    def leave(self, place: ChatPlace) -> None:
        """Show another chat; a temporary one that is left is forgotten."""
        self.do(m.ShowChat(place))
        for home in self.homes:
            home.is_closed = home.talk.is_temporary and home.talk is not self.state.place.talk

    @rule(message=st.sampled_from(SELDOM))
    def do_seldom(self, message: object) -> None:
        if message == m.TypeText(""):
            self.home.words.clear()
        self.do(message)

    @precondition(lambda self: self.state.queue)
    @rule(which=INDEX, what=st.sampled_from(("edit", "leave", "change", "remove", "raise", "send", "pause")))
    def change_queue(self, which: int, what: str) -> None:
        message = self.state.queue[which % len(self.state.queue)]
        commands = {
            "edit": m.EditQueued(message.id),
            "leave": m.EditQueued(None),
            "change": m.ChangeQueued(message.id, f"{message.text} "),
            "remove": m.RemoveQueued(message.id),
            "raise": m.RaiseQueued(message.id),
            "send": m.SendQueue(),
            "pause": m.PauseQueue(),
        }
        if what == "pause":
            self.pause_queues()
        self.home.may_go_on |= what == "send"
        self.do(commands[what])

    @precondition(lambda self: self.unqueued)
    @rule()
    def put_back_queued(self) -> None:
        effect = self.unqueued.pop()
        if effect.place.talk in (self.playground.kept, self.state.place.talk):
            self.do(m.PutBackQueued(effect.place, effect.message))

    @rule(count=st.integers(1, 4))
    def fill_disk(self, count: int) -> None:
        self.playground.fails_in = count

    @rule(model=st.sampled_from((None, "blind", "sees")))
    def change_model(self, model: str | None) -> None:
        found = SimpleNamespace(path=model, context_tokens=8, sees=model == "sees", hears=model == "sees", host="")
        self.playground.model = found if model is not None else None
        self.do(f.ModelChanged(self.playground.model))

    @rule()
    def close_and_open(self) -> None:
        """The window closes, which lets a recording end, and opens again."""
        self.playground.fails_in = 0
        for event in [event for event in self.pending if isinstance(event, m.FileMade)]:
            self.do(event)
        self.leave(ChatPlace(self.playground.kept))
        parts = [*self.state.parts, *self.state.awaited]
        # What would have to be asked again, or is no file.
        asked = (Stage.ASKED, Stage.LOCKED)
        lost = {p.name for p in parts if isinstance(p, DraftDocument) and (p.stage in asked or p.password)}
        lost |= {part.name for part in parts if isinstance(part, DraftPicture) and not isinstance(part.given, Path)}
        pasted = {part.name for part in parts if isinstance(part, DraftDocument) and part.text and not part.attachment}
        self.session.dispatch(m.SaveDraft(is_last=True))
        for home in self.homes:
            home.words |= pasted & set(home.things)
            home.things = {n: state for n, state in home.things.items() if n not in pasted | lost or state == "ready"}
            # Pages that were being read are read on by themselves.
            stored = {name for name, *_ in self.rows()[1]}
            home.things = {name: "ready" if name in stored else state for name, state in home.things.items()}
        self.open_session()

    # What threads tell.

    @precondition(lambda self: self.pending)
    @rule(told=st.lists(st.tuples(INDEX, st.integers(0, 9), st.booleans()), min_size=1, max_size=3))
    def hear(self, told: list[tuple[int, int, bool]]) -> None:
        for which, outcome, is_again in told:
            if self.pending:
                self.hear_of(self.pending[which % len(self.pending)], outcome, is_again=is_again)
                self.check()

    @precondition(lambda self: self.pending)
    @rule(ends_well=st.booleans())
    def hear_all(self, ends_well: bool) -> None:
        """All goes well, in its order, and so does the answer."""
        while self.pending and len(self.pending) < 40:
            self.hear_of(self.pending[0], 9, is_again=False)
            self.check()
            if ends_well and self.running:
                self.end_answer(next(iter(self.running)), "well")
                self.check()

    def hear_of(self, effect: Any, outcome: int, *, is_again: bool) -> None:
        """What comes of something; `is_again` leaves it to be told once more."""
        if not is_again or isinstance(effect, f.ReadFile | m.OpenPictures):
            self.pending.remove(effect)
        self.may_appear = self.state.held is not None
        if isinstance(effect, tuple):
            scanned, name = effect
            for home in self.homes:
                if home.things.get(name) == "way" and home.talk.is_temporary == scanned[0]:
                    home.things[name] = "ready"
            self.do(f.ScansChanged(self.state.scanned - {scanned}))
        elif isinstance(effect, m.FileMade):
            self.do(effect if outcome else m.FileMade(effect.key, None))
            self.errors += not outcome
        else:
            TELLING[type(effect)](self, effect, outcome)

    def tell_found(self, effect: f.LookUpFiles, outcome: int) -> None:
        """What was dropped was looked at."""
        names = [name for path in effect.paths for name in self.inside.get(path, [path.name])]
        paths = tuple(Path("/", name) for name in names)
        if outcome == 0:
            self.do(f.FilesFound(effect.key, error=DocumentUnreadable("x", "denied")))
            return
        if outcome == 1:
            gone = ExpandedPaths((), (SkippedPath(effect.paths[0], "missing"),))
            self.do(f.FilesFound(effect.key, (), gone))
            return
        size = LARGE_BYTES if outcome == 2 else 1
        files = tuple(f.FoundFile(path, path, size, path.suffix == ".wav") for path in paths)
        self.do(f.FilesFound(effect.key, files, ExpandedPaths(paths)))

    def tell_read(self, effect: f.ReadFile, outcome: int) -> None:
        """A file was read, or could not be."""
        part, number = effect.part, effect.reading
        errors = {
            0: DocumentUnreadable(str(part.path), "damaged"),
            1: DocumentLocked(str(part.path), is_wrong=False),
            2: NoModel() if part.is_heard else None,
            3: MediaRefused("x", "sound", "deaf") if part.is_heard else None,
        }
        error = errors.get(outcome)
        if error is None:
            library = part.place.talk.documents
            if part.text:
                document = library.keep_text(part.text, part.name)
            elif known := library.store.find_read(part.path, 1, 1):
                document = known[0]
            else:
                row = library.store.begin_document(part.path, 1, 1, name=part.name)
                document = library.store.finish_document(
                    row, format_="text", unit="", pages=0, sha256=part.name, info={"words": 1}
                )
            self.do(f.FileProgressed(number, DocumentStored(document)))
        if part.text and error is not None and self.state.find(part.key) is not None and outcome != 1:
            home = self.home_of(part.place)
            home.things.pop(part.name, None)
            home.words.add(part.name)
        for _ in range(2):
            self.do(f.FileEnded(number, error))

    def tell_opened(self, effect: m.OpenPictures, outcome: int) -> None:
        """Pictures were decoded; the child may end before all are."""
        for place, part in enumerate(effect.parts):
            if outcome == 5 and place:
                continue
            if outcome == 0:
                self.do(m.PictureOpened(part.key, error=PictureUnreadable("x", "damaged")))
                continue
            media = part.place.talk.conversations.media.add(StoredMedia(part.name, "picture", "png", 1, 1, 1))
            for _ in range(2):
                self.do(m.PictureOpened(part.key, media, "image"))
        for _ in range(2):
            self.do(m.PicturesEnded(effect.batch))

    def tell_asked(self, effect: f.AskPassword | f.AskAboutSize, outcome: int) -> None:
        """A person answers a question, or says no."""
        part = self.state.find(effect.part.key)
        if outcome and part is not None:
            self.do(f.ReadAgain(part.key, password="spring" if isinstance(effect, f.AskPassword) else None))
        elif part is not None and part.stage in (Stage.ASKED, Stage.LOCKED):
            self.home_of(part.place).things.pop(part.name, None)
            self.do(m.RemoveParts((part.key,)))

    def tell_counted(self, effect: m.CountDocuments, outcome: int) -> None:
        """How the documents fit."""
        for part in effect.documents[:outcome]:
            assert part.attachment is not None
            self.do(m.FitCounted(part.attachment, DocumentFit(1, outcome)))
        self.do(m.FitEnded())

    # What holds after each of these.

    def rows(self) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]], dict[ChatPlace, str]]:
        """All messages, sent or queued; all that is attached to anything; all drafts; with their chats."""
        messages: list[tuple[Any, ...]] = []
        things: list[tuple[Any, ...]] = []
        drafts: dict[ChatPlace, str] = {}
        talks = {False: self.playground.kept, True: self.state.place.talk}
        for is_temporary, database in self.playground.databases():
            if is_temporary and not self.state.place.talk.is_temporary:
                continue
            talk = talks[is_temporary]
            with database.reading() as connection:
                found = connection.execute(
                    "SELECT 'm', id, conversation_id, text FROM messages WHERE role = 'user'"
                    " UNION ALL SELECT 'q', id, conversation_id, text FROM queued_messages ORDER BY 1, 2"
                ).fetchall()
                owner = {(kind, number): ChatPlace(talk, chat) for kind, number, chat, _ in found}
                messages += [(kind, number, ChatPlace(talk, chat), text) for kind, number, chat, text in found]
                for name, chat, message, queued in connection.execute(
                    "SELECT d.name, a.conversation_id, a.message_id, a.queued_id FROM attachments a"
                    " JOIN documents d ON d.id = a.document_id"
                    " UNION ALL SELECT name, conversation_id, message_id, queued_id FROM media_uses"
                ):
                    key = ("m", message) if message else ("q", queued) if queued else None
                    if message in self.edited[is_temporary]:
                        continue
                    things.append((name, owner[key] if key else ChatPlace(talk, chat), key, talk))
                drafts |= {
                    ChatPlace(talk, row[0]): row[1] for row in connection.execute("SELECT id, draft FROM conversations")
                }
        drafts[ChatPlace(self.playground.kept)] = self.playground.settings.window.new_chat_draft
        return messages, things, drafts

    @invariant()
    def check(self) -> None:
        assert not self.home.is_closed
        messages, things, drafts = self.rows()
        self.check_messages(messages, things)
        self.check_words(messages, drafts)
        self.check_things(things)
        self.check_waiting(messages)
        self.may_appear = False

    def check_messages(self, messages: list[tuple[Any, ...]], things: list[tuple[Any, ...]]) -> None:
        """Each was stored once, with what its draft had, when a person had said so."""
        seen: dict[tuple[Home, frozenset[str]], int] = {}
        for kind, number, place, text in messages:
            home, words = self.home_of(place), frozenset(text.split())
            names = frozenset(name for name, _, key, talk in things if key == (kind, number) and talk is place.talk)
            if not words:
                words = names
            seen[home, words] = seen.get((home, words), 0) + 1
            assert seen[home, words] == 1, "a message went twice"
            if words not in home.sent:
                assert self.may_appear, "a message went by itself"
                assert "way" not in home.things.values(), "a message went before its files were there"
                assert names == set(home.things), "a message went without its own things, or with others"
                assert not home.words or words - {"pasted"} == home.words, "a message went with other words"
                home.sent[words] = names
                home.may_go_on |= kind == "q"
                home.words, home.things = set(), {}
            assert home.sent[words] == names, "a message has other things than it went with"

    def check_words(self, messages: list[tuple[Any, ...]], drafts: dict[ChatPlace, str]) -> None:
        """What was typed is in its draft, once, and nowhere else."""
        drafts = {**drafts, **self.state.unsaved, self.state.place: self.state.text}
        for home in self.homes:
            if not home.is_closed:
                words = [word for word in drafts.get(home.place, "").split() if word != "pasted"]
                assert sorted(words) == sorted(home.words), f"typed {home.words}, there is {words}"

    def check_things(self, things: list[tuple[Any, ...]]) -> None:
        """What was dropped is in its draft, once, and nowhere else, or it was said that it cannot be."""
        stored = [name for name, *_ in things]
        assert len(stored) == len(set(stored)), "something is in the store twice"
        drafted = {(name, place) for name, place, key, _ in things if key is None}
        present = {(p.name, p.place) for p in self.state.parts if not p.error or getattr(p, "is_unheard", False)}
        for file in self.state.awaited:
            names = [name for path in file.paths for name in self.inside.get(path, [path.name])]
            present |= {(name, file.place) for name in names or [file.name]}
        # One that was attached before a crash is read again, and then known.
        shown = [part.name for part in self.state.parts if not part.is_on_its_way]
        assert len(shown) == len(set(shown)), "something is in the draft twice"
        for home in self.homes:
            if home.is_closed:
                assert all(place.talk is not home.talk for _, place in present), "of a chat that was left"
                continue
            for name, state in list(home.things.items()):
                is_there = (name, home.place) in drafted or (state == "way" and (name, home.place) in present)
                if not is_there:
                    # What becomes of a file is told of no chat in the trash.
                    is_told = self.errors or home in self.gone_chats
                    assert state == "way" and is_told, f"{name} is lost"
                    del home.things[name]
            strange = {name for name, place in drafted | present if place == home.place} - set(home.things)
            assert not strange, f"{strange} is in a draft where it was not put"
        self.errors = 0

    def check_waiting(self, messages: list[tuple[Any, ...]]) -> None:
        """Nothing waits for what will not come."""
        state = self.state
        if state.held is not None:
            assert "way" in self.home.things.values(), "a message waits for nothing"
        gone = {home.place for home in self.gone_chats}
        waiting = {place for kind, _, place, _ in messages if kind == "q"} - gone
        on = {place for place, queued in state.queue_states.items() if queued is QueueState.ON}
        if waiting & on and not state.is_busy and state.may_send_queue and state.edited_id is None:
            assert state.is_next_due or state.is_next_asked, "a queue waits for nothing"
        assert {answer.key for answer in state.answers} == set(self.running), "an answer is not known"


TELLING: dict[type, Callable[[SessionMachine, Any, int], None]] = {
    f.LookUpFiles: SessionMachine.tell_found,
    f.ReadFile: SessionMachine.tell_read,
    m.OpenPictures: SessionMachine.tell_opened,
    f.AskPassword: SessionMachine.tell_asked,
    f.AskAboutSize: SessionMachine.tell_asked,
    m.CountDocuments: SessionMachine.tell_counted,
    m.LoadPreviews: lambda machine, effect, _: machine.do(m.PreviewLoaded(effect.parts[0].key, "image")),
    m.CountPictures: lambda machine, effect, _: machine.do(m.PicturesCounted((), ())),
    f.SaveLater: lambda machine, _effect, _: machine.do(m.SaveDraft()),
    m.AskForNext: lambda machine, _effect, _: machine.do(m.SendNext()),
}


DROPS: dict[str, Callable[[SessionMachine, str], None]] = {
    "word": SessionMachine.type_word,
    "folder": SessionMachine.drop_folder,
    "recording": SessionMachine.stop_recording,
}
