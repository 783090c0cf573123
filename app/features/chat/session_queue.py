"""What becomes of queued messages: steps from one state of a chat to the next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from app.features import file_reading as f
from app.features.chat import session_messages as m
from app.features.chat.message_draft import ChatPlace
from app.features.chat.session_answers import with_question
from app.features.chat.session_state import ChatState, QueueState, Step


def ask_for_next(state: ChatState) -> Step:
    if not state.is_next_due or state.is_next_asked or not _may_send_next(state):
        return state, ()
    return replace(state, is_next_asked=True), (m.AskForNext(),)


def _may_send_next(state: ChatState) -> bool:
    is_queue_on = QueueState.ON in state.queue_states.values() and state.may_send_queue
    return not state.is_busy and (is_queue_on or state.whole is not None)


def with_queue_state(state: ChatState, place: ChatPlace, queue_state: QueueState) -> ChatState:
    return replace(state, queue_states={**state.queue_states, place: queue_state})


def _on_queue_loaded(state: ChatState, message: m.QueueLoaded) -> Step:
    if message.place != state.place:
        return state, ()
    return replace(state, queue=message.messages, queue_names=message.names), ()


def _on_send_queue(state: ChatState, _message: m.SendQueue) -> Step:
    return replace(with_queue_state(state, state.place, QueueState.ON), is_next_due=True), ()


def _on_pause_queue(state: ChatState, _message: m.PauseQueue) -> Step:
    # In all chats: whoever presses Escape wants nothing sent by itself.
    return replace(state, queue_states=dict.fromkeys(state.queue_states, QueueState.OFF)), ()


def _on_send_next(state: ChatState, _message: m.SendNext) -> Step:
    state = replace(state, is_next_asked=False)
    if not _may_send_next(state):
        return state, ()
    if state.whole is not None:
        (place, question_id), state = state.whole, replace(state, whole=None)
        return state, ((m.AnswerQuestion(question_id, is_whole=True),) if place == state.place else ())
    allowed = frozenset(place for place, kept in state.queue_states.items() if kept is QueueState.ON)
    state = replace(state, is_next_due=False)
    return state, (m.StoreNext(state.place, allowed, state.ended_in, state.edited_id), m.LoadQueue(state.place))


def _on_queued_sent(state: ChatState, message: m.QueuedSent) -> Step:
    place, question = message.place, message.question
    state, effects = with_question(state, place, question)
    told = (m.ReportSent(question),) if place == state.place else ()
    start = m.StartAnswer(place, question, is_sent=True, is_queued=True)
    return state, (*effects, start, m.TouchChat(place), *told)


def _on_queue_failed(state: ChatState, message: m.QueueFailed) -> Step:
    # It would fail again at once.
    return with_queue_state(state, message.place, QueueState.AFTER_NEXT), (f.ReportError(message.error),)


def _on_edit_queued(state: ChatState, message: m.EditQueued) -> Step:
    return replace(state, edited_id=message.queued_id, is_next_due=state.is_next_due or message.queued_id is None), ()


def _on_change_queued(state: ChatState, message: m.ChangeQueued) -> Step:
    changed = m.StoreQueued(state.place, text_of=(message.queued_id, message.text))
    return replace(state, edited_id=None, is_next_due=True), (changed, m.LoadQueue(state.place))


def _on_remove_queued(state: ChatState, message: m.RemoveQueued) -> Step:
    removed = next((queued for queued in state.queue if queued.id == message.queued_id), None)
    if removed is None:
        return state, ()
    told = m.ReportUnqueued(state.place, removed)
    return state, (m.StoreQueued(state.place, removed_id=removed.id), m.LoadQueue(state.place), told)


def _on_put_back_queued(state: ChatState, message: m.PutBackQueued) -> Step:
    restored = m.StoreQueued(message.place, restored=message.message)
    return replace(state, is_next_due=True), (restored, m.LoadQueue(state.place))


def _on_raise_queued(state: ChatState, message: m.RaiseQueued) -> Step:
    ids = [queued.id for queued in state.queue]
    place = ids.index(message.queued_id) if message.queued_id in ids else 0
    if not place:
        return state, ()
    ids[place - 1], ids[place] = ids[place], ids[place - 1]
    told = m.ReportRaised(place)
    return state, (m.StoreQueued(state.place, order=tuple(ids)), m.LoadQueue(state.place), told)


def _on_sending_allowed(state: ChatState, message: m.SendingAllowed) -> Step:
    if message.is_allowed == state.may_send_queue:
        return state, ()
    return replace(state, may_send_queue=message.is_allowed, is_next_due=True), ()


QUEUE_HANDLERS: dict[type, Callable[[ChatState, Any], Step]] = {
    m.QueueLoaded: _on_queue_loaded,
    m.SendQueue: _on_send_queue,
    m.PauseQueue: _on_pause_queue,
    m.SendNext: _on_send_next,
    m.QueuedSent: _on_queued_sent,
    m.QueueFailed: _on_queue_failed,
    m.EditQueued: _on_edit_queued,
    m.ChangeQueued: _on_change_queued,
    m.RemoveQueued: _on_remove_queued,
    m.PutBackQueued: _on_put_back_queued,
    m.RaiseQueued: _on_raise_queued,
    m.SendingAllowed: _on_sending_allowed,
}
