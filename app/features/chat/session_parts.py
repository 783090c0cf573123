"""What becomes of the attachments of drafts: steps from one state of a chat to the next."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.core.errors.app_error import AppError
from app.core.errors.document_errors import DocumentLocked
from app.core.errors.model_errors import NoModel
from app.core.errors.request_errors import MediaRefused
from app.documents.folder import MOST_FILES
from app.features.chat import session_messages as m
from app.features.chat.message_draft import (
    AwaitedFile,
    ChatPlace,
    DetailLevel,
    DraftDocument,
    DraftPart,
    DraftPicture,
)
from app.features.chat.session_state import ChatState, FileReading, Step
from app.features.error_messages import sentence_for
from app.features.files_to_read import LARGE_BYTES, Stage, is_recording, progress_of
from app.features.media import UnsavedPicture, is_picture

MOST_PICTURES = 50
MOST_TAKEN_OUT = 200
"""Most removed parts kept for undo: as many as can be attached at once."""
LEVELS = (0, 64, 128, 256, 512, 1024, 2048, 4096)
"""Token limits tried for a picture; which of them differ depends on the model file. 0 is the model's default."""


def begin_readings(state: ChatState) -> Step:
    effects: list[object] = []
    for key in state.line:
        part = state.find(key)
        assert isinstance(part, DraftDocument)
        if part.is_heard not in [reading.is_heard for reading in state.readings]:
            number = state.next_key
            part = replace(part, stage=Stage.READING, reading=number)
            state = replace(
                state.with_part(part),
                line=tuple(other for other in state.line if other != key),
                readings=(*state.readings, FileReading(number, part.is_heard)),
                next_key=number + 1,
            )
            effects.append(m.ReadFile(number, part))
    return state, tuple(effects)


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


def look_up_files(state: ChatState, place: ChatPlace, paths: tuple[Path, ...]) -> Step:
    # Stands for what was dropped until folders are expanded.
    file = AwaitedFile(state.next_key, place, paths[0], paths)
    state = replace(state, awaited=(*state.awaited, file), next_key=file.key + 1)
    return state, (m.LookUpFiles(file.key, paths),)


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
    effects = (m.ReportParts(m.ReportKind.TOO_MANY_PICTURES),) if len(fresh) > room else ()
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
    state = replace(state, next_key=max(state.next_key, document.key + 1))
    return replace(state, parts=(*state.parts, document), line=(*state.line, document.key))


def _on_expect_file(state: ChatState, message: m.ExpectFile) -> Step:
    file = AwaitedFile(message.key, state.place, Path(message.name))
    return replace(state, awaited=(*state.awaited, file), next_key=max(state.next_key, file.key + 1)), ()


def _take_awaited(state: ChatState, key: int) -> tuple[ChatState, AwaitedFile | None]:
    file = next((awaited for awaited in state.awaited if awaited.key == key), None)
    return replace(state, awaited=tuple(awaited for awaited in state.awaited if awaited is not file)), file


def _on_file_made(state: ChatState, message: m.FileMade) -> Step:
    state, file = _take_awaited(state, message.key)
    if file is None:
        return state, ()
    if message.path is None:
        return replace(state, held=state.held if file.place != state.place else None), ()
    return with_file(state, m.AttachFile(message.path, file.place)), ()


def _on_files_found(state: ChatState, message: m.FilesFound) -> Step:
    state, file = _take_awaited(state, message.key)
    if file is None:
        return state, ()
    # Whoever sent a message whose files were left out decides again.
    unheld = replace(state, held=state.held if file.place != state.place else None)
    if message.error is not None or message.found is None:
        return unheld, ((m.ReportError(message.error),) if message.error is not None else ())
    paths = {found.path for found in message.files}
    here = [part for part in state.parts if isinstance(part, DraftDocument) and part.place == file.place]
    # For a retry.
    state, effects = drop_parts(state, [p for p in here if p.stage is Stage.FAILED and p.path in paths])
    known = {part.real_path for part in here if part.stage is not Stage.FAILED}
    fresh = [found for found in message.files if found.real_path not in known]
    room, asked = max(0, MOST_FILES - len(known)), []
    for found in fresh[:room]:
        key, is_large = state.next_key, found.size_bytes >= LARGE_BYTES
        part = DraftDocument(
            key=key, place=file.place, path=found.path, real_path=found.real_path, is_heard=found.is_heard,
            stage=Stage.ASKED if is_large else Stage.WAITS,
        )  # fmt: skip
        asked += [m.AskAboutSize(part, found.size_bytes)] if is_large else []
        line = state.line if is_large else (*state.line, key)
        state = replace(state, parts=(*state.parts, part), line=line, next_key=key + 1)
    left = max(0, len(fresh) - room)
    odd = [skipped for skipped in message.found.skipped if skipped.reason != "no_document"]
    if left or message.found.is_cut or odd or not message.found.files:
        state = replace(state, held=state.held if file.place != state.place else None)
    return state, (*effects, *asked, m.ReportLeftOut(message.found, left))


