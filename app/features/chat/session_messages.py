"""What a chat's session is told: commands of a person, events of threads; and the effects that it asks for.

First the commands, then the events; then effects on the store, which `SessionStore` does at once and answers with an
event, and last those on the world outside, which the window starts, also for views (`ChatSession.send_request`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.features.state_session import SessionMessage

if TYPE_CHECKING:
    from app.core.errors.app_error import AppError
    from app.engine.protocol import MediaCount
    from app.features.chat.message_draft import ChatPlace, DraftDocument, DraftPart, DraftPicture
    from app.features.chat.prompt_inspector import DocumentFit
    from app.store.attachments import Attachment
    from app.store.conversations import StoredMessage
    from app.store.document_store import StoredDocument
    from app.store.media_store import MediaUse, StoredMedia
    from app.store.queued import QueuedMessage


class ShowChat(SessionMessage):
    """Show a chat with its draft; what is being read for other drafts continues."""

    place: ChatPlace


class TypeText(SessionMessage):
    text: str


class SaveDraft(SessionMessage):
    """Store what is not stored yet; `is_last` when the window closes, after which unread files stay as they are."""

    is_last: bool = False


class AttachFiles(SessionMessage):
    """Attach files, and the files in folders. Pictures become documents only with `as_text`."""

    paths: tuple[Path, ...]
    as_text: bool = False


class AttachPictures(SessionMessage):
    """Attach pictures: paths, `UnsavedPicture`s, or the window's own kind, which get `name`."""

    given: tuple[Any, ...]
    name: str = ""


class AttachFile(SessionMessage):
    """Attach a pasted `text`, or a file without asking whether it is wanted; `place` None is the shown chat."""

    path: Path
    place: ChatPlace | None = None
    text: str = ""
    called: str = ""
    key: int = 0
    """From `ChatSession.new_key`, if the caller wants to know it."""


class ExpectFile(SessionMessage):
    """Reserve a place in the shown draft for a file being made, such as a recording; the message waits for it."""

    name: str
    key: int


class FileMade(SessionMessage):
    """An expected file is there, or will not come."""

    key: int
    path: Path | None


class RemoveParts(SessionMessage):
    keys: tuple[int, ...]
    is_told: bool = True


class PutBackParts(SessionMessage):
    """Restore removed parts to the draft that they were in."""

    keys: tuple[int, ...]


class PutIntoMessage(SessionMessage):
    """Make a document a part of its draft's text."""

    key: int


class ChooseUse(SessionMessage):
    """Set whether a document is searched for passages, or shown whole before the others."""

    key: int
    is_background: bool


class ChooseDetail(SessionMessage):
    key: int
    most_tokens: int


class SendMessage(SessionMessage):
    """Send the draft as it stands, or queue it while an answer runs; with `is_whole` whole documents answer it."""

    is_whole: bool = False


class TakeBack(SessionMessage):
    """Stop waiting for the parts of a message; it stays in the draft."""


class SendQueue(SessionMessage):
    """Send the queue of the shown chat, now or as soon as the running answer ends."""


class PauseQueue(SessionMessage):
    """Stop sending in all chats until the user asks for it."""


class SendNext(SessionMessage):
    """Send the next queued message if nothing speaks against it now."""


class EditQueued(SessionMessage):
    """A queued message is being edited; None once that ended."""

    queued_id: int | None


class ChangeQueued(SessionMessage):
    queued_id: int
    text: str


class RemoveQueued(SessionMessage):
    queued_id: int


class PutBackQueued(SessionMessage):
    place: ChatPlace
    message: QueuedMessage


class RaiseQueued(SessionMessage):
    """Move a queued message in front of the previous one."""

    queued_id: int


class AnswerQuestion(SessionMessage):
    """Answer a question of the shown branch; what follows it is hidden, as that belongs to the other version."""

    question_id: int
    is_whole: bool = False
    when_full: str = ""


class AnswerWhole(SessionMessage):
    """Answer a question from its whole documents, in place of an answer that runs in this chat."""

    question_id: int


class ContinueAnswer(SessionMessage):
    answer_id: int
    is_whole: bool = False
    when_full: str = ""


