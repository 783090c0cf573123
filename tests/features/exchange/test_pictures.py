"""Pictures go with their chats: into every format, back from our own file, and with a backup."""

from __future__ import annotations

import base64
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from docx import Document
from PySide6.QtGui import QImage

from app.core.events import CancelToken, Role
from app.core.paths import AppPaths
from app.features.exchange.backup import BackupUnpacked, back_up
from app.features.exchange.chat_export import export_chats
from app.features.exchange.chat_file import ChatArchive, build_shelf
from app.features.exchange.chat_import import ChatContinued, ChatImported, ChatIsHere, import_chats
from app.features.exchange.restore_backup import accept, put_in_place, unpack_backup
from app.features.media import build_media
from app.store.conversation_row import Conversation
from app.store.conversations import Conversations
from app.store.database import Database
from tests.features.exchange import makers
from tests.helpers.picture_files import BLUE, RED, drawing, halves, picture, save


def places_in(folder: Path) -> AppPaths:
    return AppPaths(folder / "data", folder / "config", folder / "cache", folder / "logs")


@pytest.fixture
def places(tmp_path: Path) -> AppPaths:
    return places_in(tmp_path / "home")


@pytest.fixture
def database(places: AppPaths) -> Iterator[Database]:
    with closing(Database.open(places.database)) as database:
        yield database


@pytest.fixture
def shelf(places: AppPaths, database: Database) -> ChatArchive:
    return build_shelf(database, build_media(places, database))


@pytest.fixture
def chat(database: Database, shelf: ChatArchive, tmp_path: Path) -> Conversation:
    """With a PNG, a photograph that was held upright, and a drawing."""
    chats = Conversations(database)
    chat = chats.create(title="Three")
    question = chats.add_message(chat.id, None, Role.USER, "What are these?")
    assert shelf.media is not None
    files = [picture(tmp_path / "a red one.png", RED), save(halves(80, 40), tmp_path / "b.jpg", turned=True)]
    for path in (*files, drawing(tmp_path / "c.svg")):
        chats.media.add_uses(question.id, [(shelf.media.add_picture(path).sha256, path.name, 64)])
    chats.add_message(chat.id, question.id, Role.ASSISTANT, "Pictures.")
    found = chats.get(chat.id)
    assert found is not None
    return found


def exported(path: Path, chat: Conversation, shelf: ChatArchive) -> Path:
    list(export_chats(path, [chat], shelf, CancelToken()))
    return path


def test_markdown_has_them_beside_it(chat: Conversation, shelf: ChatArchive, tmp_path: Path) -> None:
    text = exported(tmp_path / "out.md", chat, shelf).read_text("utf-8")
    assert "![a red one.png](<out pictures/1 a red one.png>)" in text
    folder = tmp_path / "out pictures"
    assert sorted(each.name for each in folder.iterdir()) == ["1 a red one.png", "2 b.jpg", "3 c.svg"]
    assert (folder / "1 a red one.png").read_bytes() == (tmp_path / "a red one.png").read_bytes()


def test_a_page_and_a_word_document_hold_them(chat: Conversation, shelf: ChatArchive, tmp_path: Path) -> None:
    page = exported(tmp_path / "out.html", chat, shelf).read_text("utf-8")
    assert base64.b64encode((tmp_path / "b.jpg").read_bytes()).decode() in page
    assert page.count("<img src=") == 3 and "img-src data:" in page
    document = Document(str(exported(tmp_path / "out.docx", chat, shelf)))
    shapes = document.inline_shapes
    assert len(shapes) == 3
    assert [shape.width > shape.height for shape in shapes] == [True, False, True]  # the photograph stands upright
    drawn = next(part for part in document.part.package.iter_parts() if part.partname.endswith("image3.png"))
    assert QImage.fromData(drawn.blob).width() == 1536


