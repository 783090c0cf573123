"""Translations of the program that people mend: saved as a PO file, and used in place of the built-in one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from app.core.catalogue import message_key, tr
from app.core.errors.document_errors import DocumentUnreadable
from app.core.errors.exchange_errors import TranslationUnusable
from app.core.installed_languages import ENGLISH, OWN_NAMES, built_in_file, own_file
from app.core.lazy_dataclasses import dataclass, replace
from app.core.paths import disk_problem, make_folder
from app.core.po_file import PoMessage, format_messages, header_field, read_messages
from app.core.translation_faults import message_faults
from app.documents.child_files import open_checked
from app.features.work.saved_file import write_file

MOST_BYTES = 16 << 20


@dataclass(frozen=True)
class UsedTranslation:
    """A file that took the place of a built-in translation, and how many texts it translates."""

    language: str
    count: int


def export_name(language: str) -> str:
    """Return the usual name of a file with the texts of a language; English has a template."""
    return f"fireside-{language}.po" if language != ENGLISH else "fireside.pot"


def can_export(language: str) -> bool:
    """Return whether there are texts to save: those of the language, or for English those of any as a template."""
    return language != ENGLISH or _any_built_in() is not None


def export_translation(language: str, path: Path) -> None:
    """Save all texts with their translations as a PO file, those of the person's own first; blocks.

    Raises DiskFull, FolderNotWritable or NameTooLong.
    """
    built_in, own = built_in_file(language), own_file(language)
    source = built_in if built_in.is_file() else own if own.is_file() else _any_built_in()
    messages = [*_read_file(source)] if source is not None else []
    if language == ENGLISH:
        messages = [_without_translation(message) for message in messages]
    elif own.is_file() and source != own:
        mended = {message_key(message): message for message in _read_file(own)}
        messages = [
            replace(message, forms=mine.forms, is_fuzzy=mine.is_fuzzy)
            if (mine := mended.get(message_key(message))) and any(mine.forms) and mine.plural == message.plural
            else message
            for message in messages
        ]
    with write_file(path) as file:
        file.write(format_messages(messages).encode("utf-8"))


def use_translation_file(path: Path) -> UsedTranslation:
    """Check a PO file and keep it as the translation to use; blocks.

    Raises TranslationUnusable or DocumentUnreadable, and DiskFull or FolderNotWritable where it can't be kept.
    """
    messages = [*_read_file(path)]
    language = next((_language_of(message) for message in messages if message.is_header), "")
    translated = [message for message in messages if message.is_translated and not message.is_header]
    if not messages:
        raise TranslationUnusable(str(path), "no_texts")
    if language not in OWN_NAMES or language == ENGLISH:
        raise TranslationUnusable(str(path), "language")
    if not translated:
        raise TranslationUnusable(str(path), "empty")
    plurals = {message_key(message): message.plural for message in _read_built_in()}
    for message in translated:
        known = replace(message, plural=plurals.get(message_key(message), message.plural))
        if (fault := next(message_faults(known, language), None)) is not None:
            raise TranslationUnusable(str(path), "faulty", tr(fault, text=message.text))
    kept = own_file(language)
    try:
        make_folder(kept.parent)
    except OSError as error:
        raise disk_problem(error, kept.parent) from error
    with write_file(kept) as file:
        file.write(format_messages(messages).encode("utf-8"))
    return UsedTranslation(language, len(translated))


def remove_own_translation(language: str) -> None:
    """Use the built-in translation again; the file of one's own is deleted. Raises FolderNotWritable."""
    path = own_file(language)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise disk_problem(error, path.parent) from error


def _language_of(header: PoMessage) -> str:
    return header_field(header.forms[0], "Language").partition("_")[0].partition("-")[0].lower()


def _any_built_in() -> Path | None:
    return next((path for path in map(built_in_file, OWN_NAMES) if path.is_file()), None)


def _read_built_in() -> Iterator[PoMessage]:
    if (path := _any_built_in()) is not None:
        yield from _read_file(path)


def _without_translation(message: PoMessage) -> PoMessage:
    if message.is_header:
        kept = (line for line in message.forms[0].splitlines(keepends=True) if line.startswith("Content-"))
        return replace(message, forms=("".join(["Language: \n", *kept]),))
    return replace(message, forms=("",) * len(message.forms), is_fuzzy=False)


def _read_file(path: Path) -> Iterator[PoMessage]:
    with open_checked(path, "rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise TranslationUnusable(str(path), "no_texts")
    try:
        yield from read_messages(data.decode("utf-8-sig"))
    except ValueError as error:
        raise DocumentUnreadable(str(path), "not_text") from error
