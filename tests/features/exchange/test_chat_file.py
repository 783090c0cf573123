"""Our own file: any tree comes back as it was, twice is once, and the schema beside it tells the truth."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors.exchange_errors import ChatsUnreadable
from app.core.events import AnswerStats, CancelToken, FinishReason, Role
from app.core.paths import resource_path
from app.features.chat.tool_steps import ToolStep, step_to_fields
from app.features.exchange.chat_export import ExportFinished, ExportProgress, export_chats
from app.features.exchange.chat_file import ChatArchive, build_shelf
from app.features.exchange.chat_import import ChatImported, ChatNotRead, ImportFinished, import_chats, recognize_format
from app.features.retrieval.support import NOT_FOUND
from app.features.survey.wanted import SurveyCoverage, made_to_fields
from app.store.assistant_store import AssistantStore
from app.store.attachments import DocumentUse
from app.store.conversation_row import Conversation
from app.store.conversations import Conversations, MessageState, TreeMessage
from app.store.database import Database
from app.store.projects import Memories, ProjectDocuments, Projects, Tags
from tests.features.exchange.schema import problems

OLD_FILE = Path(__file__).parent / "data" / "fireside-chats-v1.json"
"""Written by the program of the morning of 27 November 2026."""
TEXTS = st.text(max_size=40)
NAMES = TEXTS.filter(lambda text: not (PurePosixPath(text).is_absolute() or PureWindowsPath(text).is_absolute()))
"""Of models; of a whole path the file's name goes along, which is tried by itself."""
MOMENTS = st.floats(min_value=1, max_value=3e9)
COUNTS = st.integers(min_value=0, max_value=10**6)
STATES = st.sampled_from([state for state in MessageState if state is not MessageState.WRITING])
FIGURES = st.floats(min_value=0, max_value=1e6)
STATS = st.builds(AnswerStats, COUNTS, COUNTS, COUNTS, FIGURES, FIGURES, st.sampled_from(FinishReason), COUNTS)


@st.composite
def trees(draw: st.DrawFn) -> list[TreeMessage]:
    messages: list[TreeMessage] = []
    for number in range(1, draw(st.integers(min_value=0, max_value=12)) + 1):
        parents = [None, *(one.id for one in messages)]
        messages.append(
            TreeMessage(
                number,
                draw(st.sampled_from(parents)),
                draw(st.sampled_from(Role)),
                draw(TEXTS),
                draw(STATES),
                draw(TEXTS),
                draw(MOMENTS),
                draw(COUNTS),
                draw(st.none() | STATS),
                draw(TEXTS),
                draw(st.none() | FIGURES),
                draw(st.booleans()),
            )
        )
    return messages


@st.composite
def chats(draw: st.DrawFn) -> Conversation:
    return Conversation(
        0,
        draw(TEXTS),
        draw(TEXTS),
        draw(st.none() | st.floats(min_value=0, max_value=5)),
        draw(NAMES),
        draw(TEXTS),
        float(draw(st.integers(1, 3 * 10**9))),
        draw(MOMENTS),
        None,
        draw(st.booleans()),
        draw(st.dictionaries(st.sampled_from(["top_k", "seed", "min_p"]), COUNTS)),
        draw(st.sampled_from(["", "on", "off", "low", "medium", "high"])),
        draw(st.sampled_from([None, 1, 2])),
    )


@contextmanager
def fresh() -> Iterator[tuple[ChatArchive, Conversations]]:
    database = Database.in_memory()
    yield (
        build_shelf(database),
        Conversations(database),
    )
    database.close()


def exported(path: Path, shelf: ChatArchive, conversations: Conversations) -> ExportFinished:
    *_, last = export_chats(path, conversations.find(), shelf, CancelToken())
    assert isinstance(last, ExportFinished)
    return last