def test_our_own_file_brings_them_back_elsewhere(chat: Conversation, shelf: ChatArchive, tmp_path: Path) -> None:
    path = exported(tmp_path / "out.json", chat, shelf)
    other = places_in(tmp_path / "other")
    with closing(Database.open(other.database)) as database:
        there = build_shelf(database, build_media(other, database))
        list(import_chats(path, there, CancelToken()))
        chats = Conversations(database)
        question = chats.read_branch(chats.find()[0].id)[0]
        uses = chats.media.of_messages([question.id])[question.id]
        assert [(use.name, use.most_tokens) for use in uses] == [("a red one.png", 64), ("b.jpg", 64), ("c.svg", 64)]
        assert there.media is not None
        assert there.media.original_path(uses[0].media).read_bytes() == (tmp_path / "a red one.png").read_bytes()
        assert (uses[1].media.width, uses[1].media.height) == (40, 80)
        list(import_chats(path, there, CancelToken(), with_copies=True))
        assert len(database_files(other)) == 3  # each once


def test_what_is_no_picture_in_a_strange_file_is_named(chat: Conversation, shelf: ChatArchive, tmp_path: Path) -> None:
    path = exported(tmp_path / "out.json", chat, shelf)
    good = base64.b64encode((tmp_path / "a red one.png").read_bytes()).decode()
    path.write_text(path.read_text("utf-8").replace(good, base64.b64encode(b"no picture").decode()), "utf-8")
    other = places_in(tmp_path / "other")
    with closing(Database.open(other.database)) as database:
        there = build_shelf(database, build_media(other, database))
        list(import_chats(path, there, CancelToken()))
        chats = Conversations(database)
        question = chats.read_branch(chats.find()[0].id)[0]
        assert "a red one.png" in question.text
        assert len(chats.media.of_messages([question.id])[question.id]) == 2


def gpt_pictures() -> dict[str, Any]:
    """Four of ChatGPT's: as its older and newer exports name them, one that is missing, one that is no picture."""

    def pointer(scheme: str, asset: str) -> dict[str, Any]:
        kind = "image_asset_pointer"
        return {"content_type": kind, "asset_pointer": f"{scheme}://{asset}", "width": 64, "height": 48}

    attached = {"attachments": [{"id": "file-Ab1", "name": "my cat.png"}, {"id": "file-Pdf", "name": "plan.pdf"}]}
    old, new = pointer("file-service", "file-Ab1"), pointer("sediment", "file_00c2")
    gone, bad = pointer("sediment", "file_gone"), pointer("sediment", "file_00bad")
    return makers.gpt_chat(
        makers.gpt_node(
            "q1", "client-created-root", "user", [old, "What is it?"], "multimodal_text", metadata=attached
        ),
        makers.gpt_node("a1", "q1", "assistant", ["A cat."]),
        makers.gpt_node("q2", "a1", "user", [new, gone, bad], "multimodal_text"),
        makers.gpt_node("a2", "q2", "assistant", ["A dog."]),
        current="a2",
    )


def imported(path: Path, shelf: ChatArchive, database: Database) -> tuple[list[tuple[str, list[str]]], dict[str, int]]:
    """The questions with the names of their pictures, and what did not come along."""
    (event,) = (one for one in import_chats(path, shelf, CancelToken()) if isinstance(one, ChatImported))
    chats = Conversations(database)
    questions = [one for one in chats.read_branch(event.conversation_id) if one.role is Role.USER]
    uses = chats.media.of_messages([one.id for one in questions])
    return [(one.text, [use.name for use in uses.get(one.id, [])]) for one in questions], dict(event.left_out)


@pytest.mark.parametrize("is_unpacked", [False, True])
def test_chatgpts_archive_brings_the_pictures_that_are_in_it(
    shelf: ChatArchive, database: Database, tmp_path: Path, is_unpacked: bool
) -> None:
    red, blue = (picture(tmp_path / f"{at}.png", colour).read_bytes() for at, colour in enumerate((RED, BLUE)))
    members = {
        "conversations.json": [gpt_pictures()], "file-Ab1-my cat.png": red, "user-1/file_00c2.dat": blue,
        "file_00bad-x.png": b"no picture", "file-Pdf-plan.pdf": b"%PDF-",
    }  # fmt: skip
    path = makers.put_zip(tmp_path / "export.zip", members)
    if is_unpacked:
        with zipfile.ZipFile(path) as archive:
            archive.extractall(tmp_path / "export")
        path = tmp_path / "export" / "conversations.json"
    questions, left_out = imported(path, shelf, database)
    assert questions == [
        ("What is it?\n\n[Attached: plan.pdf]", ["my cat.png"]),
        ("[Attached: file_gone (64 × 48)]\n\n[Attached: file_00bad (64 × 48)]", ["file_00c2 (64 × 48)"]),
    ]
    assert left_out == {"picture": 2, "file": 1}
    assert shelf.media is not None
    assert sorted(each.stat().st_size for each in (tmp_path / "home").glob("data/media/*/*")) == sorted(
        (len(red), len(blue))
    )
    assert any(isinstance(one, ChatIsHere) for one in import_chats(path, shelf, CancelToken()))


