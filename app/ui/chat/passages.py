"""Search by meaning in a chat: offers an embedding model after a poor search, then shows the indexing progress."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, SignalInstance
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from app.core.errors.app_error import expected_error
from app.core.events import CancelToken
from app.core.lazy_dataclasses import dataclass
from app.features.models.installed import PASSAGES
from app.ui.i18n import tr
from app.ui.shared_labels import ASKING_HUB, DOWNLOAD, STOP, USE_IT
from app.ui.shell import tasks
from app.ui.shell.model_loader import in_words
from app.ui.shell.tab_spec import UiContext
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.labels import announce, plain_label
from app.ui.widgets.layouts import fill_layout

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.features.chat.answer_service import AnswerService
    from app.features.models.collection import ModelSuggestion
    from app.features.retrieval.passage_embedder import IndexProgress
    from app.hub.download import Download
    from app.ui.chat.chat_view import ChatView

PASSAGE_MODEL_HERE = "{name} on this computer can search documents by meaning."
PREPARING_PASSAGES = "Preparing {name} for search: {share} %"
PREPARING_WAITS = "Preparing {name} for search: waiting for the answer"


@dataclass(frozen=True)
class EmbeddingOffer:
    """An embedding model to offer: installed at `path`, or available for download."""

    name: str
    path: Path | None = None
    suggestion: ModelSuggestion | None = None


class PassageRow(QFrame):
    """Row with a text and at most two buttons; hidden without text."""

    def __init__(
        self,
        theme: Theme,
        parent: QWidget | None = None,
        *,
        accept: Callable[[], object],
        decline: Callable[[], object],
    ) -> None:
        super().__init__(parent)
        self.decline, self.accept = decline, accept
        self.setObjectName("passage_row")
        self._words = plain_label(kind="muted", wraps=True)
        self.yes = text_button("", "plain", on_click=self.accept)
        self.no = text_button("", "quiet", on_click=self.decline)
        line = fill_layout(QHBoxLayout(self), (self._words, 1), self.yes, self.no)
        theme.dress(line, margins=(12, 4, 4, 4), spacing=6)
        theme.dress(self._words, font="small")
        theme.dress(self.yes, self.no, font="control")
        self.hide()

    @property
    def text(self) -> str:
        """The text shown; "" while hidden."""
        return "" if self.isHidden() else self._words.text()

    def show_words(self, words: str, yes: str = "", no: str = "") -> None:
        """Show a text with two buttons. An empty label hides its button, an empty text the row."""
        # Progress changes often; only a new offer is read aloud.
        is_new = bool(words) and (self.isHidden() or self.yes.text() != yes)
        self._words.setText(words)
        self.setAccessibleName(words)
        for button, name in ((self.yes, yes), (self.no, no)):
            button.setText(name)
            button.setAccessibleDescription(words)
            button.setVisible(bool(name))
        self.setVisible(bool(words))
        if is_new:
            announce(self, words)


class PassageOffering(QObject):
    """Offers an embedding model after an answer whose search found little, and later shows the indexing progress."""

    def __init__(self, app: Fireside, ui: UiContext, chat: ChatView, downloads_changed: SignalInstance) -> None:
        super().__init__(chat)
        assert ui.passages is not None
        indexing = ui.passages
        self._app, self._notify, self._indexing, self._chat = app, ui.notify, indexing, chat
        self.row = PassageRow(ui.theme, accept=self._on_accepted, decline=self._on_declined)
        chat.add_row(self.row)
        self.offer: EmbeddingOffer | None = None
        self._fetched_repo = ""
        """Repository of a model downloaded from this row, which is used as soon as it is installed."""
        self._documents: frozenset[int] = frozenset()
        self._task: tasks.BackgroundTask | None = None
        indexing.changed.connect(self._show)
        downloads_changed.connect(self._on_download)
        chat.answer_finished.connect(self._check_answer)
        chat.attaching.changed.connect(indexing.start_later)
        chat.documents_known.connect(self._on_documents)

    @property
    def is_looking(self) -> bool:
        return self._task is not None and not self._task.done

    def _on_documents(self, known: frozenset[tuple[object, int]]) -> None:
        """Track the documents of the chat that is now shown, and withdraw the offer."""
        self._documents = frozenset(number for _, number in known)
        self.offer = None
        self._show()

    def _check_answer(self, answer_id: int) -> None:
        """Check whether search by meaning might have helped with the question of this answer, and offer it if so."""
        self._indexing.start_later()
        settings, talk = self._app.settings, self._chat.open_chat.talk
        if not answer_id or self._indexing.is_chosen or not settings.documents.offers_passages or self._fetched_repo:
            return

        def look_for_offer(_token: CancelToken) -> EmbeddingOffer | None:
            return find_offer(self._app) if found_little(talk, answer_id) else None

        self._task = tasks.ask(look_for_offer, self, self._on_offer, self._on_failed)

    def _on_failed(self, error: BaseException) -> None:
        # Nobody asked for the check, so an expected error shows no notice.
        expected_error(error)

    def _on_offer(self, offer: EmbeddingOffer | None) -> None:
        self.offer = offer
        self._show()

    def _show(self) -> None:
        progress = self._indexing.progress
        if self.offer is not None and not self._indexing.is_chosen:
            yes = tr(USE_IT) if self.offer.path is not None else tr(DOWNLOAD)
            self.row.show_words(offer_words(self.offer), yes, tr("No thanks"))
        elif progress is not None and not self._indexing.is_stopped and self._is_shown(progress):
            self.row.show_words(progress_words(progress), no=tr(STOP))
        else:
            self.row.show_words("")

    def _is_shown(self, progress: IndexProgress) -> bool:
        """Return whether the progress is about a document of the visible chat."""
        return progress.document_id in {*self._documents, *self._chat.transcript.documents.ids}

    def _on_accepted(self) -> None:
        offer, self.offer = self.offer, None
        if offer is None:
            return
        if offer.path is not None:
            self._use(offer.path)
        elif offer.suggestion is not None:
            entry = offer.suggestion.entry
            self._fetched_repo = entry.repo
            self._notify.mention(tr(ASKING_HUB, name=entry.name))
            tasks.ask(
                lambda token: self._app.models.fetching.download_entry(entry, token),
                self,
                lambda _: None,
                self._on_not_fetched,
            )
        self._show()

    def _on_not_fetched(self, error: BaseException) -> None:
        self._fetched_repo = ""
        self._notify.error(error)

    def _on_declined(self) -> None:
        if self.offer is None:
            self._indexing.stop()
            return
        self.offer = None
        with self._notify.guard():
            self._app.change_settings("documents", offers_passages=False)
        self._show()

    def _on_download(self, download: Download) -> None:
        if not self._fetched_repo or download.request.repo != self._fetched_repo:
            return
        if download.state == "done" and download.paths:
            self._fetched_repo = ""
            self._use(Path(download.paths[0]))

    def _use(self, path: Path) -> None:
        use: Callable[[CancelToken], None] = lambda _: self._app.models.choose_model(PASSAGES, path)  # noqa: E731
        tasks.ask(use, self, lambda _: self._show(), self._notify.error)


def found_little(talk: AnswerService, answer_id: int) -> bool:
    """Return whether the search for an answer found nothing relevant in some document."""
    if (answer := talk.conversations.get_message(answer_id)) is None or answer.parent_id is None:
        return False
    attached = talk.documents.attachments.of_messages([answer.parent_id]).get(answer.parent_id, [])
    # None: it was not judged.
    return any(attachment.has_answer is False for attachment in attached)


def find_offer(app: Fireside) -> EmbeddingOffer | None:
    """Return an installed embedding model, else one to download; None if there is none or a download is running."""
    here = next((row for row in app.models.list_installed() if row.embeds and not row.model.missing), None)
    if here is not None:
        return EmbeddingOffer(here.label, here.model.path)
    found = app.models.suggest_models(PASSAGES, 1)
    if not found or found[0].download is not None or found[0].fit.word == "too_large":
        return None
    return EmbeddingOffer(found[0].entry.name, suggestion=found[0])


def offer_words(offer: EmbeddingOffer) -> str:
    """Return the text of the offer, with the size if the model must be downloaded."""
    if offer.suggestion is not None:
        return in_words(offer.suggestion.words_for(PASSAGES))
    return tr(PASSAGE_MODEL_HERE, name=offer.name)


def progress_words(progress: IndexProgress) -> str:
    """Return the text about the indexing progress of a document."""
    if progress.is_paused:
        return tr(PREPARING_WAITS, name=progress.name)
    share = 100 * progress.done // max(1, progress.total)
    return tr(PREPARING_PASSAGES, name=progress.name, share=share)