def everything(shelf: ChatArchive, conversations: Conversations) -> list[Any]:
    """All chats with all messages, ids by their order."""
    found = []
    for chat in sorted(conversations.find(), key=lambda one: one.id):
        messages = list(shelf.whole.all_messages(chat.id))
        places: dict[int | None, int | None] = {one.id: place for place, one in enumerate(messages)}
        plain = [replace(one, id=places[one.id] or 0, parent_id=places.get(one.parent_id)) for one in messages]
        leaf, kept = places.get(chat.leaf_id), places.get(chat.first_kept_id)
        found.append((replace(chat, id=0, leaf_id=leaf, first_kept_id=kept), plain))
    return found


@given(st.lists(st.tuples(chats(), trees()), min_size=1, max_size=3, unique_by=lambda one: one[0].created_at))
def test_any_tree_comes_back_as_it_went(given_chats: list[tuple[Conversation, list[TreeMessage]]]) -> None:
    with tempfile.TemporaryDirectory() as folder, fresh() as (here, ours), fresh() as (there, theirs):
        for chat, messages in given_chats:
            here.whole.add_tree(chat, messages)
        ours.create(title="so that ids differ")
        ours.delete(ours.find()[0].id)
        path = Path(folder) / "chats.json"
        exported(path, here, ours)
        value = json.loads(path.read_text(encoding="utf-8"))
        assert list(problems(value, json.loads(resource_path("exchange/chats.schema.json").read_text()))) == []
        list(import_chats(path, there, CancelToken(), with_copies=True))
        came = everything(there, theirs)
        went = everything(here, ours)
        assert sorted(map(repr, came)) == sorted(map(repr, went))
        *_, again = import_chats(path, here, CancelToken())
        assert again == ImportFinished(0, 0, len(given_chats), 0)
        assert everything(here, ours) == went


def node(number: int, parent: int | None, text: str, **more: Any) -> TreeMessage:
    role = Role.ASSISTANT if parent else Role.USER
    return TreeMessage(number, parent, role, text, MessageState.COMPLETE, "m", 100.0 + number, **more)


CHAT = Conversation(0, "Rent", "", None, "m", "", 100.0, 200.0, None, False)


def test_importing_twice_is_once_unless_a_copy_is_wanted(
    tmp_path: Path, shelf: ChatArchive, conversations: Conversations
) -> None:
    shelf.whole.add_tree(CHAT, [node(1, None, "How much?"), node(2, 1, "Much.")])
    path = tmp_path / "chats.json"
    assert exported(path, shelf, conversations) == ExportFinished(1, 2)
    assert recognize_format(path) == "fireside"
    assert list(import_chats(path, shelf, CancelToken()))[-1] == ImportFinished(0, 0, 1, 0)
    assert len(conversations.find()) == 1
    assert list(import_chats(path, shelf, CancelToken(), with_copies=True))[-1] == ImportFinished(1, 0, 0, 0)
    for chat in conversations.find():
        conversations.delete(chat.id)
    assert list(import_chats(path, shelf, CancelToken()))[-1] == ImportFinished(1, 0, 0, 0)


@pytest.mark.parametrize("folder", ["/home/ada/models/", "C:\\Users\\ada\\models\\", "\\\\ada\\share\\"])
def test_a_model_is_named_by_its_file_and_not_by_where_it_lies(
    folder: str, tmp_path: Path, shelf: ChatArchive, conversations: Conversations
) -> None:
    shelf.whole.add_tree(replace(CHAT, model=f"{folder}Large-8B.gguf"), [node(1, None, "How much?")])
    path = tmp_path / "chats.json"
    exported(path, shelf, conversations)
    text = path.read_text(encoding="utf-8")
    assert "ada" not in text
    older = text.replace('"Large-8B.gguf"', json.dumps(f"{folder}Large-8B.gguf"))
    assert "ada" in older
    for content in (text, older):
        conversations.delete(conversations.find()[0].id)
        path.write_text(content, encoding="utf-8")
        list(import_chats(path, shelf, CancelToken()))
        assert [chat.model for chat in conversations.find()] == ["Large-8B.gguf"]


