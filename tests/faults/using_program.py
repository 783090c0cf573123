"""A program that does one thing over and over, and tells each step on standard output, until it is killed.

``python -m tests.faults.using_program ACTIVITY FOLDER [ARGUMENTS...]`` in the environment of a test: FIRESIDE_HOME,
FIRESIDE_ENGINE_SCRIPT. What goes wrong is told by its name, as a window would tell it, and the next round begins.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

from app.bootstrap import Fireside, build_program
from app.core.errors.app_error import AppError
from app.core.events import CancelToken
from app.core.paths import AppPaths
from app.features.chat.answer_service import AnswerStarted
from app.features.exchange.backup import back_up
from app.features.exchange.chat_export import export_chats
from app.features.exchange.restore_backup import accept, put_in_place, stage_snapshot, unpack_backup
from app.features.summarize.summarize import SectionRead
from app.features.summarize.summary_result import SummaryOptions
from app.features.translate.translation_events import SegmentDone
from app.hub.access import NetworkAccess
from app.hub.download import DownloadRequest
from app.hub.folder_move import move_folder
from app.hub.model_files import RemoteFile
from app.hub.model_library import scan_folder
from app.hub.model_trash import put_back, throw_away
from app.hub.running_fetch import fetch_download
from app.store.database import Database
from app.store.migrations import MIGRATIONS, Migrations
from tests.helpers import warm
from tests.helpers.summaries import paragraphs, store_document, summaries_of
from tests.helpers.translations import begin, text_file, translations_of
from tests.hub.queue_parts import Home

MODEL = Path("/any/model.gguf")
PIECES = 25
"""Sections of a summary, segments of a translation."""
SENTENCE = "The kiln is slow, and the evening is long. "
PAUSE_S, BACK_S = 0.02, 3 * 86_400
Step = dict[str, Any]


def write_rows(connection: sqlite3.Connection) -> None:
    """A step of a later version that changes every row, so that it can be met in its middle."""
    connection.execute("ALTER TABLE messages ADD COLUMN mood TEXT NOT NULL DEFAULT ''")
    for number in range(20):
        connection.execute(f"UPDATE messages SET mood = '{number}' || text")


def write_more_rows(connection: sqlite3.Connection) -> None:
    """One more, in the same transaction."""
    connection.execute("CREATE TABLE moods AS SELECT id, mood FROM messages")


LATER: Migrations = {**MIGRATIONS, 90: write_rows, 91: write_more_rows}


def chat(app: Fireside, _folder: Path) -> Iterator[Step]:
    """Answers whose words are the moments at which they were made."""
    if app.loaded is None:
        list(app.engine.load(MODEL))
    talk = app.conversations.create(title="killed")
    while True:
        answer = 0
        for event in app.chat.answer(app.chat.add_question(talk.id, "Tell me more").id, CancelToken()):
            if isinstance(event, AnswerStarted):
                answer = event.message_id
                yield {"answer": answer, "at": time.monotonic()}
        yield {"whole": answer}


def summarize(app: Fireside, _folder: Path) -> Iterator[Step]:
    """One document after the other, section by section; what an earlier run left goes first."""
    list(app.engine.load(MODEL))
    names = (f"{time.monotonic_ns()}-{number}.pdf" for number in count())
    while True:
        name = next(names)
        document = store_document(app.documents.store, name, *paragraphs(PIECES, f"slow kiln of {name}"))
        app.summaries.begin_summaries([document.id], SummaryOptions(), together=False)
        for worked in summaries_of(app).run(CancelToken()):
            if isinstance(worked.event, SectionRead):
                yield {"job": worked.id, "done": worked.event.done}


def translate(app: Fireside, folder: Path) -> Iterator[Step]:
    """One file after the other, read by the document's child, segment by segment."""
    list(app.engine.load(MODEL))
    while True:
        name = f"{time.monotonic_ns()}.txt"
        begin(app, text_file(folder, name, count=PIECES, word=f"slow kiln of {name}"))
        yield {"read": True}
        for worked in translations_of(app).run(CancelToken()):
            if isinstance(worked.event, SegmentDone):
                yield {"job": worked.id, "done": worked.event.done}


def export(app: Fireside, folder: Path) -> Iterator[Step]:
    """All chats and a backup, under the same names again and again."""
    while True:
        chats = [each for row in app.conversations.find() if (each := app.conversations.get(row.id)) is not None]
        for ending in ("json", "html", "md", "docx"):
            for _ in export_chats(folder / f"chats.{ending}", chats, app.shelf, CancelToken()):
                pass
            yield {"exported": ending}
        for _ in back_up(folder / "all.backup", app.paths, app.database, CancelToken()):
            pass
        yield {"exported": "backup"}