class RetryAnswer(SessionMessage):
    """Continue a failed answer that has text, or answer its question again; 0 if nothing of it was stored."""

    answer_id: int
    is_whole: bool = False


class AnswerFrom(SessionMessage):
    """Write another version of an answer that begins with `text` and goes on after these tokens."""

    answer_id: int
    text: str
    tokens: tuple[int, ...]


class StopAnswers(SessionMessage):
    """Stop the answers of a chat, or all; the text so far is kept."""

    place: ChatPlace | None = None


class EditMessage(SessionMessage):
    """Store another version of a message; a question is answered again."""

    message_id: int
    text: str


class ShowVersion(SessionMessage):
    message_id: int


class DeleteMessage(SessionMessage):
    message_id: int


class RestoreMessage(SessionMessage):
    place: ChatPlace
    message_id: int


class PinMessage(SessionMessage):
    message_id: int
    is_pinned: bool


class ReloadBranch(SessionMessage):
    """Read the shown branch again, because something else changed it."""


class ChooseProject(SessionMessage):
    """Set the project in which the new chat that is shown will be stored."""

    project_id: int


class DraftOpened(SessionMessage):
    """A draft was read from the store; the place is a new chat's if the chat is gone."""

    place: ChatPlace
    text: str
    attached: tuple[tuple[Attachment, StoredDocument, Path], ...]
    """Attachments with their documents and those files' paths without links."""
    uses: tuple[MediaUse, ...]
    model: Any
    """The loaded model, or None."""


class TextStored(SessionMessage):
    place: ChatPlace
    text: str


class DocumentAttached(SessionMessage):
    key: int
    attachment: Attachment


class DocumentKnown(SessionMessage):
    """A document is in the draft already: the same file by another path, or one that an earlier run attached."""

    key: int


class ScanDecided(SessionMessage):
    """Whether picture pages of an attached document are read now is known; it is ready, or `ScansChanged` has it."""

    key: int


class PictureOpened(SessionMessage):
    """A picture was decoded and its file kept, or refused with an `error`."""

    key: int
    media: StoredMedia | None = None
    image: Any = None
    frames: int = 1
    is_cut: bool = False
    error: AppError | None = None


class PicturesEnded(SessionMessage):
    """The child that opened a batch of pictures ended, with or without an error."""

    batch: int
    error: BaseException | None = None


class PictureAttached(SessionMessage):
    key: int
    use: MediaUse


class DetailStored(SessionMessage):
    key: int
    use: MediaUse


class PreviewLoaded(SessionMessage):
    key: int
    image: Any
    error: str = ""


class FitCounted(SessionMessage):
    attachment: Attachment
    fit: DocumentFit


class FitEnded(SessionMessage):
    """The last count of documents ended, and none waits."""


class PicturesCounted(SessionMessage):
    """Counts of pictures at every level of detail, in order."""

    keys: tuple[int, ...]
    counts: tuple[MediaCount, ...]


class SendingAllowed(SessionMessage):
    """Whether queued messages may be sent: the model can answer, and no choice between two answers is open."""

    is_allowed: bool


class DocumentReplaced(SessionMessage):
    """A document was replaced after more of it was read."""

    earlier_id: int
    document_id: int
    is_temporary: bool


class DocumentRead(SessionMessage):
    """The document that took the place of another, as stored."""

    key: int
    document: StoredDocument


class TextRead(SessionMessage):
    """The text of a document that becomes a part of its draft's text."""

    key: int
    text: str


class ChatStored(SessionMessage):
    """A new chat was stored for its first message, which is sent now; its draft is stored there."""

    place: ChatPlace
    is_whole: bool = False


class MessageSent(SessionMessage):
    place: ChatPlace
    question: StoredMessage
    is_whole: bool = False


class MessageQueued(SessionMessage):
    place: ChatPlace


class QueuedSent(SessionMessage):
    place: ChatPlace
    question: StoredMessage


class QueueFailed(SessionMessage):
    """The next message of a chat's queue could not be sent."""

    place: ChatPlace
    error: AppError


