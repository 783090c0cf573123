"""What the user is told of errors, with the templates of `app.core.errors`, and of the start."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from app import APP_NAME
from app.core.errors.app_error import AppError, ErrorText
from app.core.errors.saving_errors import DiskFull
from app.core.visible import ByteSize, visible_name

if TYPE_CHECKING:
    from app.store.database import Database


@dataclass(frozen=True)
class PersonMessage:
    """A message for the user.

    `action` names its button: open_model, new_chat, retry, settings, network, servers, models, storage, open_folder,
    put_back, end, or "".
    """

    text: str
    kept: str = ""
    action: str = ""

    def __str__(self) -> str:
        return f"{self.text} {self.kept}".strip()


_SILENT = {
    "engine": PersonMessage(
        "The engine hasn’t responded for 10 seconds.",
        "If you end it, the text so far is kept and the engine restarts.",
        "end",
    ),
    "download": PersonMessage(
        "The download of {name} hasn’t responded for 10 seconds.",
        "If you end it, it resumes where it stopped.",
        "end",
    ),
    "document": PersonMessage(
        "The document reader working on {name} hasn’t responded for 10 seconds.",
        "If you end it, nothing is changed.",
        "end",
    ),
}


def silence_sentence(work: str, subject: str) -> PersonMessage:
    """Return the message for an unresponsive child; `work` and `subject` as in `app.core.child.Child`."""
    sentence = _SILENT[work]
    return replace(sentence, text=sentence.text.format(name=visible_name(subject)))


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


def fill_template(text: str, **values: object) -> str:
    """Return a text with the values for its `{names}`, in English."""
    return text.format(**values) if values else text


def shown_values(values: Mapping[str, Any]) -> dict[str, Any]:
    # Names come from outside.
    shown = {name: visible_name(value) if isinstance(value, str) else value for name, value in values.items()}
    return shown | {name: ByteSize(value) for name, value in values.items() if name.endswith("_bytes")}


def sentence_for(error: BaseException, fill: Callable[..., str] = fill_template) -> PersonMessage:
    """Return the message for any exception; one that isn't an `AppError` is reported as a defect.

    `fill` translates a template and fills its values in.
    """
    message, case, values = _DEFECT, "", dict[str, Any]()
    if isinstance(error, AppError):
        message, case, values = error.message, error.case, error.values
    shown = shown_values(values | {"app": APP_NAME})
    text, kept = message.cases.get(case, message.text), message.kept_in.get(case, message.kept)
    return PersonMessage(fill(text, **shown), fill(kept, **shown), message.actions.get(case, message.action))


def count_units(unit: str, count: int) -> str:
    """Format a count of pages, slides, sheets or chapters, such as "1 page" or "1,200 slides"."""
    return f"{count:,} {unit or 'page'}{'' if count == 1 else 's'}"


def start_sentences(wrong_settings: Sequence[str], database: Database) -> list[PersonMessage]:
    """Return start-up messages: invalid settings, and what happened to the database."""
    notices: list[PersonMessage] = []
    # In memory only: a full disk, or a start that could not open its file.
    if not database.has_room or database.path == PurePath(":memory:"):
        full, kept = (
            sentence_for(DiskFull("")),
            "You can read your chats, but nothing new is saved until you free up space.",
        )
        if database.has_room:
            kept = f"Anything new is lost when you close the window. Free up space, then restart {APP_NAME}."
        notices.append(PersonMessage(full.text, kept, full.action))
    if database.moved_aside is not None:
        text = (
            f"The file with your chats was damaged. It was moved to {database.moved_aside.name}. Nothing was deleted."
        )
        found, kept = database.recovered, "A new, empty file is in use."
        if found is not None:
            chats, messages = count_units("chat", found.chats), count_units("message", found.messages)
            pages = f", {count_units('page', found.pages)}" if found.pages else ""
            kept = f"Recovered {chats} with {messages}{pages}."
        notices.append(PersonMessage(text, kept, "open_folder"))
    if wrong_settings == ["settings"]:
        notices.append(PersonMessage("The settings couldn’t be read. The old file was kept.", "Defaults are in use."))
    elif wrong_settings:
        names = ", ".join(wrong_settings)
        notices.append(PersonMessage(f"These settings had invalid values: {names}.", "Defaults are in use."))
    return notices