def test_the_same_chat_without_its_pictures_is_no_other_version(
    shelf: ChatArchive, database: Database, tmp_path: Path
) -> None:
    pointer = {"content_type": "image_asset_pointer", "asset_pointer": "sediment://file_00d1", "width": 8, "height": 8}
    chat = makers.gpt_chat(
        makers.gpt_node("q", "client-created-root", "user", [pointer, "Is this loaf done?"], "multimodal_text"),
        makers.gpt_node("a", "q", "assistant", ["Nearly."]),
        current="a",
    )
    red = picture(tmp_path / "red.png", RED).read_bytes()
    whole = makers.put_zip(tmp_path / "export.zip", {"conversations.json": [chat], "user-1/file_00d1.png": red})
    alone = makers.put_zip(tmp_path / "alone.zip", {"conversations.json": [chat]})
    (event,) = (one for one in import_chats(whole, shelf, CancelToken()) if isinstance(one, ChatImported))
    again = list(import_chats(alone, shelf, CancelToken()))
    assert any(isinstance(one, ChatIsHere) for one in again), again
    chats = Conversations(database)
    assert len(chats.find()) == 1
    assert [one.text for one in chats.read_branch(event.conversation_id)] == ["Is this loaf done?", "Nearly."]


@pytest.mark.parametrize("order", [((0,), (0, 1)), ((), (1,), (0,)), ((1,), (0,)), ((0, 1), (1,))])
def test_pictures_that_come_with_a_later_export_join_their_message(
    shelf: ChatArchive, database: Database, tmp_path: Path, order: tuple[tuple[int, ...], ...]
) -> None:
    pointers = [
        {"content_type": "image_asset_pointer", "asset_pointer": f"sediment://file_00d{at}", "width": 8, "height": 8}
        for at in range(2)
    ]
    chat = makers.gpt_chat(
        makers.gpt_node("q", "client-created-root", "user", [*pointers, "Which is done?"], "multimodal_text"),
        makers.gpt_node("a", "q", "assistant", ["The left one."]),
        current="a",
    )
    contents = [picture(tmp_path / f"{at}.png", colour).read_bytes() for at, colour in enumerate((RED, BLUE))]
    told = []
    for number, ones in enumerate(order):
        members = {f"user-1/file_00d{at}.png": contents[at] for at in ones}
        export = makers.put_zip(tmp_path / f"{number}.zip", {"conversations.json": [chat], **members})
        told += list(import_chats(export, shelf, CancelToken()))
    chats = Conversations(database)
    (stored,) = chats.find()
    question, answer = chats.read_branch(stored.id)
    assert (question.text, answer.text, len(question.versions)) == ("Which is done?", "The left one.", 1)
    names = sorted(use.name for use in chats.media.of_messages([question.id])[question.id])
    assert names == ["file_00d0 (8 × 8)", "file_00d1 (8 × 8)"]
    first, *later = [one for one in told if isinstance(one, (ChatImported, ChatContinued, ChatIsHere))]
    assert dict(first.left_out) == ({"picture": 2 - len(order[0])} if len(order[0]) < 2 else {})
    assert [type(one) for one in later] == [ChatIsHere if len(order[0]) == 2 else ChatContinued] * (len(order) - 1)


