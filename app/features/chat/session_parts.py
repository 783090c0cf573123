"""What becomes of the attachments of drafts: steps from one state of a chat to the next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.core.errors.app_error import AppError
from app.features import file_reading as f
from app.features.chat import session_messages as m
from app.features.chat.message_draft import ChatPlace, DetailLevel, DraftDocument, DraftPart, DraftPicture
from app.features.chat.session_state import ChatState, Step
from app.features.error_messages import sentence_for
from app.features.file_reading import (
    MOST_TAKEN_OUT,
    AwaitedFile,
    add_file,
    drop_parts,
    end_reading,
    fail_file,
    is_to_be_heard,
    look_up_files,
    may_be_read_again,
    on_file_progress,
    read_again,
    take_awaited,
    take_found,
    with_part,
)
from app.features.files_to_read import Stage, is_recording
from app.features.media import UnsavedPicture, is_picture

MOST_PICTURES = 50
LEVELS = (0, 64, 128, 256, 512, 1024, 2048, 4096)
"""Token limits tried for a picture; which of them differ depends on the model file. 0 is the model's default."""


def begin_pictures(state: ChatState) -> Step:
    waiting = [p for p in state.parts if isinstance(p, DraftPicture) and p.stage is Stage.WAITS]
    if state.batch or not waiting:
        return state, ()
    opened = {part.key: replace(part, stage=Stage.READING) for part in waiting}
    parts = tuple(opened.get(part.key, part) for part in state.parts)
    number = state.next_key
    state = replace(state, parts=parts, batch=number, next_key=number + 1)
    return state, (m.OpenPictures(number, tuple(opened.values())),)


def _on_attach_files(state: ChatState, message: m.AttachFiles) -> Step:
    pictures = [path for path in message.paths if is_picture(path) and not message.as_text]
    paths = tuple(path for path in message.paths if path not in pictures)
    state, effects = _on_attach_pictures(state, m.AttachPictures(tuple(pictures))) if pictures else (state, ())
    if paths:
        state, more = look_up_files(state, state.place, paths)
        effects = (*effects, *more)
    return state, effects


def _on_attach_pictures(state: ChatState, message: m.AttachPictures) -> Step:
    return with_pictures(state, state.place, message.given, message.name)


def with_pictures(state: ChatState, place: ChatPlace, pictures: tuple[Any, ...], name: str = "") -> Step:
    here = [part for part in state.parts if isinstance(part, DraftPicture) and part.place == place]
    # A file that failed may be tried again.
    known = {part.path for part in here if not part.error}
    fresh = [given for given in pictures if not isinstance(given, Path) or given not in known]
    room, key = max(0, MOST_PICTURES - len(here)), state.next_key
    added = []
    for number, given in enumerate(fresh[:room]):
        is_file = isinstance(given, Path)
        path = given if is_file else given.path if isinstance(given, UnsavedPicture) else Path(name)
        added.append(DraftPicture(key=key + number, place=place, given=given, path=path))
    effects = (f.ReportParts(f.ReportKind.TOO_MANY_PICTURES),) if len(fresh) > room else ()
    return replace(state, parts=(*state.parts, *added), next_key=key + len(added)), effects


def _on_attach_file(state: ChatState, message: m.AttachFile) -> Step:
    return with_file(state, message), ()


def with_file(state: ChatState, message: m.AttachFile) -> ChatState:
    document = DraftDocument(
        key=message.key or state.next_key,
        place=message.place or state.place,
        path=message.path,
        real_path=message.path,
        is_heard=not message.text and is_recording(message.path.name),
        text=message.text,
        called=message.called,
    )
    return add_file(state, document)


def _on_expect_file(state: ChatState, message: m.ExpectFile) -> Step:
    file = AwaitedFile(message.key, state.place, Path(message.name))
    return replace(state, awaited=(*state.awaited, file), next_key=max(state.next_key, file.key + 1)), ()


def _on_file_made(state: ChatState, message: m.FileMade) -> Step:
    state, file = take_awaited(state, message.key)
    if file is None:
        return state, ()
    if message.path is None:
        return replace(state, held=state.held if file.place != state.place else None), ()
    return with_file(state, m.AttachFile(message.path, file.place)), ()