def drop_parts(state: ChatState, gone: Iterable[DraftPart]) -> Step:
    """Take parts out of the state, and end what is under way for them."""
    keys = {part.key for part in gone}
    cancelled = [p.reading for p in state.parts if isinstance(p, DraftDocument) and p.key in keys and p.reading]
    state = replace(
        state,
        parts=tuple(part for part in state.parts if part.key not in keys),
        line=tuple(key for key in state.line if key not in keys),
    )
    return state, tuple(m.CancelReading(number) for number in cancelled)


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
        effects = (*effects, m.ReportParts(m.ReportKind.REMOVED, stored))
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


def _on_read_again(state: ChatState, message: m.ReadAgain) -> Step:
    part = state.find(message.key)
    if not isinstance(part, DraftDocument) or not _may_be_read_again(part, message):
        return state, ()
    effects: tuple[object, ...] = ()
    is_next = message.password is not None or message.part is not None
    if message.part is not None:
        effects = (m.DetachParts((part,)),) if part.attachment is not None else ()
        part = replace(part, part=message.part, document=None, attachment=None, fit=None)
    part = replace(
        part, password=message.password if message.password is not None else part.password,
        stage=Stage.WAITS, page=0, error="", is_unheard=False, awaits_model=False,
    )  # fmt: skip
    others = tuple(key for key in state.line if key != part.key)
    # What was asked about has waited for its turn before.
    state = replace(state.with_part(part), line=(part.key, *others) if is_next else (*others, part.key))
    return state, effects


def _may_be_read_again(part: DraftDocument, message: m.ReadAgain) -> bool:
    if part.stage is Stage.LOCKED:
        return message.password is not None
    return (
        part.stage in (Stage.FAILED, Stage.ASKED)
        or part.awaits_model
        or (message.part is not None and not part.reading)
    )


def _on_progress(state: ChatState, message: m.FileProgressed) -> Step:
    part = _document_of(state, message.reading)
    changes = progress_of(message.event) if part is not None else {}
    if part is None or not changes:
        return state, ()
    # Ready only once it is attached.
    stage = Stage.READING if "document" in changes else changes.get("stage", part.stage)
    return state.with_part(replace(part, **{**changes, "stage": stage})), ()


def _document_of(state: ChatState, reading: int) -> DraftDocument | None:
    parts = (part for part in state.parts if isinstance(part, DraftDocument))
    return next((part for part in parts if part.reading == reading), None)


def _on_file_ended(state: ChatState, message: m.FileEnded) -> Step:
    if message.reading not in [reading.number for reading in state.readings]:
        return state, ()
    part = _document_of(state, message.reading)
    state = replace(state, readings=tuple(r for r in state.readings if r.number != message.reading))
    if part is None:
        return state, ()
    part = replace(part, reading=0)
    if message.error is None and part.document is not None:
        return state.with_part(part), (m.AttachDocument(part),)
    return _fail_file(state, part, message.error)


def _fail_file(state: ChatState, part: DraftDocument, error: BaseException | None) -> Step:
    """Ask for a password, let a recording wait for a model, return a pasted text to its message, or say why."""
    if isinstance(error, DocumentLocked):
        part = replace(part, stage=Stage.LOCKED)
        return state.with_part(part), (m.AskPassword(part, error.is_wrong),)
    if isinstance(error, NoModel):
        part = replace(part, stage=Stage.WAITS, awaits_model=True)
        return state.with_part(part), ((m.WakeModel(),) if state.model is None else ())
    is_deaf = isinstance(error, MediaRefused) and error.reason == "deaf"
    told = sentence_for(error if error is not None else RuntimeError()).text
    unheard_by = state.model.path if state.model is not None and is_deaf else ""
    part = replace(part, stage=Stage.FAILED, error=told, is_unheard=is_deaf, unheard_by=unheard_by)
    effects: tuple[object, ...] = (m.ReportParts(m.ReportKind.FAILED, (part,)),)
    if error is not None and not isinstance(error, AppError):
        effects = (m.ReportError(error), *effects)
    if part.text:
        effects = (*effects, m.ReportParts(m.ReportKind.EXPLAINED, (part,)), m.ReadText(part))
    return state.with_part(part), effects


def _on_document_attached(state: ChatState, message: m.DocumentAttached) -> Step:
    part = state.find(message.key)
    assert isinstance(part, DraftDocument)
    part = replace(part, attachment=message.attachment)
    # Not ready before it is known whether pages of it are still to be read.
    return state.with_part(part), (m.BeginScan(part),)


def _on_document_known(state: ChatState, message: m.DocumentKnown) -> Step:
    part = state.find(message.key)
    return drop_parts(state, [part] if part is not None else [])


def _on_scan_decided(state: ChatState, message: m.ScanDecided) -> Step:
    part = state.find(message.key)
    if not isinstance(part, DraftDocument) or part.stage is not Stage.READING or part.attachment is None:
        return state, ()
    part = replace(part, stage=Stage.READ)
    wakes = (m.WakeModel(),) if state.model is None and part.place == state.place else ()
    state, effects = count_draft(state.with_part(part))
    # Only the model can tell whether it fits.
    return state, (m.ReportParts(m.ReportKind.ATTACHED, (part,)), *wakes, *effects)