def test_what_chatgpts_models_drew_comes_with_their_answers(
    shelf: ChatArchive, database: Database, tmp_path: Path
) -> None:
    pointer = {"content_type": "image_asset_pointer", "asset_pointer": "sediment://file_00d1", "width": 8, "height": 8}
    chart = {"message_type": "image", "time": 1761670201.4, "sender": "server", "image_payload": None}
    chart |= {"image_url": "file-service://file-Ch1", "width": 8, "height": 8}
    printed = {"message_type": "stream", "time": 1761670200.1, "sender": "server", "stream_name": "stdout", "text": "8"}
    ran = {"status": "success", "run_id": "0a", "final_expression_output": None, "messages": [printed, chart]}
    drawn = makers.gpt_chat(
        makers.gpt_node("q", "client-created-root", "user", ["Draw a cat, then a chart."]),
        makers.gpt_node("c1", "q", "assistant", ['{"prompt": "a cat"}'], recipient="dalle.text2im"),
        makers.gpt_node("t1", "c1", "tool", [pointer], "multimodal_text"),
        makers.gpt_node("a1", "t1", "assistant", ["Here is your cat."]),
        makers.gpt_node("t2", "a1", "tool", ["<plot>"], "execution_output", metadata={"aggregate_result": ran}),
        makers.gpt_node("a2", "t2", "assistant", ["And the chart."]),
        current="a2",
    )
    red, blue = (picture(tmp_path / f"{at}.png", colour).read_bytes() for at, colour in enumerate((RED, BLUE)))
    members = {"conversations.json": [drawn], "user-1/file_00d1.png": red, "file-Ch1.dat": blue}
    path = makers.put_zip(tmp_path / "export.zip", members)
    (event,) = (one for one in import_chats(path, shelf, CancelToken()) if isinstance(one, ChatImported))
    chats = Conversations(database)
    question, answer = chats.read_branch(event.conversation_id)
    assert (question.role, answer.role) == (Role.USER, Role.ASSISTANT)
    assert answer.text == "Here is your cat.\n\nAnd the chart."
    uses = chats.media.of_messages([question.id, answer.id])
    assert [use.name for use in uses[answer.id]] == ["file_00d1 (8 × 8)", "file-Ch1 (8 × 8)"]
    assert dict(event.left_out) == {"tool": 3}


def test_open_webui_and_jan_hold_them_themselves(shelf: ChatArchive, database: Database, tmp_path: Path) -> None:
    data = "data:image/png;base64," + base64.b64encode(picture(tmp_path / "a.png", RED).read_bytes()).decode()
    value = makers.webui_example()
    (question, *_) = value["chat"]["history"]["messages"].values()
    question["files"] = [
        {"type": "image", "url": data, "name": "red.png"},
        {"type": "image", "url": "/api/v1/files/1/content"},
        {"type": "image", "url": "data:image/png;base64,%%%"},
    ]
    questions, left_out = imported(makers.put(tmp_path / "w.json", [value]), shelf, database)
    assert questions == [("Is 2 < 3?\n\n[Attached: image]\n\n[Attached: image]", ["red.png"])]
    assert left_out == {"picture": 2}
    folder = makers.jan_example(tmp_path / "jan")
    lines = folder / "threads" / "t1" / "messages.jsonl"
    lines.write_text(lines.read_text("utf-8").replace("data:image/png;base64,AA", data), "utf-8")
    questions, left_out = imported(folder, shelf, database)
    assert questions[0] == ("How hot?", ["picture"])
    assert left_out == {"damaged": 1}


def test_lm_studio_keeps_them_beside_its_chats(shelf: ChatArchive, database: Database, tmp_path: Path) -> None:
    makers.put(tmp_path / "lm" / "conversations" / "1.conversation.json", makers.lm_example())
    (tmp_path / "lm" / "user-files").mkdir()
    picture(tmp_path / "lm" / "user-files" / "1721 - ice.png", BLUE)
    questions, left_out = imported(tmp_path / "lm" / "conversations", shelf, database)
    assert questions[0] == ("And ice?", ["1721 - ice.png"])
    assert left_out == {"tool": 1}


def test_a_backup_has_them(chat: Conversation, places: AppPaths, database: Database, tmp_path: Path) -> None:
    list(back_up(tmp_path / "all.zip", places, database, CancelToken()))
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert sum(name.startswith("media/") for name in archive.namelist()) == 3
    other = places_in(tmp_path / "other")
    *_, last = unpack_backup(tmp_path / "all.zip", other, CancelToken())
    assert isinstance(last, BackupUnpacked)
    accept(other)
    put_in_place(other)
    assert database_files(other) == database_files(places)


def database_files(places: AppPaths) -> list[str]:
    return sorted(each.name for each in places.media.glob("*/*"))
