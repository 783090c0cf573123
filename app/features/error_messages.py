"""What the user is told of errors, with the templates of `app.core.errors`, and of the start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from app import APP_NAME
from app.core.catalogue import Translatable, fill_english, tr
from app.core.counted_units import count_units
from app.core.errors.app_error import AppError, ErrorText
from app.core.errors.saving_errors import DiskFull
from app.core.joined_texts import join_entries
from app.core.lazy_dataclasses import dataclass, field, replace
from app.core.visible import ByteSize, visible_name

if TYPE_CHECKING:
    from app.store.database import Database
    from app.store.recovery import RecoveredParts


@dataclass(frozen=True)
class PersonMessage:
    """A message for the user, as templates with their values until it is shown.

    `action` names its button: open_model, new_chat, retry, settings, network, servers, models, storage, open_folder,
    put_back, end, help, whats_new, or "".
    """

    template: Translatable
    kept_template: Translatable = ""
    action: str = ""
    values: Mapping[str, object] = field(default_factory=dict, hash=False)

    @property
    def text(self) -> str:
        """What happened, filled in in the user's language as it is now."""
        return tr(self.template, **self.values)

    @property
    def kept(self) -> str:
        """What was kept and what to do, in the user's language; may be ""."""
        return tr(self.kept_template, **self.values) if self.kept_template else ""

    @property
    def english(self) -> str:
        """What happened, in English whatever the user's language: for models and other programs."""
        return fill_english(self.template, **self.values)

    def __str__(self) -> str:
        return f"{self.text} {self.kept}".strip()


def message_of_words(words: str, action: str = "") -> PersonMessage:
    """Return a message of words that are in the user's language already."""
    return PersonMessage("{words}", action=action, values={"words": words})


_SILENT = {
    "engine": PersonMessage(
        "The engine hasn’t responded for 10 seconds.",
        "If you end it, the text so far is kept and the engine restarts.",
        "end",
    ),
    "download": PersonMessage(
        "The download of {name} hasn’t responded for 10 seconds.", "If you end it, it resumes where it stopped.", "end"
    ),
    "document": PersonMessage(
        "The document reader working on {name} hasn’t responded for 10 seconds.",
        "If you end it, nothing is changed.",
        "end",
    ),
    "lend": PersonMessage(
        "The process that lends memory hasn’t responded for 10 seconds.",
        "If you end it, models on other computers that use this memory stop.",
        "end",
    ),
    "recording": PersonMessage(
        "The microphone hasn’t responded for 10 seconds.", "If you end it, the recording so far stays.", "end"
    ),
    "voice": PersonMessage(
        "The voice that reads aloud hasn’t responded for 10 seconds.", "If you end it, nothing is changed.", "end"
    ),
}


def silence_sentence(work: str, subject: str) -> PersonMessage:
    """Return the message for an unresponsive child; `work` and `subject` as in `app.core.child.Child`."""
    return replace(_SILENT[work], values={"name": subject})


UPGRADED = PersonMessage(
    f"{APP_NAME} was upgraded while it was open.", "Restart it to use the new version. Nothing is lost."
)
NO_PICTURES = PersonMessage(
    "You can’t add pictures to a message you already sent. Its own pictures were kept.",
    "Send a new message with the picture.",
)
NO_FILE = PersonMessage(
    "That isn’t a file on this computer, so nothing was attached.", "Save it first, then drop the file."
)


STARTER_CALLS_ITSELF = "Smollm2 135M 8k Lc100K Mix1 Ep2"
"""In its file, after the training that it is the outcome of."""


def model_words(name: str) -> str:
    """Return the name to show for a model's own name, as stored with its answers."""
    return "SmolLM2 135M" if name == STARTER_CALLS_ITSELF else name


_DEFECT = ErrorText("Something went wrong in {app}.", "Your chats were kept.")


def shown_values(values: Mapping[str, Any]) -> dict[str, Any]:
    # Names come from outside.
    shown = {name: visible_name(value) if isinstance(value, str) else value for name, value in values.items()}
    return shown | {name: ByteSize(value) for name, value in values.items() if name.endswith("_bytes")}


def sentence_for(error: BaseException) -> PersonMessage:
    """Return the message for any exception; one that isn't an `AppError` is reported as a defect."""
    message, case, values = _DEFECT, "", dict[str, Any]()
    if isinstance(error, AppError):
        message, case, values = error.message, error.case, error.values
    text, kept = message.cases.get(case, message.text), message.kept_in.get(case, message.kept)
    return PersonMessage(
        text, kept, message.actions.get(case, message.action), shown_values(values | {"app": APP_NAME})
    )


READ_ONLY: Translatable = "You can read your chats, but nothing new is saved until you free up space."
LOST_AT_CLOSE: Translatable = "Anything new is lost when you close the window. Free up space, then restart {app}."
MOVED_ASIDE: Translatable = "The file with your chats was damaged. It was moved to {name}. Nothing was deleted."


def start_sentences(wrong_settings: Sequence[str], database: Database) -> list[PersonMessage]:
    """Return start-up messages: invalid settings, and what happened to the database."""
    notices: list[PersonMessage] = []
    # In memory only: a full disk, or a start that could not open its file.
    if not database.has_room or database.path == PurePath(":memory:"):
        kept = LOST_AT_CLOSE if database.has_room else READ_ONLY
        notices.append(replace(sentence_for(DiskFull("")), kept_template=kept))
    if database.moved_aside is not None:
        notices.append(_moved_aside_message(database.moved_aside.name, database.recovered))
    if wrong_settings == ["settings"]:
        notices.append(PersonMessage("The settings couldn’t be read. The old file was kept.", "Defaults are in use."))
    elif wrong_settings:
        values = {"names": join_entries(wrong_settings)}
        notices.append(
            PersonMessage("These settings had invalid values: {names}.", "Defaults are in use.", values=values)
        )
    return notices


def _moved_aside_message(name: str, recovered: RecoveredParts | None) -> PersonMessage:
    if recovered is None:
        return PersonMessage(MOVED_ASIDE, "A new, empty file is in use.", "open_folder", {"name": name})
    values = {
        "name": name,
        "chats": count_units("chat", recovered.chats),
        "messages": count_units("message", recovered.messages),
        "pages": count_units("page", recovered.pages),
    }
    kept = "Recovered {chats} with {messages}, {pages}." if recovered.pages else "Recovered {chats} with {messages}."
    return PersonMessage(MOVED_ASIDE, kept, "open_folder", values)