def _on_files_found(state: ChatState, message: f.FilesFound) -> Step:
    state, file = take_awaited(state, message.key)
    if file is None:
        return state, ()
    state, effects, is_complete = take_found(state, file, message)
    # Whoever sent a message whose files were left out decides again.
    return (state if is_complete or file.place != state.place else replace(state, held=None)), effects


def _on_remove(state: ChatState, message: m.RemoveParts) -> Step:
    return remove_parts(state, [part for part in state.parts if part.key in message.keys], is_told=message.is_told)


def remove_parts(state: ChatState, gone: list[DraftPart], *, is_told: bool) -> Step:
    stored = tuple(part for part in gone if _is_stored(part))
    state, effects = drop_parts(state, gone)
    if stored:
        effects = (*effects, m.DetachParts(stored))
    scanned = tuple(p for p in gone if isinstance(p, DraftDocument) and state.is_scanning(p))
    if scanned:
        effects = (*effects, m.StopScans(scanned))
    if stored and is_told:
        # Undo puts them into this draft, or after it was sent into the chat's next one.
        state = replace(state, taken_out=(*state.taken_out, *stored)[-MOST_TAKEN_OUT:])
        effects = (*effects, f.ReportParts(f.ReportKind.REMOVED, stored))
    state, more = count_draft(state)
    return state, (*effects, *more)


def _is_stored(part: DraftPart) -> bool:
    return part.attachment is not None if isinstance(part, DraftDocument) else part.use is not None


def _on_put_back(state: ChatState, message: m.PutBackParts) -> Step:
    back = tuple(part for part in state.taken_out if part.key in message.keys)
    state = replace(state, taken_out=tuple(part for part in state.taken_out if part not in back))
    return state, ((m.RestoreParts(back), m.OpenDraft(state.place)) if back else ())


def _on_put_into_message(state: ChatState, message: m.PutIntoMessage) -> Step:
    part = state.find(message.key)
    return state, ((m.ReadText(part),) if isinstance(part, DraftDocument) else ())


def _on_read_again(state: ChatState, message: f.ReadAgain) -> Step:
    if (part := state.find_file(message.key)) is None or not may_be_read_again(part, message):
        return state, ()
    effects: tuple[object, ...] = ()
    if message.part is not None:
        effects = (m.DetachParts((part,)),) if part.attachment is not None else ()
        part = replace(part, document=None, attachment=None, fit=None)
    return read_again(state, part, message), effects


def _on_file_ended(state: ChatState, message: f.FileEnded) -> Step:
    state, part = end_reading(state, message.reading)
    if part is None:
        return state, ()
    if message.error is None and part.document is not None:
        return with_part(state, part), (m.AttachDocument(part),)
    state, effects = fail_file(state, part, message.error)
    failed = state.find(part.key)
    if part.text and failed.stage is Stage.FAILED:
        # A pasted text returns to its message.
        effects = (*effects, f.ReportParts(f.ReportKind.EXPLAINED, (failed,)), m.ReadText(failed))
    return state, effects


def _on_document_attached(state: ChatState, message: m.DocumentAttached) -> Step:
    part = state.find(message.key)
    assert isinstance(part, DraftDocument)
    part = replace(part, attachment=message.attachment)
    # Not ready before it is known whether pages of it are still to be read.
    return with_part(state, part), (f.BeginScan(part),)


def _on_document_known(state: ChatState, message: m.DocumentKnown) -> Step:
    part = state.find(message.key)
    return drop_parts(state, [part] if part is not None else [])


def _on_scan_decided(state: ChatState, message: m.ScanDecided) -> Step:
    part = state.find(message.key)
    if not isinstance(part, DraftDocument) or part.stage is not Stage.READING or part.attachment is None:
        return state, ()
    part = replace(part, stage=Stage.READ)
    wakes = (f.WakeModel(),) if state.model is None and part.place == state.place else ()
    state, effects = count_draft(with_part(state, part))
    # Only the model can tell whether it fits.
    return state, (f.ReportParts(f.ReportKind.ATTACHED, (part,)), *wakes, *effects)


def _on_scans_changed(state: ChatState, message: f.ScansChanged) -> Step:
    return replace(state, scanned=message.documents), ()


