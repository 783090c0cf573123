"""The tree of messages: versions, the chosen branch, deletion with a way back, against a plain model."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from app.core.events import AnswerStats, FinishReason, Role
from app.store.conversation_row import Conversation
from app.store.conversations import Conversations, MessageState
from app.store.database import Database
from tests.helpers.searching import search_text
from tests.store.test_conversations import index_is_sound

STATS = AnswerStats(100, 40, 12, 0.5, 33.25, FinishReason.LENGTH)


@pytest.fixture
def chat(conversations: Conversations) -> Conversation:
    return conversations.create()


def shown(conversations: Conversations, chat: Conversation) -> list[str]:
    return [message.text for message in conversations.read_branch(chat.id)]


def add(conversations: Conversations, chat: Conversation, parent_id: int | None, text: str) -> int:
    return conversations.add_message(chat.id, parent_id, Role.USER, text).id


def test_a_message_comes_back_as_it_was_stored(conversations: Conversations, chat: Conversation) -> None:
    added = conversations.add_message(chat.id, None, Role.ASSISTANT, "hi", state=MessageState.WRITING, model="Starter")
    assert (added.role, added.text, added.state, added.model) == (Role.ASSISTANT, "hi", MessageState.WRITING, "Starter")
    assert (added.parent_id, added.conversation_id, added.versions) == (None, chat.id, (added.id,))
    assert added.stats is None
    conversations.finish_message(added.id, "hi there", MessageState.COMPLETE, STATS)
    stored = conversations.get_message(added.id)
    assert stored is not None
    assert (stored.text, stored.state, stored.stats) == ("hi there", MessageState.COMPLETE, STATS)
    assert [stored] == conversations.read_branch(chat.id)


def test_reasoning_is_kept_apart_and_is_not_what_a_search_finds(
    conversations: Conversations, chat: Conversation
) -> None:
    answer = conversations.add_message(chat.id, None, Role.ASSISTANT, "", state=MessageState.WRITING)
    conversations.save_text(answer.id, "", "first I")
    assert conversations.read_branch(chat.id)[0].thinking == "first I"
    conversations.finish_message(
        answer.id, "the result", MessageState.COMPLETE, thinking="first I\0 weigh", thinking_s=2.5
    )
    stored = conversations.read_branch(chat.id)[0]
    assert (stored.text, stored.thinking, stored.thinking_s) == ("the result", "first I weigh", 2.5)
    assert search_text(conversations, "weigh") == []
    assert [hit[1] for hit in search_text(conversations, "result")] == [answer.id]


def test_a_message_is_pinned_and_let_go(conversations: Conversations, chat: Conversation) -> None:
    message_id = add(conversations, chat, None, "q")
    conversations.set_message_pinned(message_id, True)
    assert [message.pinned for message in conversations.read_branch(chat.id)] == [True]
    conversations.set_message_pinned(message_id, False)
    assert [message.pinned for message in conversations.read_branch(chat.id)] == [False]


def test_a_new_message_is_the_leaf_and_moves_its_chat_up(conversations: Conversations, chat: Conversation) -> None:
    question = add(conversations, chat, None, "q")
    stored = conversations.get(chat.id)
    assert stored is not None
    assert stored.leaf_id == question
    assert stored.updated_at > chat.updated_at


def test_versions_know_each_other_oldest_first(conversations: Conversations, chat: Conversation) -> None:
    question = add(conversations, chat, None, "q")
    answers = tuple(add(conversations, chat, question, f"a{number}") for number in range(12))
    assert conversations.read_branch(chat.id)[-1].versions == answers
    assert conversations.read_branch(chat.id)[-1].text == "a11"


def test_switching_back_returns_to_where_one_was(conversations: Conversations, chat: Conversation) -> None:
    question = add(conversations, chat, None, "q")
    first = add(conversations, chat, question, "a1")
    follow = add(conversations, chat, first, "q2")
    add(conversations, chat, follow, "b1")
    add(conversations, chat, follow, "b2")
    conversations.choose_version(conversations.read_branch(chat.id)[-1].versions[0])
    edited = add(conversations, chat, None, "q edited")
    assert shown(conversations, chat) == ["q edited"]
    conversations.choose_version(question)
    assert shown(conversations, chat) == ["q", "a1", "q2", "b1"], "the version chosen there, not the newest"
    conversations.choose_version(edited)
    assert shown(conversations, chat) == ["q edited"]


def test_writing_below_a_hidden_version_shows_it(conversations: Conversations, chat: Conversation) -> None:
    question = add(conversations, chat, None, "q")
    first = add(conversations, chat, question, "a1")
    add(conversations, chat, question, "a2")
    add(conversations, chat, first, "q2")
    assert shown(conversations, chat) == ["q", "a1", "q2"]


def test_a_parent_must_be_a_live_message_of_the_same_chat(conversations: Conversations, chat: Conversation) -> None:
    elsewhere = add(conversations, conversations.create(), None, "other chat")
    gone = add(conversations, chat, None, "gone")
    conversations.delete_message(gone)
    for parent in (elsewhere, gone, 999):
        with pytest.raises(KeyError):
            add(conversations, chat, parent, "x")
    with pytest.raises(KeyError):
        conversations.choose_version(gone)
    assert shown(conversations, chat) == []
    stored = conversations.get(chat.id)
    assert stored is not None
    assert stored.updated_at < 1006, "a refused message leaves no trace"


def test_deleting_the_only_answer_shows_the_question_and_undo_brings_all_back(
    conversations: Conversations, chat: Conversation
) -> None:
    question = add(conversations, chat, None, "q")
    answer = add(conversations, chat, question, "a")
    add(conversations, chat, answer, "q2")
    before = conversations.read_branch(chat.id)
    conversations.delete_message(answer)
    assert shown(conversations, chat) == ["q"]
    assert conversations.get_message(answer) is None
    assert search_text(conversations, "q2") == []
    conversations.restore_message(answer)
    assert conversations.read_branch(chat.id) == before
    assert len(search_text(conversations, "q2")) == 1


def test_deleting_a_version_shows_the_one_chosen_before_it(conversations: Conversations, chat: Conversation) -> None:
    question = add(conversations, chat, None, "q")
    first, second, third = (add(conversations, chat, question, text) for text in ("a1", "a2", "a3"))
    conversations.choose_version(first)
    conversations.choose_version(third)
    conversations.delete_message(third)
    assert shown(conversations, chat) == ["q", "a1"]
    assert conversations.read_branch(chat.id)[-1].versions == (first, second)


def test_deleting_a_hidden_version_leaves_the_view_alone(conversations: Conversations, chat: Conversation) -> None:
    question = add(conversations, chat, None, "q")
    first = add(conversations, chat, question, "a1")
    second = add(conversations, chat, question, "a2")
    conversations.delete_message(first)
    assert shown(conversations, chat) == ["q", "a2"]
    assert conversations.read_branch(chat.id)[-1].versions == (second,)


def test_undoing_the_inner_deletion_first_or_last_ends_the_same(
    conversations: Conversations, chat: Conversation
) -> None:
    outer = add(conversations, chat, None, "outer")
    inner = add(conversations, chat, outer, "inner")
    for order in ((inner, outer), (outer, inner)):
        conversations.delete_message(inner)
        conversations.delete_message(outer)
        for message_id in order:
            conversations.restore_message(message_id)
        assert shown(conversations, chat) == ["outer", "inner"]


def test_what_was_deleted_before_stays_deleted_when_its_parent_comes_back(
    conversations: Conversations, chat: Conversation
) -> None:
    outer = add(conversations, chat, None, "outer")
    inner = add(conversations, chat, outer, "inner")
    conversations.delete_message(inner)
    conversations.delete_message(outer)
    conversations.restore_message(outer)
    assert shown(conversations, chat) == ["outer"]
    conversations.delete_message(outer)
    conversations.restore_message(inner)
    assert conversations.get_message(inner) is None, "its parent is still hidden"
    assert search_text(conversations, "inner") == []


def test_text_of_a_message_deleted_while_it_was_written_is_there_after_undo(
    conversations: Conversations, chat: Conversation
) -> None:
    answer = conversations.add_message(chat.id, None, Role.ASSISTANT, "", state=MessageState.WRITING)
    conversations.delete_message(answer.id)
    conversations.finish_message(answer.id, "whole answer", MessageState.COMPLETE, STATS)
    conversations.restore_message(answer.id)
    assert shown(conversations, chat) == ["whole answer"]


@dataclass
class Node:
    """A message of the model: plain Python, no SQL."""

    id: int
    parent: Node | None
    text: str
    chosen_at: int
    children: list[Node] = field(default_factory=list)
    hidden_by: int | None = None

    def family(self) -> list[Node]:
        return [self] + [node for child in self.children for node in child.family()]


class TreeOfMessages(RuleBasedStateMachine):
    """Any order of adding, editing, choosing, deleting, restoring, saving, purging and opening again."""

    @initialize()
    def open(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.database = Database.open(Path(self.folder.name) / "fireside.db")
        self.store = Conversations(self.database)
        self.chat_id = self.store.create().id
        self.roots: list[Node] = []
        self.choices = 0

    def every_node(self) -> list[Node]:
        return [node for root in self.roots for node in root.family()]

    def live(self) -> list[Node]:
        return [node for node in self.every_node() if node.hidden_by is None]

    def siblings(self, node: Node) -> list[Node]:
        return self.roots if node.parent is None else node.parent.children

    def mark_chosen(self, node: Node | None) -> None:
        self.choices += 1
        while node is not None:
            node.chosen_at = self.choices
            node = node.parent

    def add_below(self, parent: Node | None, text: str) -> None:
        stored = self.store.add_message(self.chat_id, parent.id if parent else None, Role.USER, text)
        node = Node(stored.id, parent, text, 0)
        (parent.children if parent else self.roots).append(node)
        self.mark_chosen(node)

    def expected_path(self) -> list[Node]:
        path: list[Node] = []
        step = self.roots
        while live := [node for node in step if node.hidden_by is None]:
            path.append(max(live, key=lambda node: node.chosen_at))
            step = path[-1].children
        return path

    @rule(text=st.text(max_size=5).filter(lambda text: "\0" not in text))
    def send(self, text: str) -> None:
        path = self.expected_path()
        self.add_below(path[-1] if path else None, text)

    @precondition(lambda self: self.live())
    @rule(data=st.data(), text=st.sampled_from(["x", "y", "words"]))
    def branch(self, data: st.DataObject, text: str) -> None:
        self.add_below(data.draw(st.sampled_from(self.live())), text)

    @precondition(lambda self: self.live())
    @rule(data=st.data(), text=st.sampled_from(["edited", ""]))
    def edit(self, data: st.DataObject, text: str) -> None:
        self.add_below(data.draw(st.sampled_from(self.live())).parent, text)

    @precondition(lambda self: self.live())
    @rule(data=st.data())
    def choose(self, data: st.DataObject) -> None:
        node = data.draw(st.sampled_from(self.live()))
        self.store.choose_version(node.id)
        self.mark_chosen(node)

    @precondition(lambda self: self.roots)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        node = data.draw(st.sampled_from(self.every_node()))
        self.store.delete_message(node.id)
        if node.hidden_by is None:
            for below in node.family():
                if below.hidden_by is None:
                    below.hidden_by = node.id

    @precondition(lambda self: self.roots)
    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        deleted = [node for node in self.every_node() if node.hidden_by == node.id]
        node = data.draw(st.sampled_from(deleted or self.every_node()))
        self.store.restore_message(node.id)
        for other in [other for other in self.every_node() if other.hidden_by == node.id]:
            other.hidden_by = node.parent.hidden_by if node.parent else None

    @precondition(lambda self: self.roots)
    @rule(data=st.data(), text=st.sampled_from(["short", "a longer text"]), state=st.sampled_from(MessageState))
    def write(self, data: st.DataObject, text: str, state: MessageState) -> None:
        node = data.draw(st.sampled_from(self.every_node()))
        self.store.save_text(node.id, text + " half")
        self.store.finish_message(node.id, text, state)
        node.text = text

    @rule()
    def purge(self) -> None:
        self.store.purge_deleted()
        for node in self.every_node():
            node.children = [child for child in node.children if child.hidden_by is None]
        self.roots = [root for root in self.roots if root.hidden_by is None]

    @rule()
    def open_again(self) -> None:
        self.database.close()
        self.database = Database.open(Path(self.folder.name) / "fireside.db")
        self.store = Conversations(self.database)

    @invariant()
    def path_is_as_in_the_model(self) -> None:
        expected = self.expected_path()
        path = self.store.read_branch(self.chat_id)
        assert [(message.id, message.text) for message in path] == [(node.id, node.text) for node in expected]
        for message, node in zip(path, expected, strict=True):
            assert message.versions == tuple(other.id for other in self.siblings(node) if other.hidden_by is None)
            assert message.parent_id == (node.parent.id if node.parent else None)
        chat = self.store.get(self.chat_id)
        assert chat is not None
        assert chat.leaf_id == (expected[-1].id if expected else None)

    def teardown(self) -> None:
        for node in self.every_node():
            assert (self.store.get_message(node.id) is None) == (node.hidden_by is not None)
        assert index_is_sound(self.database)
        self.database.close()
        self.folder.cleanup()


TestTreeOfMessages = TreeOfMessages.TestCase
TestTreeOfMessages.settings = settings(stateful_step_count=30)
