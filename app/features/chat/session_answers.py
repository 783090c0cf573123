"""What becomes of a chat's branch and its running answers: steps from one state of a chat to the next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from app.core.events import Finished, Role
from app.features.chat import session_messages as m
from app.features.chat.answer_service import (
    AnswerStarted,
    ContextCompacted,
    ContextIsFull,
    ContextWidened,
    DocumentsShown,
)
from app.features.chat.message_draft import ChatPlace
from app.features.chat.session_state import ChatState, QueueState, RunningAnswer, Step
from app.features.chat.tool_questions import ToolAnswered, ToolAsks
from app.features.chat.tool_steps import StepsChanged
from app.store.conversations import MessageState, StoredMessage


def load_branch(state: ChatState, place: ChatPlace) -> tuple[object, ...]:
    """Return what reads the branch of a chat again, if it is shown; one being answered is read at the end."""
    return (m.LoadBranch(place),) if place == state.place and not state.answers_in(place) else ()


def _on_branch_loaded(state: ChatState, message: m.BranchLoaded) -> Step:
    if message.place != state.place:
        return state, ()
    running = state.answers_in(state.place)
    written = {answer.message_id for answer in running}

    def is_complete(stored: StoredMessage) -> bool:
        # An answer is stored shortly before that is told.
        return stored.id not in written and not (0 in written and stored.state is MessageState.WRITING)

    branch = tuple(stored for stored in message.messages if is_complete(stored)) if running else message.messages
    return replace(state, branch=branch, hidden=message.hidden), ()


def _on_hidden_loaded(state: ChatState, message: m.HiddenLoaded) -> Step:
    return (replace(state, hidden=message.hidden) if message.place == state.place else state), ()


def _on_question_read(state: ChatState, message: m.QuestionRead) -> Step:
    question = message.question
    if message.place != state.place:
        return state, ()
    return replace(state, branch=tuple(question if old.id == question.id else old for old in state.branch)), ()


def _on_branch_changed(state: ChatState, message: m.BranchChanged) -> Step:
    return state, (*load_branch(state, message.place), *message.then)


def _on_reload(state: ChatState, _message: m.ReloadBranch) -> Step:
    return state, load_branch(state, state.place)


def with_question(state: ChatState, place: ChatPlace, question: StoredMessage) -> Step:
    """Put a question that was just stored at the end of the branch, if that is shown."""
    last_id = state.branch[-1].id if state.branch else None
    if place != state.place or question.parent_id != last_id:
        return state, load_branch(state, place)
    return replace(state, branch=(*state.branch, question)), ()


def _on_answer_question(state: ChatState, message: m.AnswerQuestion) -> Step:
    ids = [stored.id for stored in state.branch]
    if message.question_id not in ids:
        return state, ()
    if state.is_busy:
        return state, (m.ReportBusy(),)
    branch = state.branch[: ids.index(message.question_id) + 1]
    start = m.StartAnswer(state.place, branch[-1], is_whole=message.is_whole, when_full=message.when_full)
    return replace(state, branch=branch), (start, m.TouchChat(state.place))


def _on_answer_whole(state: ChatState, message: m.AnswerWhole) -> Step:
    if not state.is_busy:
        return state, (m.AnswerQuestion(message.question_id, is_whole=True),)
    # One that runs in another chat is waited for.
    return replace(state, whole=(state.place, message.question_id)), (m.StopAnswers(state.place),)


def _on_continue(state: ChatState, message: m.ContinueAnswer) -> Step:
    answer = state.message_of(message.answer_id)
    if answer is None or answer.role is not Role.ASSISTANT or answer is not state.branch[-1]:
        return state, ()
    if state.is_busy:
        return state, (m.ReportBusy(),)
    start = m.StartAnswer(state.place, None, answer, is_whole=message.is_whole, when_full=message.when_full)
    return state, (start,)


def _on_retry(state: ChatState, message: m.RetryAnswer) -> Step:
    answer = state.message_of(message.answer_id)
    if state.is_busy:
        return state, (m.ReportBusy(),)
    if answer is None:
        asked = next((stored.id for stored in reversed(state.branch) if stored.role is Role.USER), 0)
        return state, (m.AnswerQuestion(asked),)
    if answer.text:
        return state, (m.ContinueAnswer(answer.id, message.is_whole),)
    again = (m.AnswerQuestion(answer.parent_id or 0, message.is_whole),)
    return state, (m.StoreBranch(state.place, deleted_id=answer.id, then=again),)


def _on_answer_from(state: ChatState, message: m.AnswerFrom) -> Step:
    if (answer := state.message_of(message.answer_id)) is None:
        return state, ()
    if state.is_busy:
        return state, (m.ReportBusy(),)
    branch = state.branch[: state.branch.index(answer)]
    start = m.StartAnswer(state.place, None, answer, forced=(message.text, message.tokens))
    return replace(state, branch=branch), (start, m.TouchChat(state.place))


def _on_stop(state: ChatState, message: m.StopAnswers) -> Step:
    stopped = [a for a in state.answers if not a.is_stopped and message.place in (None, a.place)]
    for answer in stopped:
        state = state.with_answer(replace(answer, is_stopped=True))
    return state, tuple(m.CancelAnswer(answer.key) for answer in stopped)


def _on_edit(state: ChatState, message: m.EditMessage) -> Step:
    if (old := state.message_of(message.message_id)) is None:
        return state, ()
    if state.is_busy:
        return state, (m.ReportBusy(),)
    # Unchanged text is no other version of an answer; a question is answered again.
    if old.role is Role.ASSISTANT and old.text == message.text:
        return state, (m.CloseEditor(old.id), m.FocusMessage(old.id))
    return state, (m.StoreVersion(state.place, old, message.text),)


def _change_branch(state: ChatState, message_id: int, change: m.StoreBranch) -> Step:
    if state.is_busy:
        return state, (m.ReportBusy(),)
    return state, ((change,) if state.message_of(message_id) is not None else ())


def _on_show_version(state: ChatState, message: m.ShowVersion) -> Step:
    if state.is_busy:
        return state, (m.ReportBusy(),)
    number = message.message_id
    return state, (m.StoreBranch(state.place, chosen_id=number, then=(m.FocusMessage(number),)),)


def _on_delete(state: ChatState, message: m.DeleteMessage) -> Step:
    place, number, stored = state.place, message.message_id, state.message_of(message.message_id)
    told = (m.TouchChat(place), m.ReportDeleted(place, stored)) if stored is not None else ()
    return _change_branch(state, number, m.StoreBranch(place, deleted_id=number, then=told))


def _on_restore(state: ChatState, message: m.RestoreMessage) -> Step:
    return state, (m.StoreBranch(message.place, restored_id=message.message_id),)


def _on_pin(state: ChatState, message: m.PinMessage) -> Step:
    change = m.StoreBranch(state.place, pinned=(message.message_id, message.is_pinned))
    return _change_branch(state, message.message_id, change)


def _on_choose_project(state: ChatState, message: m.ChooseProject) -> Step:
    return replace(state, project_id=message.project_id), ()


def _on_answer_began(state: ChatState, message: m.AnswerBegan) -> Step:
    answer = RunningAnswer(message.key, message.place, message.is_main, message.is_paired)
    return replace(state, answers=(*state.answers, answer)), ()


def _on_answer_progressed(state: ChatState, message: m.AnswerProgressed) -> Step:
    answer, event = state.answer_of(message.key), message.event
    if answer is None:
        return state, ()
    is_shown = answer.place == state.place
    if isinstance(event, AnswerStarted):
        return state.with_answer(replace(answer, draft=event.draft)), (m.ReportStarted(event.message_id),)
    if isinstance(event, Finished):
        return state.with_answer(replace(answer, is_finished=True)), ()
    if isinstance(event, ContextIsFull):
        return state.with_answer(replace(answer, full_id=event.message_id)), ()
    if isinstance(event, ToolAsks | ToolAnswered | StepsChanged):
        return state.with_answer(replace(answer, is_asking=isinstance(event, ToolAsks))), ()
    effects: tuple[object, ...] = ()
    if isinstance(event, ContextCompacted | ContextWidened):
        effects = (m.LoadHidden(state.place, state.branch), m.ReportMemoryMoved())
    elif isinstance(event, DocumentsShown):
        effects = (m.ReadQuestion(state.place, event.question_id),)
    return state, (effects if is_shown else ())


def _on_answer_ended(state: ChatState, message: m.AnswerEnded) -> Step:
    """Update branch and queue after an answer: nothing is sent automatically after one that was stopped or failed."""
    if (ended := state.answer_of(message.key)) is None:
        return state, ()
    state = replace(state, answers=tuple(answer for answer in state.answers if answer is not ended), is_next_due=True)
    effects: tuple[object, ...] = (m.TouchChat(ended.place),)
    # Which of two compared answers is shown is settled by their pair.
    if message.is_stored and not ended.is_paired:
        effects = (*load_branch(state, ended.place), *effects)
    if ended.full_id:
        # Only now, since the choice may begin the next answer.
        effects = (*effects, m.AskAboutContext(ended.place, ended.full_id))
    if not ended.is_main:
        return state, effects
    on, after = QueueState.ON, QueueState.AFTER_NEXT
    is_well = ended.is_finished and not ended.is_stopped and message.error is None
    becomes = {after: on} if is_well else {on: after}
    becomes[QueueState.AFTER_STOP] = on
    states = {place: becomes.get(kept, kept) for place, kept in state.queue_states.items()}
    is_gone = ended.place.talk.is_temporary and ended.place.talk is not state.place.talk
    return replace(state, queue_states=states, ended_in=None if is_gone else ended.place), effects


ANSWER_HANDLERS: dict[type, Callable[[ChatState, Any], Step]] = {
    m.BranchLoaded: _on_branch_loaded,
    m.HiddenLoaded: _on_hidden_loaded,
    m.QuestionRead: _on_question_read,
    m.BranchChanged: _on_branch_changed,
    m.ReloadBranch: _on_reload,
    m.AnswerQuestion: _on_answer_question,
    m.AnswerWhole: _on_answer_whole,
    m.ContinueAnswer: _on_continue,
    m.RetryAnswer: _on_retry,
    m.AnswerFrom: _on_answer_from,
    m.StopAnswers: _on_stop,
    m.EditMessage: _on_edit,
    m.ShowVersion: _on_show_version,
    m.DeleteMessage: _on_delete,
    m.RestoreMessage: _on_restore,
    m.PinMessage: _on_pin,
    m.ChooseProject: _on_choose_project,
    m.AnswerBegan: _on_answer_began,
    m.AnswerProgressed: _on_answer_progressed,
    m.AnswerEnded: _on_answer_ended,
}