def _on_document_replaced(state: ChatState, message: m.DocumentReplaced) -> Step:
    effects = [
        m.ReadDocument(part, message.document_id)
        for part in state.parts
        if isinstance(part, DraftDocument) and part.place.talk.is_temporary == message.is_temporary
        if part.document is not None and part.document.id == message.earlier_id
    ]
    state, counting = count_draft(state)
    return state, (*effects, *counting)


def _on_document_read(state: ChatState, message: m.DocumentRead) -> Step:
    part = state.find(message.key)
    if not isinstance(part, DraftDocument):
        return state, ()
    if (attachment := part.attachment) is not None:
        # Passages are numbers of blocks, which are counted anew in the new document.
        attachment = replace(attachment, document_id=message.document.id, passages=())
    return with_part(state, replace(part, document=message.document, attachment=attachment, fit=None)), ()


def _on_picture_opened(state: ChatState, message: m.PictureOpened) -> Step:
    part = state.find(message.key)
    if not isinstance(part, DraftPicture) or part.stage is not Stage.READING:
        return state, ()
    if message.error is not None or message.media is None:
        part = replace(part, stage=Stage.FAILED, error=sentence_for(message.error or RuntimeError()).text)
        return with_part(state, part), (f.ReportParts(f.ReportKind.FAILED, (part,)),)
    part = replace(part, image=message.image, frames=message.frames, is_cut=message.is_cut)
    return with_part(state, part), (m.AttachPicture(part, message.media.sha256),)


def _on_picture_attached(state: ChatState, message: m.PictureAttached) -> Step:
    part = state.find(message.key)
    assert isinstance(part, DraftPicture)
    part = _seen_by(replace(part, use=message.use, given=part.path, stage=Stage.READ), state.model)
    state, effects = _count_pictures(with_part(state, part))
    return state, (f.ReportParts(f.ReportKind.ATTACHED, (part,)), *effects)


def _on_detail_stored(state: ChatState, message: m.DetailStored) -> Step:
    part = state.find(message.key)
    assert isinstance(part, DraftPicture)
    return with_part(state, replace(part, use=message.use)), ()


def _on_pictures_ended(state: ChatState, message: m.PicturesEnded) -> Step:
    if message.batch != state.batch:
        return state, ()
    # The child ended before it came to these.
    error = message.error if message.error is not None else RuntimeError()
    failed = {
        part.key: replace(part, stage=Stage.FAILED, error=sentence_for(error).text)
        for part in state.parts
        if isinstance(part, DraftPicture) and part.stage is Stage.READING
    }
    state = replace(state, batch=0, parts=tuple(failed.get(part.key, part) for part in state.parts))
    is_defect = message.error is not None and not isinstance(message.error, AppError)
    told = tuple(f.ReportParts(f.ReportKind.FAILED, (part,)) for part in failed.values())
    return state, (*told, *((f.ReportError(error),) if is_defect else ()))


def _on_preview_loaded(state: ChatState, message: m.PreviewLoaded) -> Step:
    part = state.find(message.key)
    if not isinstance(part, DraftPicture):
        return state, ()
    return with_part(state, replace(part, image=message.image, error=message.error)), ()


def _on_choose_detail(state: ChatState, message: m.ChooseDetail) -> Step:
    part = state.find(message.key)
    is_there = isinstance(part, DraftPicture) and part.use is not None
    return state, ((m.StoreDetail(part, message.most_tokens),) if is_there and isinstance(part, DraftPicture) else ())


def count_draft(state: ChatState) -> Step:
    """Count again how the shown documents fit, as soon as the model can be asked."""
    documents = tuple(part for part in state.documents if part.attachment is not None)
    state = replace(state, is_counting=state.model is not None and bool(documents))
    state, effects = _count_pictures(state)
    return state, (m.CountDocuments(state.place, documents, state.first_key), *effects)


def _count_pictures(state: ChatState) -> Step:
    pictures = tuple(part for part in state.pictures if part.use is not None and not part.is_unseen)
    return state, ((m.CountPictures(state.place, pictures),) if pictures and state.model is not None else ())