class QueueLoaded(SessionMessage):
    """The queue of the shown chat, with the names of each message's attachments."""

    place: ChatPlace
    messages: tuple[QueuedMessage, ...]
    names: tuple[tuple[str, ...], ...]


class AnswerBegan(SessionMessage):
    """An answer runs; `is_main` unless it is the second of two that are compared."""

    key: int
    place: ChatPlace
    is_main: bool = True
    is_paired: bool = False


class AnswerProgressed(SessionMessage):
    """An event of `AnswerService.answer`, except for text, which grows in the answer's draft."""

    key: int
    event: object


class AnswerEnded(SessionMessage):
    """An answer ended; `is_stored` unless its last words exist only on the screen."""

    key: int
    error: BaseException | None = None
    is_stored: bool = True


class BranchLoaded(SessionMessage):
    """The branch of a chat, and the ids of its messages that the model isn't shown."""

    place: ChatPlace
    messages: tuple[StoredMessage, ...]
    hidden: tuple[int, ...]


class HiddenLoaded(SessionMessage):
    place: ChatPlace
    hidden: tuple[int, ...]


class QuestionRead(SessionMessage):
    """A question of the branch was read again with what the model is shown for it."""

    place: ChatPlace
    question: StoredMessage


class BranchChanged(SessionMessage):
    """A branch was changed in the store; `then` follows once it is read."""

    place: ChatPlace
    then: tuple[object, ...] = ()


class OpenDraft(SessionMessage):
    place: ChatPlace


class StoreText(SessionMessage):
    place: ChatPlace
    text: str


class AppendText(SessionMessage):
    """Add a paragraph to the stored draft of a chat that is not shown."""

    place: ChatPlace
    text: str


class AttachDocument(SessionMessage):
    part: DraftDocument


class AttachPicture(SessionMessage):
    part: DraftPicture
    sha256: str


class DetachParts(SessionMessage):
    parts: tuple[DraftPart, ...]


class RestoreParts(SessionMessage):
    parts: tuple[DraftPart, ...]


class StoreDetail(SessionMessage):
    part: DraftPicture
    most_tokens: int


class ReadDocument(SessionMessage):
    part: DraftDocument
    document_id: int


class ReadText(SessionMessage):
    part: DraftDocument


class StoreChat(SessionMessage):
    """Store the new chat that is shown, and move its draft there."""

    place: ChatPlace
    is_whole: bool = False


class StoreMessage(SessionMessage):
    """Store the draft of a chat as its next question, or in its queue."""

    place: ChatPlace
    text: str
    is_queued: bool
    is_whole: bool = False


class StoreNext(SessionMessage):
    """Store the next queued message of these chats as a question, those of `first` before the others."""

    place: ChatPlace
    allowed: frozenset[ChatPlace]
    first: ChatPlace | None
    edited_id: int | None


class LoadQueue(SessionMessage):
    place: ChatPlace


class StoreQueued(SessionMessage):
    """Store a change of a chat's queue: another text, an order, one less or one again."""

    place: ChatPlace
    text_of: tuple[int, str] | None = None
    order: tuple[int, ...] = ()
    removed_id: int = 0
    restored: QueuedMessage | None = None


class OpenPictures(SessionMessage):
    batch: int
    parts: tuple[DraftPicture, ...]


class LoadPreviews(SessionMessage):
    parts: tuple[DraftPicture, ...]


class CountDocuments(SessionMessage):
    """Count how the documents fit the model, in place of any count before; `first_key` goes before the others."""

    place: ChatPlace
    documents: tuple[DraftDocument, ...]
    first_key: int


class CountPictures(SessionMessage):
    place: ChatPlace
    pictures: tuple[DraftPicture, ...]


class WatchScans(SessionMessage):
    """Follow the reading of picture pages in this chat's documents, ending that of a temporary chat that was left."""

    place: ChatPlace


class StopScans(SessionMessage):
    parts: tuple[DraftDocument, ...]


class SubmitMessage(SessionMessage):
    """What the message waited for is ready: ask whether it may be sent now, then for `SendMessage`."""

    is_whole: bool


class LoadBranch(SessionMessage):
    place: ChatPlace


class LoadHidden(SessionMessage):
    place: ChatPlace
    messages: tuple[StoredMessage, ...]


