"""Files of pages, chats, prompts and backups that can’t be imported."""

from __future__ import annotations

from typing import Any

from app.core.errors.app_error import FILE_CASES, EnvironmentProblem, ErrorText, file_name


class TextFileUnreadable(EnvironmentProblem):
    """Text file to open as a page. `reason`: not_text, too_large, or a system's one as in DocumentUnreadable.
    `most_bytes` is the limit.
    """

    path: str
    reason: str
    most_bytes: int
    message = ErrorText(
        "{name} couldn’t be read.",
        "Your pages weren’t changed.",
        cases=FILE_CASES
        | {"not_text": "{name} isn’t plain text.", "too_large": "{name} is too long. A page holds up to {most_bytes}."},
        kept_in={
            "not_text": "Attach documents such as PDF or DOCX to a chat instead.",
            "too_large": "You can open part of it.",
        },
    )


class ChatsUnreadable(EnvironmentProblem):
    """File to import chats from. `reason`: missing, denied, not_a_file, empty, unknown (no known program's), newer
    (ours, of a later version), backup (of everything), damaged, protected, inflates.
    """

    path: str
    reason: str
    message = ErrorText(
        "{name} couldn’t be read.",
        "Your chats weren’t changed.",
        cases=FILE_CASES
        | {
            "empty": "{name} is empty.",
            "unknown": "{name} has no chats from a supported program.",
            "backup": "{name} is a backup. Restore it instead.",
            "newer": "{name} was written by a newer version of {app}. Please install that version.",
            "damaged": "{name} is damaged and couldn’t be read completely.",
            "protected": "{name} is protected with a password. Unpack it and try again.",
            "inflates": "{name} would unpack to an enormous size, so it wasn’t read completely.",
        },
    )


class PromptsUnreadable(EnvironmentProblem):
    """A JSON file that was to be imported. `reason`: damaged, unknown (no prompts of ours) or newer."""

    path: str
    reason: str
    message = ErrorText(
        "{name} couldn’t be read.",
        "Your prompts weren’t changed.",
        cases={
            "unknown": "{name} has no prompts that {app} can import.",
            "newer": "{name} was made by a newer version of {app}. Please install that version.",
            "damaged": "{name} is damaged and couldn’t be read.",
        },
    )


class TranslationUnusable(EnvironmentProblem):
    """A PO file that was to be used for the window's texts. `reason`: no_texts (no PO file, or far too large),
    language (its header names none that is offered), empty (without a translation) or faulty, as `fault` says in the
    person's language.
    """

    path: str
    reason: str
    fault: str = ""
    message = ErrorText(
        "{name} can’t be used.",
        "The texts weren’t changed.",
        cases={
            "no_texts": "{name} isn’t a translation file (PO).",
            "language": "{name} doesn’t say a supported language in its header, such as “Language: de”.",
            "empty": "{name} contains no translations.",
            "faulty": "{name} can’t be used. {fault}",
        },
    )


class BackupUnreadable(EnvironmentProblem):
    """`reason`: missing, denied, not_a_file, unknown (no backup of ours), newer, older, damaged,
    altered."""

    path: str
    reason: str
    message = ErrorText(
        "{name} couldn’t be read.",
        "Nothing here was changed.",
        cases=FILE_CASES
        | {
            "unknown": "{name} isn’t a backup of {app}.",
            "newer": "{name} was made by a newer version of {app}. Please install that version.",
            "older": "{name} was made by a test version of {app} that this version can’t read.",
            "damaged": "{name} is damaged: some of its content has changed.",
            "altered": "{name} can’t be restored: its database isn’t one that {app} wrote.",
        },
    )


class NotAligned(EnvironmentProblem):
    """`source_parts` and `reference_parts` are the numbers of lines or segments in each."""

    source: str
    reference: str
    source_parts: int
    reference_parts: int
    message = ErrorText(
        "{source_name} has {source_parts:,} parts and {reference_name} has {reference_parts:,}; they must match "
        "part by part.",
        "Nothing was translated.",
    )

    @property
    def values(self) -> dict[str, Any]:
        names = {"source_name": file_name(self.source), "reference_name": file_name(self.reference)}
        return super().values | names
