"""The state of a chat being written in: one immutable value, and one reducer of commands and events.

A part of a draft belongs to it from the moment it is dropped, wherever its file is being looked up, read or decoded.
Steps are pure: each returns the next state and the effects to be started. `ChatSession` carries them out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.features import file_reading as f
from app.features.chat import session_messages as m
from app.features.chat.message_draft import ChatPlace, DraftDocument, DraftPart, DraftPicture
from app.features.chat.session_answers import ANSWER_HANDLERS, with_question
from app.features.chat.session_parts import (
    PART_HANDLERS,
    begin_pictures,
    change_model,
    count_draft,
    remove_parts,
    with_file,
    with_pictures,
)
from app.features.chat.session_queue import QUEUE_HANDLERS, ask_for_next, with_queue_state
from app.features.chat.session_state import ChatState, HeldMessage, QueueState, Step
from app.features.error_messages import sentence_for
from app.features.file_reading import begin_readings, drop_parts, look_up_files, with_part
from app.features.files_to_read import Stage, part_of
from app.features.media import is_picture
from app.features.state_session import StateSession, StoreFailed

if TYPE_CHECKING:
    from app.features.chat.session_store import SessionStore


def _release_held(state: ChatState) -> Step:
    """Send the held message once its parts are ready; it stays if one failed or was removed."""
    if state.held is None:
        return state, ()
    # Also for files that were found in folders since.
    keys = state.held.keys | {part.key for part in state.shown}
    if state.waits_for:
        return replace(state, held=replace(state.held, keys=keys)), ()
    are_well = keys <= {part.key for part in state.shown if not part.error}
    effects = (m.SubmitMessage(state.held.is_whole),) if are_well else ()
    return replace(state, held=None), effects


def _keep_unread(state: ChatState) -> Step:
    is_other = state.unread is not None and state.unread != state.unread_lines
    return state, ((f.SaveLater(),) if is_other else ())


def _on_show_chat(state: ChatState, message: m.ShowChat) -> Step:
    effects: list[object] = list(_store_texts(state))
    if (before := state.place.talk) is not message.place.talk and before.is_temporary:
        effects.append(m.StopAnswers(state.place))
        state, more = _forget_chats(state, before)
        effects += more
    # A message that waits for its files belongs to the draft that is left.
    state = replace(state, held=None, edited_id=None, opened=state.opened + 1, project_id=None)
    return state, (*effects, m.OpenDraft(message.place))


def _forget_chats(state: ChatState, talk: object) -> Step:
    """Forget a temporary chat that was left: nobody waits for what is being read for it."""
    gone = [part for part in state.parts if part.place.talk is talk]
    state, effects = drop_parts(state, gone)
    return (
        replace(
            state,
            awaited=tuple(file for file in state.awaited if file.place.talk is not talk),
            taken_out=tuple(part for part in state.taken_out if part.place.talk is not talk),
            chosen=frozenset((place, number) for place, number in state.chosen if place.talk is not talk),
            unsaved={place: text for place, text in state.unsaved.items() if place.talk is not talk},
            queue_states={place: kept for place, kept in state.queue_states.items() if place.talk is not talk},
            ended_in=state.ended_in if state.ended_in is not None and state.ended_in.talk is not talk else None,
        ),
        effects,
    )


def _on_draft_opened(state: ChatState, message: m.DraftOpened) -> Step:
    place = message.place
    known = {part.attachment.id: part for part in state.parts if isinstance(part, DraftDocument) and part.attachment}
    seen = {part.use.id: part for part in state.parts if isinstance(part, DraftPicture) and part.use}
    parts: list[DraftPart] = []
    key = state.next_key
    for attachment, document, real_path in message.attached:
        if (before := known.get(attachment.id)) is None or before.place != place:
            before = DraftDocument(
                key=key, place=place, path=document.path, real_path=real_path, part=part_of(document), stage=Stage.READ
            )
            before = replace(before, is_background_chosen=(place, attachment.id) in state.chosen)
        parts.append(replace(before, document=document, attachment=attachment))
        key += 1
    for use in message.uses:
        if (picture := seen.get(use.id)) is None or picture.place != place:
            path = Path(use.name)
            picture = DraftPicture(key=key, place=place, given=path, path=path, stage=Stage.READ)
        parts.append(replace(picture, use=use))
        key += 1
    # What is still being read stays, for whichever draft it is.
    parts += [p for p in state.parts if p.is_on_its_way or (isinstance(p, DraftDocument) and p.is_unheard)]
    fresh = tuple(part for part in parts if isinstance(part, DraftPicture) and part.use and part.image is None)
    text = state.unsaved.get(place, message.text)
    state = replace(state, place=place, text=text, parts=tuple(parts), next_key=key, queue=(), queue_names=())
    state = replace(state, branch=(), hidden=())
    state, effects = change_model(state, f.ModelChanged(message.model))
    previews = (m.LoadPreviews(fresh),) if fresh else ()
    return state, (m.WatchScans(place), *previews, *effects, m.LoadQueue(place), m.LoadBranch(place))


def _on_type_text(state: ChatState, message: m.TypeText) -> Step:
    effects: list[object] = []
    if message.text != state.text:
        # The user went on typing: the message is not sent as it was.
        state = _with_text(replace(state, held=None), message.text)
        effects += [f.SaveLater(), *([m.TextBegun()] if state.model is None and message.text else [])]
    if any(part.document is not None and part.fit is None for part in state.documents) and not state.is_counting:
        state, more = count_draft(state)
        effects += more
        effects += [f.WakeModel()] if state.model is None else []
    return state, tuple(effects)


def _with_text(state: ChatState, text: str) -> ChatState:
    # Also a temporary chat's, of which nothing is stored: it is there again when the chat is shown again.
    return replace(state, text=text, unsaved={**state.unsaved, state.place: text})


def _store_texts(state: ChatState) -> tuple[object, ...]:
    return tuple(m.StoreText(place, text) for place, text in state.unsaved.items() if not place.talk.is_temporary)


def _on_text_stored(state: ChatState, message: m.TextStored) -> Step:
    if state.unsaved.get(message.place) != message.text:
        return state, ()
    return replace(state, unsaved={p: text for p, text in state.unsaved.items() if p != message.place}), ()


def _on_save(state: ChatState, message: m.SaveDraft) -> Step:
    effects: list[object] = []
    if message.is_last:
        # A text that was pasted and is not stored as a document yet goes back into its message.
        for part in [part for part in state.parts if isinstance(part, DraftDocument) and part.text]:
            if part.attachment is None:
                state, more = _on_text_read(state, m.TextRead(part.key, part.text))
                effects += more
    lines = state.last_lines if message.is_last else state.unread_lines
    if state.unread is not None and state.unread != lines:
        effects.append(f.StoreUnread(lines))
    effects += _store_texts(state)
    return (replace(state, unread=None) if message.is_last else state), tuple(effects)


def _on_unread_stored(state: ChatState, message: f.UnreadStored) -> Step:
    return replace(state, unread=message.lines if state.unread is not None else None), ()


def _on_resume(state: ChatState, _message: f.ResumeFiles) -> Step:
    return state, (f.FindUnread(),)


def _on_unread_found(state: ChatState, message: f.UnreadFound) -> Step:
    effects: tuple[object, ...] = ()
    for place, path in message.files:
        if is_picture(path):
            state = with_pictures(state, place, (path,))[0]
        else:
            state = with_file(state, m.AttachFile(path, place))
    for place, path in message.folders:
        state, more = look_up_files(state, place, (path,))
        effects = (*effects, *more)
    return replace(state, unread=message.lines), effects


def _on_text_read(state: ChatState, message: m.TextRead) -> Step:
    if (part := state.find(message.key)) is None:
        return state, ()
    state, effects = remove_parts(state, [part], is_told=False)
    if part.place != state.place and part.place not in state.unsaved:
        return state, (*effects, m.AppendText(part.place, message.text))
    before = (state.text if part.place == state.place else state.unsaved[part.place]).rstrip()
    text = f"{before}\n\n{message.text}\n\n" if before else f"{message.text}\n\n"
    if part.place != state.place:
        return replace(state, unsaved={**state.unsaved, part.place: text}), (*effects, f.SaveLater())
    return _with_text(replace(state, held=None), text), (*effects, f.SaveLater())


def _on_send(state: ChatState, message: m.SendMessage) -> Step:
    if not state.text.strip() and all(part.error for part in state.pictures):
        return state, ()
    if state.waits_for:
        keys = frozenset(part.key for part in state.shown)
        return replace(state, held=HeldMessage(keys, message.is_whole)), ()
    if state.place.conversation_id is None:
        # The first message stores its chat; it is sent once its draft is there.
        return state, (m.StoreChat(state.place, message.is_whole),)
    return state, (m.StoreMessage(state.place, state.text, state.is_busy, message.is_whole),)


def _on_take_back(state: ChatState, _message: m.TakeBack) -> Step:
    return replace(state, held=None), ()


def _on_chat_stored(state: ChatState, message: m.ChatStored) -> Step:
    """Move the draft of a new chat to the chat that was stored for it."""
    before, place = state.place, message.place

    def moved(part: DraftPart) -> DraftPart:
        if part.place != before:
            return part
        if isinstance(part, DraftDocument):
            attachment = part.attachment and replace(part.attachment, conversation_id=place.conversation_id)
            return replace(part, place=place, attachment=attachment)
        return replace(part, place=place, use=part.use and replace(part.use, conversation_id=place.conversation_id))

    unsaved = {kept: text for kept, text in state.unsaved.items() if kept != before}
    state = replace(
        state,
        place=place,
        parts=tuple(moved(part) for part in state.parts),
        taken_out=tuple(moved(part) for part in state.taken_out),
        awaited=tuple(replace(file, place=place) if file.place == before else file for file in state.awaited),
        chosen=frozenset((place if kept == before else kept, number) for kept, number in state.chosen),
        unsaved={**unsaved, place: state.text},
    )
    stored = (m.StoreText(before, ""),) if not place.talk.is_temporary else ()
    return state, (*stored, m.SendMessage(message.is_whole))


def _on_message_sent(state: ChatState, message: m.MessageSent) -> Step:
    # What was counted of the draft is shown at its message, too.
    documents = [part for part in state.documents if part.document is not None and part.fit is not None]
    tokens = tuple((part.document.id, part.fit.tokens) for part in documents if part.document and part.fit)
    state, effects = _empty_draft(state)
    place, question = message.place, message.question
    state, more = with_question(state, place, question)
    start = m.StartAnswer(place, question, is_whole=message.is_whole, is_sent=True, counts=tokens)
    told = () if message.is_whole else (m.ReportSent(question),)
    return state, (*effects, *more, start, m.TouchChat(place), *told)


def _empty_draft(state: ChatState) -> Step:
    unsaved = {place: text for place, text in state.unsaved.items() if place != state.place}
    parts = tuple(part for part in state.parts if part.place != state.place)
    return count_draft(replace(state, text="", parts=parts, unsaved=unsaved, held=None))


def _on_message_queued(state: ChatState, message: m.MessageQueued) -> Step:
    is_first = not state.queue or state.queue_state is QueueState.AFTER_STOP
    is_stopping = any(answer.is_stopped for answer in state.answers if answer.is_main)
    queue_state = QueueState.AFTER_STOP if is_first and is_stopping else QueueState.ON
    state, effects = _empty_draft(state)
    state = with_queue_state(state, message.place, queue_state)
    queued = m.ReportQueued()
    return state, (*effects, m.LoadQueue(message.place), queued, m.TouchChat(message.place))


def _on_store_failed(state: ChatState, message: StoreFailed) -> Step:
    """Report what could not be stored, and leave out the parts that could not be attached."""
    effect = message.effect
    if isinstance(effect, m.AttachDocument):
        state, effects = drop_parts(state, [effect.part])
        return state, (f.ReportError(message.error), *effects)
    if isinstance(effect, m.AttachPicture):
        part = replace(effect.part, stage=Stage.FAILED, error=sentence_for(message.error).text)
        return with_part(state, part), (f.ReportParts(f.ReportKind.FAILED, (part,)),)
    if isinstance(effect, m.StoreText):
        # Tried again with the next save.
        state = replace(state, unsaved={effect.place: effect.text, **state.unsaved})
    # What could not be taken out of the store is still there.
    again = (m.OpenDraft(state.place),) if isinstance(effect, m.DetachParts) else ()
    return state, (f.ReportError(message.error), *again)


_HANDLERS: dict[type, Callable[[ChatState, Any], Step]] = {
    **PART_HANDLERS,
    **ANSWER_HANDLERS,
    **QUEUE_HANDLERS,
    m.ShowChat: _on_show_chat,
    m.DraftOpened: _on_draft_opened,
    m.TypeText: _on_type_text,
    m.TextStored: _on_text_stored,
    m.SaveDraft: _on_save,
    f.UnreadStored: _on_unread_stored,
    f.ResumeFiles: _on_resume,
    f.UnreadFound: _on_unread_found,
    m.TextRead: _on_text_read,
    m.SendMessage: _on_send,
    m.TakeBack: _on_take_back,
    m.ChatStored: _on_chat_stored,
    m.MessageSent: _on_message_sent,
    m.MessageQueued: _on_message_queued,
    StoreFailed: _on_store_failed,
}

_SETTLE = (begin_readings, begin_pictures, _release_held, ask_for_next, _keep_unread)


class ChatSession(StateSession[ChatState]):
    """Session of the shown chat and of all drafts; see `StateSession`."""

    def __init__(self, place: ChatPlace, store: SessionStore) -> None:
        super().__init__(ChatState(place), _HANDLERS, _SETTLE, store.handlers)

    def new_key(self) -> int:
        """Return a key for a part that the caller wants to know again."""
        key = self.state.next_key
        self.state = replace(self.state, next_key=key + 1)
        return key