def document(shelf: ChatArchive, name: str, sha256: str) -> int:
    number = shelf.documents.begin_document(Path("/somewhere") / name, 1, 1)
    return shelf.documents.finish_document(number, format_="pdf", unit="page", pages=9, sha256=sha256, info={}).id


def test_documents_come_back_where_they_are_and_are_named_where_not(
    tmp_path: Path, shelf: ChatArchive, conversations: Conversations
) -> None:
    lease, plan = document(shelf, "lease.pdf", "aa"), document(shelf, "plan.pdf", "bb")
    source = {"answer_start": 0, "answer_end": 4, "document_id": lease, "block_id": 3, "start": 1, "end": 9, "page": 2}
    source["is_named"] = True
    messages = [node(1, None, "How much?"), node(2, 1, "Much.", sources=(source,))]
    draft = replace(CHAT, draft="And?")
    shelf.whole.add_tree(
        draft,
        messages,
        {1: [(lease, DocumentUse.WHOLE), (plan, DocumentUse.BACKGROUND)], None: [(plan, DocumentUse.WHOLE)]},
    )
    path = tmp_path / "chats.json"
    exported(path, shelf, conversations)
    conversations.delete(conversations.find()[0].id)
    (imported,) = (one for one in import_chats(path, shelf, CancelToken()) if isinstance(one, ChatImported))
    assert imported.left_out == {}
    question, answer = conversations.read_branch(imported.conversation_id)
    attached = shelf.attachments.of_messages([question.id])[question.id]
    assert [(one.document_id, one.use) for one in attached] == [
        (lease, DocumentUse.WHOLE),
        (plan, DocumentUse.BACKGROUND),
    ]
    assert answer.sources == (source,)
    assert [one.document_id for one in shelf.attachments.in_draft(imported.conversation_id)] == [plan]
    with fresh() as (there, theirs):
        (imported,) = (one for one in import_chats(path, there, CancelToken()) if isinstance(one, ChatImported))
        assert imported.left_out == {"file": 3, "reference": 1}
        question, answer = theirs.read_branch(imported.conversation_id)
        assert question.text == "How much?\n\n[Attached: lease.pdf]\n\n[Attached: plan.pdf]"
        assert answer.sources == ()
        (chat,) = theirs.find()
        assert chat.draft == "And?\n\n[Attached: plan.pdf]"


MADE = made_to_fields(SurveyCoverage(3, 2, 1.5, is_by_model=True))
CALLED = step_to_fields(ToolStep("calculate", '{"formula": "6 * 7"}', "6 * 7 = 42", "done"))
DOUBTED = {"unsupported": [[0, 4], [5, 7]], "checker": "claim-checker"}


@pytest.mark.parametrize(
    "marks",
    [(NOT_FOUND,), (MADE,), (CALLED,), (MADE, CALLED, NOT_FOUND, DOUBTED)],
    ids=["not found", "made", "called", "all"],
)
def test_what_was_judged_of_an_answer_comes_along_wherever_its_documents_are(
    tmp_path: Path, shelf: ChatArchive, conversations: Conversations, marks: tuple[dict[str, Any], ...]
) -> None:
    shelf.whole.add_tree(CHAT, [node(1, None, "How much?"), node(2, 1, "Much more.", sources=marks)], {})
    path = tmp_path / "chats.json"
    exported(path, shelf, conversations)
    assert (
        list(
            problems(
                json.loads(path.read_text("utf-8")), json.loads(resource_path("exchange/chats.schema.json").read_text())
            )
        )
        == []
    )
    with fresh() as (there, theirs):
        (imported,) = (one for one in import_chats(path, there, CancelToken()) if isinstance(one, ChatImported))
        assert imported.left_out == {}
        assert theirs.read_branch(imported.conversation_id)[1].sources == marks