def _on_scans_changed(state: ChatState, message: m.ScansChanged) -> Step:
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
    attachment = part.attachment
    if attachment is not None:
        # Passages are numbers of blocks, which are counted anew in the new document.
        attachment = replace(attachment, document_id=message.document.id, passages=())
    return state.with_part(replace(part, document=message.document, attachment=attachment, fit=None)), ()


def _on_picture_opened(state: ChatState, message: m.PictureOpened) -> Step:
    part = state.find(message.key)
    if not isinstance(part, DraftPicture) or part.stage is not Stage.READING:
        return state, ()
    if message.error is not None or message.media is None:
        part = replace(part, stage=Stage.FAILED, error=sentence_for(message.error or RuntimeError()).text)
        return state.with_part(part), (m.ReportParts(m.ReportKind.FAILED, (part,)),)
    part = replace(part, image=message.image, frames=message.frames, is_cut=message.is_cut)
    return state.with_part(part), (m.AttachPicture(part, message.media.sha256),)


def _on_picture_attached(state: ChatState, message: m.PictureAttached) -> Step:
    part = state.find(message.key)
    assert isinstance(part, DraftPicture)
    part = _seen_by(replace(part, use=message.use, given=part.path, stage=Stage.READ), state.model)
    state, effects = _count_pictures(state.with_part(part))
    return state, (m.ReportParts(m.ReportKind.ATTACHED, (part,)), *effects)


def _on_detail_stored(state: ChatState, message: m.DetailStored) -> Step:
    part = state.find(message.key)
    assert isinstance(part, DraftPicture)
    return state.with_part(replace(part, use=message.use)), ()


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
    told = tuple(m.ReportParts(m.ReportKind.FAILED, (part,)) for part in failed.values())
    return state, (*told, *((m.ReportError(error),) if is_defect else ()))


def _on_preview_loaded(state: ChatState, message: m.PreviewLoaded) -> Step:
    part = state.find(message.key)
    if not isinstance(part, DraftPicture):
        return state, ()
    return state.with_part(replace(part, image=message.image, error=message.error)), ()


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


def change_model(state: ChatState, message: m.ModelChanged) -> Step:
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
        is_new = document.is_unheard and model.hears and document.unheard_by != model.path
        if document.awaits_model or is_new:
            state, more = _on_read_again(state, m.ReadAgain(document.key))
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
    state = state.with_part(replace(part, is_background_chosen=message.is_background))
    return count_draft(replace(state, chosen=chosen, first_key=state.first_key if message.is_background else part.key))


def _on_fit_counted(state: ChatState, message: m.FitCounted) -> Step:
    for part in state.documents:
        if part.attachment is not None and part.attachment.id == message.attachment.id:
            return state.with_part(replace(part, attachment=message.attachment, fit=message.fit)), ()
    return state, ()


def _on_fit_ended(state: ChatState, _message: m.FitEnded) -> Step:
    return replace(state, is_counting=False), ()


def _on_pictures_counted(state: ChatState, message: m.PicturesCounted) -> Step:
    for number, key in enumerate(message.keys):
        part, own = state.find(key), message.counts[number * len(LEVELS) : (number + 1) * len(LEVELS)]
        if isinstance(part, DraftPicture):
            levels = tuple(DetailLevel(most, count) for most, count in zip(LEVELS, own, strict=True))
            state = state.with_part(replace(part, levels=levels))
    return state, ()


PART_HANDLERS: dict[type, Callable[[ChatState, Any], Step]] = {
    m.AttachFiles: _on_attach_files,
    m.AttachPictures: _on_attach_pictures,
    m.AttachFile: _on_attach_file,
    m.ExpectFile: _on_expect_file,
    m.FileMade: _on_file_made,
    m.FilesFound: _on_files_found,
    m.RemoveParts: _on_remove,
    m.PutBackParts: _on_put_back,
    m.PutIntoMessage: _on_put_into_message,
    m.ReadAgain: _on_read_again,
    m.FileProgressed: _on_progress,
    m.FileEnded: _on_file_ended,
    m.DocumentAttached: _on_document_attached,
    m.DocumentKnown: _on_document_known,
    m.ScanDecided: _on_scan_decided,
    m.ScansChanged: _on_scans_changed,
    m.DocumentReplaced: _on_document_replaced,
    m.DocumentRead: _on_document_read,
    m.PictureOpened: _on_picture_opened,
    m.PictureAttached: _on_picture_attached,
    m.DetailStored: _on_detail_stored,
    m.PicturesEnded: _on_pictures_ended,
    m.PreviewLoaded: _on_preview_loaded,
    m.ChooseDetail: _on_choose_detail,
    m.ModelChanged: change_model,
    m.ChooseUse: _on_choose_use,
    m.FitCounted: _on_fit_counted,
    m.FitEnded: _on_fit_ended,
    m.PicturesCounted: _on_pictures_counted,
}
