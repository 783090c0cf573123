"""Deleted for good is in no byte of the home: whatever it was typed into, and whatever copies were made of it."""

from __future__ import annotations

import shutil
import zipfile
import zlib
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.bootstrap import Fireside, build_program
from app.core.events import CancelToken, Role
from app.core.json_forms import to_json
from app.engine.states import StateIdentity, name_beginning, name_documents
from app.features.chat.answer_service import SESSION
from app.features.exchange.backup import back_up
from app.features.exchange.restore_backup import accept, unpack_backup
from app.features.translate.live import segments_of
from app.features.translate.translation_events import TranslationWish
from app.features.trash import DAY_S
from app.store.assistant_store import AssistantStore
from app.store.attachments import Attachments, DocumentUse
from app.store.conversations import Conversations, MessageState
from app.store.database import Database
from app.store.deletable import DeletableRows
from app.store.document_store import DocumentStore
from app.store.jobs import JobTable, SummaryStore
from app.store.projects import Memories, Projects, Tags
from app.store.prompt_store import PromptStore
from app.store.translation_store import TranslationMemory, TranslationStore
from tests.helpers.deleted_text import rebuilt_texts
from tests.helpers.picture_files import picture

MARKER = "Qzanzibarium"


def holders(home: Path) -> set[str]:
    """Files with the marker in any byte or name: as UTF-8 or UTF-16, as it is or in a zlib or ZIP stream."""
    forms = [form.encode(code) for form in (MARKER, MARKER.lower()) for code in ("utf-8", "utf-16-le", "utf-16-be")]
    found = set()
    for path in (path for path in home.rglob("*") if path.is_file()):
        data = path.read_bytes()
        texts = [data, str(path.relative_to(home)).encode(), *_inflated(data)]
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                texts += [archive.read(name) for name in archive.namelist()]
        if any(form in text for form in forms for text in texts):
            found.add(path.relative_to(home).as_posix())
    return found


