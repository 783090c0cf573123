"""What a chat's session reads and stores of branches; on the window's thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.core.events import Role
from app.features.chat import session_messages as m
from app.features.chat.prompt_builder import hidden_ids


def load_branch(effect: m.LoadBranch) -> m.BranchLoaded:
    conversations, number = effect.place.talk.conversations, effect.place.conversation_id
    conversation = conversations.get(number) if number is not None else None
    messages = tuple(conversations.read_branch(conversation.id)) if conversation is not None else ()
    hidden = hidden_ids(conversation, messages) if conversation is not None else ()
    return m.BranchLoaded(effect.place, messages, hidden)


def load_hidden(effect: m.LoadHidden) -> m.HiddenLoaded | None:
    number = effect.place.conversation_id
    conversation = effect.place.talk.conversations.get(number) if number is not None else None
    hidden = hidden_ids(conversation, effect.messages) if conversation is not None else ()
    return m.HiddenLoaded(effect.place, hidden)


def read_question(effect: m.ReadQuestion) -> m.QuestionRead | None:
    question = effect.place.talk.conversations.get_message(effect.question_id)
    return m.QuestionRead(effect.place, question) if question is not None else None


def store_version(effect: m.StoreVersion) -> m.BranchChanged:
    talk, old, place = effect.place.talk, effect.message, effect.place
    try:
        if old.role is Role.USER:
            question = talk.versions.edit_question(old.id, effect.text)
            return m.BranchChanged(place, (m.CloseEditor(old.id), m.AnswerQuestion(question.id)))
        answer = talk.versions.edit_answer(old.id, effect.text)
    except KeyError:  # it was deleted meanwhile
        return m.BranchChanged(place)
    return m.BranchChanged(place, (m.CloseEditor(old.id), m.TouchChat(place), m.FocusMessage(answer.id)))


def store_branch(effect: m.StoreBranch) -> m.BranchChanged:
    conversations = effect.place.talk.conversations
    try:
        if effect.chosen_id:
            conversations.choose_version(effect.chosen_id)
        if effect.deleted_id:
            conversations.delete_message(effect.deleted_id)
        if effect.restored_id:
            conversations.restore_message(effect.restored_id)
        if effect.pinned is not None:
            conversations.set_message_pinned(*effect.pinned)
    except KeyError:  # it was deleted meanwhile
        return m.BranchChanged(effect.place)
    return m.BranchChanged(effect.place, effect.then)


BRANCH_EFFECTS: dict[type, Callable[[Any], object | None]] = {
    m.LoadBranch: load_branch,
    m.LoadHidden: load_hidden,
    m.ReadQuestion: read_question,
    m.StoreVersion: store_version,
    m.StoreBranch: store_branch,
}
