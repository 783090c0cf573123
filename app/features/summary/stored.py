"""A stored summary as it is listed, and how its values stand in the job that keeps it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from app.core.errors import DocumentGone, DocumentUnreadable
from app.documents.blocks import Block
from app.documents.source import PageRead
from app.features.documents import Documents
from app.features.summary.result import InputDocument, Wish, wish_from_json
from app.store.documents import StoredDocument
from app.store.jobs import Job, JobRow

KIND = "summary"
TASK = "summarize"

DRAFT = "draft"

LONGEST_TITLE = 120
_FILE_ENDINGS = (".doc", ".docx", ".dvi", ".htm", ".html", ".indd", ".odt", ".pdf", ".ppt", ".pptx", ".rtf", ".tex")
_NO_TITLE = re.compile(
    r"microsoft (word|powerpoint|excel)\b.*|(untitled|unbenannt|sans titre|document|dokument|title|titel|slide|folie|"
    r"powerpoint.presentation)[\W\d_]*"
)


@dataclass(frozen=True)
class StoredSummary(JobRow):
    """One row of the list. `sections` 0: not known yet.

    `is_together`: of a draft with several documents, whether one summary is to be made of all.
    """

    wish: Wish
    document_ids: tuple[int, ...]
    sections: int
    sections_read: int
    is_together: bool = True


@dataclass(frozen=True)
class Estimate:
    """What a summary would take. `seconds` None: nothing was measured on this machine with this model yet.

    `tokens` and `sections` are of all documents together; `by_document` are the tokens of each. Where no model is asked
    there are no sections, and tokens only where it was loaded anyway.
    """

    tokens: int | None
    sections: int
    seconds: float | None
    by_document: tuple[int, ...]
    is_elsewhere: bool = False
    """Whether a server does it."""


def from_job(job: Job, document_ids: Sequence[int]) -> StoredSummary:
    """The row of a job."""
    sections, read = (int(job.progress.get(name, 0)) for name in ("sections", "sections_read"))
    wish = wish_from_json(job.spec.get("wish", {}))
    return StoredSummary(
        job.id, job.title, job.state, job.error, job.created_at, job.updated_at, wish, tuple(document_ids), sections,
        read, bool(job.spec.get("is_together", True)),
    )  # fmt: skip


def title_of(document: StoredDocument) -> str:
    """The document's own title where that is one, else the name of its file without the ending."""
    title = " ".join(str(document.info.get("title") or "").split())
    return title if _is_title(title) else PurePath(document.name).stem or document.name


def joint_title(documents: Sequence[StoredDocument]) -> str:
    """The first one's title, and how many more there are."""
    first = title_of(documents[0]) if documents else ""
    return first if len(documents) < 2 else f"{first} and {len(documents) - 1} more"


def _is_title(text: str) -> bool:
    """Programs put the names of files and of themselves where a title belongs."""
    plain = text.casefold()
    return (
        3 <= len(text) <= LONGEST_TITLE
        and any(letter.isalpha() for letter in text)
        and not plain.endswith(_FILE_ENDINGS)
        and not _NO_TITLE.fullmatch(plain)
    )


# Stored documents as the pipeline takes them.


def inputs_of(documents: Documents, document_ids: Sequence[int], *, has_places: bool = True) -> list[InputDocument]:
    """Raises DocumentGone or DocumentUnreadable, which say which document it is.

    Without `has_places` nothing knows which pages a block reaches into; see `Documents.texts`.
    """
    read = documents.blocks if has_places else documents.texts
    return [_input(documents, one, read) for one in document_ids]


def _input(documents: Documents, document_id: int, read: Callable[[int], Sequence[Block]]) -> InputDocument:
    document = documents.store.get(document_id)
    if document is None:
        raise DocumentGone(f"document {document_id}")
    try:
        blocks = read(document_id)
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