def _inflated(data: bytes) -> list[bytes]:
    """Everything in the bytes that begins as a zlib stream does, as far as it can be unpacked."""
    found = []
    for head in (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"):
        at = data.find(head)
        while at >= 0:
            try:
                found.append(zlib.decompressobj().decompress(data[at : at + 100_000]))
            except zlib.error:
                pass
            at = data.find(head, at + 1)
    return found


def type_translations(app: Fireside, of_file: int) -> None:
    """A file's segments and a typed text, both as a model translated them, with what it remembers of them."""
    wish, jobs = TranslationWish("de", source="en"), app.translations
    memory = jobs.words.memory_for(wish, "en", Path("model.gguf"))
    (segment,), typed = segments_of(f"A segment with {MARKER}."), f"What is {MARKER}?"
    TranslationStore(app.database).add_segments(of_file, [(1, to_json(segment))])
    for content in (segment.content, (typed,), (typed[:-1],)):
        memory.keep_step(content, (f"{MARKER}!",))
    kept = jobs.keep_text(typed, f"Was ist {MARKER}?", wish, "en", "model.gguf")
    jobs.delete(kept.id)
    memory.keep_step(("Rain",), ("Regen",))


def type_everywhere(app: Fireside, shown: Path) -> None:
    """The marker in everything that a person can type or open, all of it deleted as the window does it, beside other
    things that stay.
    """
    chats, documents, database = app.conversations, DocumentStore(app.database), app.database
    for number in range(6):
        kept = chats.create(title=f"Rain {number}")
        chats.add_message(kept.id, None, Role.USER, "How much rain? " * 50)
    lone = chats.add_message(kept.id, chats.read_branch(kept.id)[-1].id, Role.USER, f"And {MARKER}?")
    chat = chats.create(title=f"Title {MARKER}", system_prompt=f"Always {MARKER}")
    asked = chats.add_message(chat.id, None, Role.USER, f"What is {MARKER}? " * 300)
    answer = chats.add_message(chat.id, asked.id, Role.ASSISTANT, "", state=MessageState.WRITING)
    chats.save_text(answer.id, f"{MARKER} is a word.", f"Hm, {MARKER}")
    chats.update(chat.id, draft=f"Unsent {MARKER}")
    document = documents.begin_document(Path(f"/home/ada/{MARKER}.txt"), 10, 1)
    blocks = [{"id": n, "kind": "paragraph", "page": 1, "text": f"{n} {MARKER} " * 40} for n in range(1, 60)]
    documents.add_blocks(document, blocks)
    documents.finish_document(document, format_="txt", unit="", pages=1, sha256="aa", info={"title": MARKER})
    documents.vectors.add(document, MARKER, [1, 2], np.ones((2, 4), np.float32))
    Attachments(database).add_to_draft(chat.id, document, DocumentUse.WHOLE)
    app.media.store.put_into_draft(chat.id, app.media.add_picture(shown).sha256, f"{MARKER}.png")
    for kind in ("summary", "translation"):
        wish = {"target": "de", "source": "en"}
        job = JobTable(database).add(kind, f"{kind} {MARKER}", {"document": MARKER, "wish": wish})
        SummaryStore(database).keep_step(job.id, f"{kind} step", {"points": [MARKER]})
        SummaryStore(database).keep_result(job.id, {"a": MARKER}, f"So {MARKER}")
        JobTable(database).delete(job.id)
    type_translations(app, job.id)
    copy = app.paths.translations / str(job.id) / f"{MARKER}.txt"
    copy.parent.mkdir(parents=True, mode=0o700)
    copy.write_text(MARKER)
    page = app.pages.create(f"{MARKER} " * 500)
    app.pages.keep_undo(page.id, MARKER)
    app.pages.find(MARKER)
    app.pages.delete(page.id)
    made: list[tuple[DeletableRows[Any], int]] = [
        (store, store.create(f"{MARKER} {type(store).__name__}").id)
        for store in (Projects(database), Tags(database), AssistantStore(database))
    ]
    made.append((Memories(database), Memories(database).add(f"I like {MARKER}").id))
    made.append((PromptStore(database), PromptStore(database).create(f"Name {MARKER}", f"Text {MARKER}").id))
    Tags(database).set_tag(made[1][1], chat.id)
    app.paths.states.mkdir(parents=True)
    for session in (chat.id, kept.id):
        app.states.state_path(SESSION.format(session)).write_text(MARKER)  # as a model has read it
    app.states.state_path(name_beginning(name_documents((document,)), [1])).write_text(MARKER)
    for store, number in made:
        store.delete(number)
    chats.delete_message(lone.id)
    chats.delete(chat.id)


@pytest.mark.parametrize("way", ["after its time", "by hand"])
def test_the_marker_is_in_no_byte_of_the_home_once_it_was_deleted_for_good(
    fresh_home: Path, tmp_path: Path, way: str
) -> None:
    app = build_program()
    type_everywhere(app, picture(tmp_path / "picture.png"))
    # Every copy that there can be of a database: today's, one put aside by a restore, one of before an upgrade.
    taken = app.snapshots.take_daily()
    assert taken is not None
    list(back_up(tmp_path / "all.zip", app.paths, app.database, CancelToken()))
    shutil.copy(taken.path, app.paths.data / "fireside.db.before-v12")
    app.close()
    list(unpack_backup(tmp_path / "all.zip", app.paths, CancelToken()))
    accept(app.paths)
    again = build_program()
    (aside,) = again.paths.restore.replaced.iterdir()
    assert {path.split("/")[-1] for path in holders(fresh_home)} >= {"fireside.db", taken.path.name, f"{MARKER}.txt"}
    assert list((aside / "media").glob("*/*"))
    if way == "by hand":
        again.trash.remove_all()
    else:
        again.began_at += 31 * DAY_S
        again.housekeeping.remove_unreferenced()
    assert holders(fresh_home) == set()
    again.close()
    assert holders(fresh_home) == set()
    for file in (again.paths.database, taken.path, aside / "fireside.db"):
        assert MARKER.lower() not in str(rebuilt_texts(file, tmp_path / "scratch.db"))
        with closing(Database.open(file)) as copy:
            assert len(Conversations(copy).find("rain")) == 6, "the others are left"
            assert [entry.target for entry in TranslationMemory(copy).iterate_entries()] == ['["Regen"]']
    assert not list((aside / "media").glob("*/*"))


@pytest.mark.parametrize("deleted", ["memory", "project", "assistant"])
def test_what_models_have_read_goes_with_a_text_that_was_told_and_nothing_else(fresh_home: Path, deleted: str) -> None:
    app = build_program()
    stores: dict[str, DeletableRows[Any]] = {
        "memory": Memories(app.database), "project": Projects(app.database), "assistant": AssistantStore(app.database)
    }  # fmt: skip
    ids = {"memory": Memories(app.database).add("I like tea.").id}
    ids |= {name: stores[name].create("Tea").id for name in ("project", "assistant")}  # type: ignore[attr-defined]
    sessions = {name: [f"{name}-{number}", "memory-77"] for name, number in ids.items()}
    document = DocumentStore(app.database).begin_document(Path("tea.txt"), 10, 1)
    DocumentStore(app.database).finish_document(document, format_="txt", unit="", pages=1, sha256="aa", info={})
    Attachments(app.database).add_to_draft(None, document, DocumentUse.WHOLE)
    sessions |= {"others": [], name_beginning(name_documents((document,)), [1]): []}
    identity = StateIdentity(1, 1, "", "", "f16", "")
    app.paths.states.mkdir(parents=True)
    for session, made_of in sessions.items():
        unfinished = app.states.unfinished_path(session)
        unfinished.write_bytes(b"x")
        app.states.add_state(session, identity, [1, 2], unfinished, made_of=made_of)
    stores[deleted].delete(ids[deleted])
    app.trash.remove_all()
    kept = {session for session in sessions if app.states.find_state(session, identity) is not None}
    assert kept == set(sessions) - {deleted}
    app.close()


def test_what_is_deleted_from_the_translation_memory_leaves_the_copies_too(fresh_home: Path) -> None:
    app = build_program()
    memory = app.translations.words.memory_for(TranslationWish("de", source="en"), "en", Path("model.gguf"))
    for word in (MARKER, "Rain"):
        memory.keep_step((word,), (word,))
    app.conversations.create(title="A chat, so that there is something to copy")
    assert app.snapshots.take_daily() is not None
    found = app.translations.search_memory(CancelToken(), MARKER)
    app.translations.words.delete_entries(found.ids)
    assert holders(fresh_home) == set()
    assert len(app.translations.search_memory(CancelToken()).ids) == 1
    app.close()
