"""Projects, tags and memories, for the pictures: the column with both, a project in its dialog, the memories' page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.core.events import CancelToken, Role
from app.features.chat import session_messages as m
from app.features.document_library import DocumentStored
from app.store.projects import Tags
from app.ui.chat.project_dialog import ProjectDialog
from app.ui.chat.remembering import RememberDialog
from app.ui.chat.turn_column import ChatsColumn
from app.ui.settings.dialog import SettingsDialog
from tests.helpers.desks.window import Frame

Step = Callable[[], object]
TIMEOUT_MS = 60_000
LEASE = "The tenant gives notice in writing, three months before the end of a quarter. " * 60
RULES = "# House rules\n\nQuiet after ten. Bicycles are kept in the yard, and prams below the stairs. " * 8
CHATS = ("Letter to the landlord", "What the extra costs are for", "A list for moving in")
TAGS = (("Home", "green"), ("To be answered", "orange"), ("Reading list", "violet"))


def screens(frame: Frame, told: int, folder: Path) -> list[tuple[str, Step, Step]]:
    """Name, what to do before the picture, what to do after it. `told` is a chat that stays outside."""
    preambles, tags = frame.app.preambles, Tags(frame.app.database)
    made: list[int] = []

    def begin() -> int:
        """The project, with chats, documents and memories, the first time; its number."""
        if not made:
            flat, garden = preambles.projects.create("The flat", "house"), preambles.projects.create("Garden", "leaf")
            preambles.projects.update(flat.id, instructions="Answer for a tenant, and name the clause you rely on.")
            preambles.projects.update(garden.id, is_open=False)
            folder.mkdir(parents=True, exist_ok=True)
            for name, text in (("lease.txt", LEASE), ("house rules.md", RULES)):
                (folder / name).write_text(text, "utf-8")
                *_, last = frame.app.documents.read_file(folder / name, CancelToken())
                assert isinstance(last, DocumentStored)
                preambles.attached.add(flat.id, last.document.id)
            preambles.memories.add("I write in British English.")
            preambles.memories.add("The flat has two rooms and 54 square metres.", flat.id)
            numbers = [frame.conversations.create(title=title, project_id=flat.id).id for title in CHATS]
            for number in numbers:
                frame.conversations.add_message(number, None, Role.USER, "Hello")
            ids = [tags.create(name, colour).id for name, colour in TAGS]
            for tag, number in zip((*ids, ids[1]), (*numbers, numbers[0]), strict=True):
                tags.set_tag(tag, number)
            made.append(flat.id)
        frame.show_tab("chat")
        frame.chats.reload()
        return made[0]

    def open_chat() -> None:
        number = begin()
        frame.show_chat(preambles.projects.chats_of(number)[0].id)

    def open_dialog() -> None:
        open_chat()
        frame.find_step(ChatsColumn).folders.actions.show_settings(begin())
        frame.wait(lambda: bool(frame.find_step(ProjectDialog).cost.text()), TIMEOUT_MS)

    def remember() -> None:
        open_chat()
        frame.chat.session.send_request(m.RememberText("The house has no lift, and the flat is on the third floor."))
        frame.wait(lambda: bool(frame.find_step(RememberDialog).cost.text().strip()), TIMEOUT_MS)

    def narrow() -> None:
        open_chat()
        frame.find_step(ChatsColumn).tags.chips[0].click()

    def open_memories() -> None:
        begin()
        frame.window.open_settings("memories")

    def widen() -> None:
        frame.find_step(ChatsColumn).tags.chips[0].click()
        frame.show_chat(told)

    return [
        ("project", open_chat, lambda: frame.show_chat(told)),
        ("project-dialog", open_dialog, lambda: frame.find_step(ProjectDialog).close()),
        ("tags", narrow, widen),
        ("remember", remember, lambda: frame.find_step(RememberDialog).close()),
        ("settings-memories", open_memories, lambda: frame.find_step(SettingsDialog).close()),
    ]