@pytest.mark.parametrize(
    "marks",
    [
        None,
        [NOT_FOUND],
        {"support": "always", "unsupported": [[5, 2], [0, 99], [-1, 3]], "survey": {"sections": "many"}},
        {"unsupported": [[0, 1, 2]], "survey": {"sections": -1}},
        {"unsupported": 7, "survey": {"later": 1}, "checker": 3},
    ],
)
def test_impossible_marks_are_left_out(
    tmp_path: Path, shelf: ChatArchive, conversations: Conversations, marks: Any
) -> None:
    fields = [
        {"id": 1, "parent": None, "role": "user", "text": "How much?"},
        {"id": 2, "parent": 1, "role": "assistant", "text": "Much more.", "marks": marks},
    ]
    path = tmp_path / "chats.json"
    path.write_text(json.dumps({"format": "fireside-chats", "version": 1, "chats": [{"messages": fields}]}), "utf-8")
    (imported,) = (one for one in import_chats(path, shelf, CancelToken()) if isinstance(one, ChatImported))
    sources = conversations.read_branch(imported.conversation_id)[1].sources
    assert sources == ((made_to_fields(SurveyCoverage()),) if marks and "later" in str(marks) else ())


def test_project_assistant_and_tags_come_along_and_are_made_only_where_they_are_not(tmp_path: Path) -> None:
    path = tmp_path / "chats.json"
    with closing(Database.in_memory()) as database:
        shelf, projects = build_shelf(database), Projects(database)
        project = projects.create("Flat", "house")
        projects.update(project.id, instructions="Answer as a lawyer.")
        Memories(database).add("I rent.", project.id)
        Memories(database).add("of nobody's project")
        ProjectDocuments(database).add(project.id, document(shelf, "lease.pdf", "aa"))
        assistant = AssistantStore(database).create("Lawyer", "scales", instructions="Be exact.", sampling={"top_k": 5})
        chat = replace(CHAT, project_id=project.id, assistant_id=assistant.id)
        numbers = [shelf.whole.add_tree(replace(chat, created_at=100.0 + n), [node(1, None, f"{n}?")]) for n in (0, 1)]
        for name in ("home", "money"):
            Tags(database).set_tag(Tags(database).create(name).id, numbers[0])
        exported(path, shelf, Conversations(database))
    value = json.loads(path.read_text(encoding="utf-8"))
    assert list(problems(value, json.loads(resource_path("exchange/chats.schema.json").read_text()))) == []
    assert "nobody" not in path.read_text(encoding="utf-8")
    with closing(Database.in_memory()) as database:
        shelf, tags = build_shelf(database), Tags(database)
        document(shelf, "lease copy.pdf", "aa")
        home = tags.create("home")
        list(import_chats(path, shelf, CancelToken()))
        (project,) = Projects(database).all()
        (assistant,) = AssistantStore(database).all()
        assert (project.name, project.icon, project.instructions) == ("Flat", "house", "Answer as a lawyer.")
        assert [one.text for one in Memories(database).all()] == ["I rent."]
        assert len(ProjectDocuments(database).list_documents(project.id)) == 1
        assert (assistant.instructions, assistant.sampling) == ("Be exact.", {"top_k": 5})
        found = sorted(Conversations(database).find(), key=lambda one: one.created_at)
        assert [(one.project_id, one.assistant_id) for one in found] == [(project.id, assistant.id)] * 2
        assert [[tag.name for tag in tags.of_chat(one.id)] for one in found] == [["home", "money"], []]
        assert home in tags.of_chat(found[0].id)


