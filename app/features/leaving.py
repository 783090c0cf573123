"""Consent to send documents and pictures off this computer, asked once for each item and server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.catalogue import CountedTexts
from app.core.errors.server_errors import DocumentStaysHere
from app.core.events import ModelElsewhere, ModelLoaded
from app.core.joined_texts import join_entries
from app.core.lazy_dataclasses import dataclass
from app.features.models.model_messages import MessageTemplate

if TYPE_CHECKING:
    from app.remote.servers import RemoteServers
    from app.store.document_store import DocumentStore, StoredDocument


@dataclass(frozen=True)
class OutboundDocuments:
    """Question to the user: may these documents and pictures, by name, be sent to `host`?"""

    host: str
    names: tuple[str, ...]


class OutboundConsent:
    """Asks for consent; from any thread but the window's, since `ask` blocks until the answer.

    The default `ask` says no: a command that forgot to set it sends nothing.
    """

    def __init__(
        self, servers: Callable[[], RemoteServers], ask: Callable[[OutboundDocuments], bool] = lambda leaving: False
    ) -> None:
        self._servers, self.ask = servers, ask
        self._asking = threading.Lock()

    def let_out(
        self,
        store: DocumentStore,
        document_ids: Sequence[int],
        model: ModelLoaded | None,
        pictures: Mapping[str, str] | None = None,
    ) -> None:
        """Return once these documents, and pictures (names by SHA-256), may go where the model runs.

        Raises DocumentStaysHere.
        """
        # Models here, and servers that a person called her own, need no consent.
        if not isinstance(model, ModelElsewhere) or model.stays_here or not (document_ids or pictures):
            return
        servers = self._servers()
        server = servers.read_model(Path(model.path)).server
        documents = [document for number in dict.fromkeys(document_ids) if (document := store.get(number)) is not None]
        found = {_known_by(stored_document): stored_document.name for stored_document in documents} | dict(
            pictures or {}
        )
        with self._asking:  # who asks second may find that it was allowed meanwhile
            new = {known_by: name for known_by, name in found.items() if not servers.may_have(server, known_by)}
            if not new:
                return
            names = tuple(new.values())
            if not self.ask(OutboundDocuments(model.host, names)):
                raise DocumentStaysHere(model.host, names[0])
            servers.let_have(server, list(new))


# A document without a hash, such as one still being read, is known by its number.
def _known_by(document: StoredDocument) -> str:
    return document.sha256 or f"document-{document.id}"


_SEND_FILES: CountedTexts = (
    "The model runs on {host}. Send {count} file there: {names}? You’re asked once for each.",
    "The model runs on {host}. Send these {count} files there: {names}? You’re asked once for each.",
)


def leaving_words(leaving: OutboundDocuments) -> MessageTemplate:
    """Return the question of the dialog with the answers "Send" and "Keep it here"."""
    if len(leaving.names) == 1:
        text = "The model runs on {host}. Send {name} there? You’re asked once for each document and picture."
        return MessageTemplate(text, {"host": leaving.host, "name": leaving.names[0]})
    shown = join_entries([*leaving.names[:3], *(["…"] if len(leaving.names) > 3 else [])])
    return MessageTemplate("", {"host": leaving.host, "names": shown}, _SEND_FILES, len(leaving.names))