class ReadQuestion(SessionMessage):
    place: ChatPlace
    question_id: int


class StoreVersion(SessionMessage):
    """Store another version of a question or an answer."""

    place: ChatPlace
    message: StoredMessage
    text: str


class StoreBranch(SessionMessage):
    """Store a change of a branch: a chosen version, a message less or one again, or one pinned or not."""

    place: ChatPlace
    chosen_id: int = 0
    deleted_id: int = 0
    restored_id: int = 0
    pinned: tuple[int, bool] | None = None
    then: tuple[object, ...] = ()


class StartAnswer(SessionMessage):
    """Answer a question, or go on with an answer.

    `counts` are the tokens of its documents by id; `forced` is what another version of an answer begins with.
    """

    place: ChatPlace
    question: StoredMessage | None
    answer: StoredMessage | None = None
    is_whole: bool = False
    is_sent: bool = False
    is_queued: bool = False
    when_full: str = ""
    forced: tuple[str, tuple[int, ...]] | None = None
    counts: tuple[tuple[int, int], ...] = ()


class CancelAnswer(SessionMessage):
    key: int


class AskAboutContext(SessionMessage):
    """The context is full and nothing was sent: ask what to do with a question, or with an answer to continue."""

    place: ChatPlace
    message_id: int


class CloseEditor(SessionMessage):
    message_id: int


class FocusMessage(SessionMessage):
    message_id: int


class ReportSent(SessionMessage):
    """A question of the shown chat is answered from passages, and can be from whole documents."""

    question: StoredMessage


class ReportStarted(SessionMessage):
    message_id: int


class ReportMemoryMoved(SessionMessage):
    """Earlier turns left the shown chat's context or came back into it."""


class ReportBusy(SessionMessage):
    """A change has to wait for the running answer."""


class ReportDeleted(SessionMessage):
    """A message was deleted, with what follows it; undo can restore both."""

    place: ChatPlace
    message: StoredMessage


class TouchChat(SessionMessage):
    """A chat's row in the list needs a refresh."""

    place: ChatPlace


class AskForNext(SessionMessage):
    """Ask for `SendNext` once the end of the answer is shown."""


class ShowDocument(SessionMessage):
    """Open a document of the shown chat, at a mark or at its beginning."""

    document_id: int
    mark: object = None


class ShowPictures(SessionMessage):
    uses: tuple[MediaUse, ...]
    first: int


class TextBegun(SessionMessage):
    """Words were typed while no model was loaded; the message will want one soon."""


class OpenTranslation(SessionMessage):
    text: str


class TranslateFile(SessionMessage):
    path: Path


class SummarizeDocument(SessionMessage):
    document_id: int


class RememberText(SessionMessage):
    """Offer a text for the memories used in other chats."""

    text: str


class ContinueText(SessionMessage):
    """Continue a text in the writing tab, because this model cannot chat."""

    text: str


class QuoteText(SessionMessage):
    text: str


class FindText(SessionMessage):
    text: str


class OpenPrompts(SessionMessage):
    """Open the library of prompts, to save a text as one if there is any."""

    text: str = ""


class TakePrompt(SessionMessage):
    key: str


class AttachFrom(SessionMessage):
    """Attach pictures from a dialog, or a part of the screen: `pictures` or `screen_region`."""

    source: str


class FocusField(SessionMessage):
    pass


class EditLastQuestion(SessionMessage):
    pass


class OpenChatAt(SessionMessage):
    place: ChatPlace


class BeginChat(SessionMessage):
    """Put a message that this chat has no room for into a new one; it stays here, too."""

    text: str
    paths: tuple[Path, ...]


class ChooseModel(SessionMessage):
    """Let the user choose a model, because there is none."""


class FindVisionModel(SessionMessage):
    """Let the user find a model that can see pictures."""


class ReportQueued(SessionMessage):
    """A message was queued and is announced with when it goes."""


class ReportUnqueued(SessionMessage):
    """A queued message was removed; undo can put it back."""

    place: ChatPlace
    message: QueuedMessage


class ReportRaised(SessionMessage):
    """A queued message was moved up and has this position now."""

    number: int
