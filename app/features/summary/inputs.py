"""Stored documents as the pipeline takes them."""

from __future__ import annotations

from collections.abc import Sequence

from app.core.errors import DocumentGone, DocumentUnreadable
from app.documents.source import PageRead
from app.features.documents import Documents
from app.features.summary.events import InputDocument
from app.features.summary.stored import title_of


def inputs_of(documents: Documents, document_ids: Sequence[int]) -> list[InputDocument]:
    """Raises DocumentGone or DocumentUnreadable, which say which document it is."""
    return [_input(documents, one) for one in document_ids]


def _input(documents: Documents, document_id: int) -> InputDocument:
    document = documents.store.get(document_id)
    if document is None:
        raise DocumentGone(f"document {document_id}")
    try:
        blocks = documents.blocks(document_id)
    except (KeyError, TypeError, ValueError) as error:
        raise DocumentGone(document.name) from error
    if not any(block.text.strip() for block in blocks):
        raise DocumentUnreadable(str(document.path), "no_text")
    info = document.info
    pages_without_text = tuple(info.get("pages_without_text", ()))
    pages = [PageRead(**fields) for fields in info.get("pages", ())]
    pictures = tuple(one.page for one in pages if one.is_picture and not (one.has_text or one.recognized))
    language = str(info.get("language") or "")
    return InputDocument(
        document_id, document.name, title_of(document), document.unit, document.pages, pages_without_text, language,
        blocks, pictures,
    )  # fmt: skip