def change_model(state: ChatState, message: f.ModelChanged) -> Step:
    before, model = state.model, message.model
    state = replace(state, model=model)
    is_other = model is not None and (before is None or _model_key(before) != _model_key(model))
    parts: list[DraftPart] = []
    for part in state.parts:
        if isinstance(part, DraftDocument):
            # Another model or another context: nothing that was counted holds.
            parts.append(replace(part, fit=None) if is_other and part.fit is not None else part)
        else:
            parts.append(_seen_by(part, model) if part.place == state.place else part)
    state = replace(state, parts=tuple(parts))
    effects: tuple[object, ...] = ()
    # Recordings that waited for a model, or for another one.
    for document in state.documents if model is not None else ():
        if is_to_be_heard(document, model):
            state, more = _on_read_again(state, f.ReadAgain(document.key))
            effects = (*effects, *more)
    state, more = count_draft(state)
    return state, (*effects, *more)


def _model_key(model: Any) -> tuple[object, ...]:
    return model.path, model.context_tokens


def _seen_by(part: DraftPicture, model: Any) -> DraftPicture:
    is_unseen = model is not None and not model.sees
    host = getattr(model, "host", "")
    # Without a model nothing is known of its sizes.
    levels = part.levels if model is not None else ()
    return replace(part, is_unseen=is_unseen, host=host, levels=levels)


def _on_choose_use(state: ChatState, message: m.ChooseUse) -> Step:
    part = state.find(message.key)
    if not isinstance(part, DraftDocument):
        return state, ()
    chosen = state.chosen
    if part.attachment is not None:
        place = {(part.place, part.attachment.id)}
        chosen = chosen | place if message.is_background else chosen - place
    state = with_part(state, replace(part, is_background_chosen=message.is_background))
    return count_draft(replace(state, chosen=chosen, first_key=state.first_key if message.is_background else part.key))


def _on_fit_counted(state: ChatState, message: m.FitCounted) -> Step:
    for part in state.documents:
        if part.attachment is not None and part.attachment.id == message.attachment.id:
            return with_part(state, replace(part, attachment=message.attachment, fit=message.fit)), ()
    return state, ()


def _on_fit_ended(state: ChatState, _message: m.FitEnded) -> Step:
    return replace(state, is_counting=False), ()


def _on_pictures_counted(state: ChatState, message: m.PicturesCounted) -> Step:
    for number, key in enumerate(message.keys):
        part, own = state.find(key), message.counts[number * len(LEVELS) : (number + 1) * len(LEVELS)]
        if isinstance(part, DraftPicture):
            levels = tuple(DetailLevel(most, count) for most, count in zip(LEVELS, own, strict=True))
            state = with_part(state, replace(part, levels=levels))
    return state, ()


PART_HANDLERS: dict[type, Callable[[ChatState, Any], Step]] = {
    m.AttachFiles: _on_attach_files,
    m.AttachPictures: _on_attach_pictures,
    m.AttachFile: _on_attach_file,
    m.ExpectFile: _on_expect_file,
    m.FileMade: _on_file_made,
    f.FilesFound: _on_files_found,
    m.RemoveParts: _on_remove,
    m.PutBackParts: _on_put_back,
    m.PutIntoMessage: _on_put_into_message,
    f.ReadAgain: _on_read_again,
    f.FileProgressed: on_file_progress,
    f.FileEnded: _on_file_ended,
    m.DocumentAttached: _on_document_attached,
    m.DocumentKnown: _on_document_known,
    m.ScanDecided: _on_scan_decided,
    f.ScansChanged: _on_scans_changed,
    m.DocumentReplaced: _on_document_replaced,
    m.DocumentRead: _on_document_read,
    m.PictureOpened: _on_picture_opened,
    m.PictureAttached: _on_picture_attached,
    m.DetailStored: _on_detail_stored,
    m.PicturesEnded: _on_pictures_ended,
    m.PreviewLoaded: _on_preview_loaded,
    m.ChooseDetail: _on_choose_detail,
    f.ModelChanged: change_model,
    m.ChooseUse: _on_choose_use,
    m.FitCounted: _on_fit_counted,
    m.FitEnded: _on_fit_ended,
    m.PicturesCounted: _on_pictures_counted,
}