def test_a_file_of_before_there_were_projects_is_read_as_it_was(
    shelf: ChatArchive, conversations: Conversations
) -> None:
    lease = document(shelf, "lease.pdf", "aa")
    *_, last = import_chats(OLD_FILE, shelf, CancelToken())
    assert last == ImportFinished(2, 0, 0, 0)
    question, rent = sorted(conversations.find(), key=lambda one: one.title == "Rent in Köln")
    assert [one.text for one in conversations.read_branch(question.id)] == ["كم؟"]
    assert (rent.system_prompt, rent.temperature, rent.draft, rent.sampling) == (
        "Be brief.", 0.4, "and then", {"top_k": 40},
    )  # fmt: skip
    first, answer = conversations.read_branch(rent.id)
    assert (first.pinned, answer.text, answer.thinking, len(answer.versions)) == (True, "It is **high**.", "Hm.", 2)
    assert answer.sources[0]["document_id"] == lease
    assert answer.stats is not None
    assert [one.document_id for one in shelf.attachments.of_messages([first.id])[first.id]] == [lease]
    assert (rent.project_id, rent.assistant_id, answer.recalled) == (None, None, ())


def test_what_is_being_written_leaves_as_interrupted(
    tmp_path: Path, shelf: ChatArchive, conversations: Conversations
) -> None:
    chat = conversations.create(title="t")
    conversations.add_message(chat.id, None, Role.ASSISTANT, "half", state=MessageState.WRITING)
    path = tmp_path / "chats.json"
    exported(path, shelf, conversations)
    assert json.loads(path.read_text())["chats"][0]["messages"][0]["state"] == "interrupted"


def test_a_file_of_a_newer_program_is_refused_with_a_sentence(tmp_path: Path, shelf: ChatArchive) -> None:
    path = tmp_path / "chats.json"
    path.write_text(json.dumps({"format": "fireside-chats", "version": 99, "chats": [{}]}))
    with pytest.raises(ChatsUnreadable) as caught:
        list(import_chats(path, shelf, CancelToken()))
    assert caught.value.reason == "newer"


def test_impossible_values_are_as_in_a_new_chat_and_the_rest_is_read(
    tmp_path: Path, shelf: ChatArchive, conversations: Conversations
) -> None:
    messages = [
        {"id": 1, "parent": None, "role": "user", "text": "kept", "state": "?", "chosen": "x", "stats": 5},
        {"id": 1, "parent": None, "role": "user", "text": "twice"},
        {"id": 2, "parent": 7, "role": "user", "text": "no parent"},
        {"id": 3, "parent": 1, "role": "nobody"},
        "no message",
        {"id": 4, "parent": 1, "role": "assistant", "text": 5, "created_at": 1e400, "thinking_s": "long"},
    ]
    chat = {
        "title": ["x"],
        "temperature": 99,
        "sampling": {"seed": "x", "top_k": 3},
        "thinking": "deep",
        "messages": messages,
    }
    path = tmp_path / "chats.json"
    path.write_text(json.dumps({"format": "fireside-chats", "version": 1, "chats": [chat, 5]}))
    events = list(import_chats(path, shelf, CancelToken()))
    (imported,) = (one for one in events if isinstance(one, ChatImported))
    assert imported.left_out == {"damaged": 3, "parent": 1}
    assert [one.reason for one in events if isinstance(one, ChatNotRead)] == ["unknown"]
    (found,) = conversations.find()
    assert (found.title, found.temperature, found.sampling, found.thinking) == ("", None, {"top_k": 3}, "")
    assert [one.text for one in conversations.read_branch(found.id)] == ["kept", ""]


def test_a_long_chat_is_written_a_message_at_a_time_and_nothing_is_left_of_a_cancelled_one(
    tmp_path: Path, shelf: ChatArchive, conversations: Conversations
) -> None:
    shelf.whole.add_tree(CHAT, [node(number, number - 1 or None, "x" * 50) for number in range(1, 501)])
    path, cancel = tmp_path / "chats.json", CancelToken()
    path.write_text("as it was")
    events = export_chats(path, conversations.find(), shelf, cancel)
    first = next(events)
    cancel.cancel()
    assert list(events) == [ExportFinished(0, 51, is_cancelled=True)]
    assert path.read_text() == "as it was"
    assert first == ExportProgress(50, 500)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["chats.json", "home"]