def keep_house(app: Fireside, folder: Path) -> Iterator[Step]:
    """What is no chat and no job: settings, words, pictures that lie in the folder, and the copy of the day."""
    for number, path in enumerate(sorted(folder.glob("*.png"))):
        app.change_settings("chat", system_prompt=f"Answer {number}" * 400)
        yield {"setting": number}
        app.spelling.add_word(f"word{number}")
        yield {"word": f"word{number}"}
        media = app.media.add_picture(path)
        app.media.store.put_into_draft(app.conversations.create(title=path.name).id, media.sha256, path.name)
        yield {"picture": media.sha256}
        app.snapshots.take_daily()
        yield {"copied": True}
    while True:
        time.sleep(PAUSE_S)


def download(folder: Path, hub: str, *told: str) -> Iterator[Step]:
    """One file by the queue and its child; what an earlier run left goes on."""
    repo, name, size, sha256 = told
    home = Home(folder, fetch_download)
    home.access = NetworkAccess(endpoint=hub)
    queue = home.open()
    if not queue.all():
        queue.add(DownloadRequest(repo, "main", name, (RemoteFile(name, int(size), sha256),)))
    while True:
        (item,) = queue.all()
        yield {"state": item.state, "done_bytes": item.done_bytes}
        if item.state == "failed":
            queue.resume(item.id)
        time.sleep(PAUSE_S)


def write(app: Fireside, folder: Path) -> Iterator[Step]:
    """A page that grows, kept as the window keeps it, and saved as a file now and then."""
    page = app.pages.create().id
    for count_ in count(1):
        app.pages.save(page, SENTENCE * count_, ((0, len(SENTENCE)),), count_)
        app.pages.keep_undo(page, SENTENCE * (count_ - 1))
        yield {"page": page, "kept": count_}
        if count_ % 3 == 0:
            app.pages.export_page(page, folder / "page.md")
            yield {"page": page, "saved": count_}


def move_models(old: Path, new: Path) -> Iterator[Step]:
    """All models to another folder; told when that is the one to be asked, and when nothing is left to do."""
    yield {"begins": True}
    for _ in move_folder(old, new, CancelToken(), lambda: print(json.dumps({"moved": True}), flush=True)):
        pass
    yield {"whole": True}


def throw_models(folder: Path) -> Iterator[Step]:
    """Every model to the trash and back, and there again."""
    names = sorted(model.path.name for model in scan_folder(folder))
    for name in names:
        thrown = throw_away(next(model for model in scan_folder(folder) if model.path.name == name), folder)
        yield {"name": name, "is_thrown": True}
        put_back(thrown)
        yield {"name": name, "is_thrown": False}
        throw_away(next(model for model in scan_folder(folder) if model.path.name == name), folder)
        yield {"name": name, "is_thrown": True}


def restore(paths: AppPaths, saved: Path) -> Iterator[Step]:
    """A backup or a daily copy in place of what is there."""
    if saved.suffix == ".db":
        stage_snapshot(saved, paths)
    else:
        for event in unpack_backup(saved, paths, CancelToken()):
            yield {"unpacked": type(event).__name__}
    accept(paths)
    yield {"accepted": True}
    put_in_place(paths)
    yield {"whole": True}


def migrate(path: Path) -> Iterator[Step]:
    """A file of today's schema to a later one."""
    yield {"begins": True}
    with closing(Database.open(path, LATER)):
        yield {"whole": True}


APP_ACTIVITIES: dict[str, Callable[[Fireside, Path], Iterator[Step]]] = {
    "chat": chat,
    "summarize": summarize,
    "translate": translate,
    "export": export,
}

ACTIVITIES = APP_ACTIVITIES | {"keep_house": keep_house, "write": write}


def main(arguments: list[str]) -> int:
    """Do what is asked for, which ends by itself only where it cannot begin."""
    name, folder, *rest = arguments
    turns_back = "--clock-back" in rest
    if name in ACTIVITIES:
        rounds = _rounds(name, Path(folder))
    elif name == "download":
        rounds = download(Path(folder), *rest)
    elif name == "restore":
        rounds = restore(AppPaths.from_environment(), Path(folder))
    elif name == "move_models":
        rounds = move_models(Path(folder), Path(rest[0]))
    elif name == "throw_models":
        rounds = throw_models(Path(folder))
    else:
        rounds = migrate(AppPaths.from_environment().database)
    print(json.dumps({"spared": warm.nurseries()}), flush=True)
    for number, step in enumerate(rounds):
        print(json.dumps(step), flush=True)
        if turns_back and number == 0:
            set_clock_back()
    return 0


def set_clock_back() -> None:
    """As a person or a time server does, while all goes on."""
    now = time.time
    time.time = lambda: now() - BACK_S


def _rounds(name: str, folder: Path) -> Iterator[Step]:
    try:
        app = build_program()
        app.housekeeping.remove_unreferenced()
    except AppError as error:  # a window shows it, and offers to try again
        yield {"told": type(error).__name__}
        return
    folder.mkdir(parents=True, exist_ok=True)
    while True:
        try:
            yield from ACTIVITIES[name](app, folder)
        except AppError as error:
            yield {"told": type(error).__name__}
            time.sleep(PAUSE_S)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
