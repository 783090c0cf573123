"""Model files: missing, damaged, too large, or not the ones that can be used here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from app.core.errors.app_error import EnvironmentProblem, ErrorText, file_name

_UNKNOWN_ARCHITECTURE = re.compile(r"unknown model architecture: '([^'\n]{1,40})'")  # in llama.cpp's words


REMOVABLE = ("/media/", "/run/media/", "/mnt/", "/Volumes/")
"""Where systems put disks that a person connects."""


class ModelMissing(EnvironmentProblem):
    path: str
    message = ErrorText(
        "The file {name} doesn’t exist.",
        action="open_model",
        cases={"disk": "The disk with {name} isn’t connected, or its folder is gone. Connect the disk."},
    )

    @property
    def case(self) -> str:
        # What is used where it lies may be on a disk that was taken out.
        path = Path(self.path)
        return "disk" if path.as_posix().startswith(REMOVABLE) and not path.parent.exists() else ""


class NoModel(EnvironmentProblem):
    message = ErrorText("No model is open yet.", "Your message was kept.", "open_model")


class ModelUnreadable(EnvironmentProblem):
    """`reason` is one of: empty, not_gguf, truncated, vocabulary_only, projector, damaged, newer_format, not_a_file,
    denied.
    """

    path: str
    reason: str
    message = ErrorText(
        "{name} can’t be read.",
        action="open_model",
        cases={
            "empty": "The file {name} is empty.",
            "not_gguf": "{name} isn’t a GGUF model.",
            "truncated": "{name} is incomplete. Try downloading or copying it again.",
            "vocabulary_only": "{name} has only a vocabulary, not a model.",
            "projector": "{name} is a vision file for another model. It can’t answer on its own.",
            "damaged": "{name} is damaged: its header is invalid.",
            "newer_format": "{name} is in a newer format than this version of {app} can read.",
            "not_a_checker": "{name} isn’t a claim checker: its config.json names another kind of model.",
            "not_a_file": "{name} is a folder, not a model file.",
            "denied": "You don’t have permission to read {name}.",
        },
    )


class ModelAltered(EnvironmentProblem):
    """A file isn't what its checksum says. `reason`: "" for one to be added, installed for one of ours."""

    path: str
    reason: str = ""
    message = ErrorText(
        "{name} doesn’t match its checksum, so it wasn’t added.",
        "Nothing of it was kept, and your other models didn’t change. Copy the file to the disk again.",
        cases={"installed": "{name} is damaged: it doesn’t match its checksum, so it wasn’t copied."},
        kept_in={"installed": "Nothing was written. Download the model again."},
    )


class FolderWithoutModels(EnvironmentProblem):
    path: str
    message = ErrorText("There are no GGUF models in {path}.", "Choose the folder that holds the .gguf files.")


class ModelDamaged(EnvironmentProblem):
    """`detail` is the end of the engine's log, for "Copy details"."""

    path: str
    detail: str
    message = ErrorText(
        "The file {name} is damaged, so it couldn’t be loaded.", "Download or copy it again.", "open_model"
    )


class ModelLoadFailed(EnvironmentProblem):
    """`detail` is llama.cpp's own last words, for "Copy details"."""

    path: str
    detail: str
    message = ErrorText(
        "{name} couldn’t be loaded. It may need more free memory or a newer {app}.",
        action="open_model",
        cases={"unknown": "{name} needs a newer engine than this version of {app} has ({architecture})."},
        kept_in={"unknown": "Update {app}, or choose a newer llama.cpp in Settings, Performance."},
        actions={"unknown": "settings"},
    )

    @property
    def case(self) -> str:
        return "unknown" if _UNKNOWN_ARCHITECTURE.search(self.detail) else ""

    @property
    def values(self) -> dict[str, Any]:
        unknown = _UNKNOWN_ARCHITECTURE.search(self.detail)
        return super().values | {"architecture": unknown[1] if unknown else ""}


class ProjectorRefused(EnvironmentProblem):
    """`reason` is one of: missing, not_a_projector, truncated, damaged, other_model (made for another one), unknown (a
    kind that llama.cpp does not know), no_memory, no_library (a person's llama.cpp comes without libmtmd, or with one
    that doesn't fit). `model` is the file it was to go with.
    """

    path: str
    model: str
    reason: str
    detail: str = ""
    message = ErrorText(
        "{name}, which {model_name} needs to see, couldn’t be loaded.",
        "The model still works with text.",
        "models",
        cases={
            "missing": "{model_name} needs the file {name} to see, but it’s missing.",
            "not_a_projector": "{name} isn’t a vision or audio file for a model.",
            "truncated": "{name}, which {model_name} needs to see, is incomplete.",
            "damaged": "{name}, which {model_name} needs to see, is damaged.",
            "other_model": "{name} was made for another model and doesn’t work with {model_name}.",
            "unknown": "This version of {app} doesn’t support {name}, which {model_name} needs to see.",
            "no_memory": "Not enough memory for {name}, which {model_name} needs to see.",
            "no_library": "{model_name} can’t see, because your llama.cpp has no libmtmd that fits.",
        },
    )

    @property
    def values(self) -> dict[str, Any]:
        return super().values | {"model_name": file_name(self.model)}


class ModelTooLarge(EnvironmentProblem):
    path: str
    needed_bytes: int
    free_bytes: int
    message = ErrorText(
        "{name} is too large for this computer right now: it needs {needed_bytes} of memory, and {free_bytes} are "
        "free.",
        "Nothing was changed. Try a smaller model, or one with fewer bits.",
        "open_model",
    )


class ModelBroken(EnvironmentProblem):
    path: str
    message = ErrorText("{name} can’t answer: its weights are damaged.", "The text so far was kept.", "open_model")


class ModelReplaced(EnvironmentProblem):
    message = ErrorText("Another model was opened, so this was interrupted.", "Progress so far was kept.", "retry")


class NoRoomForModel(EnvironmentProblem):
    """Both are names. The person was asked and declined, or it does not even fit alone."""

    wanted: str
    loaded: str
    message = ErrorText("{wanted} doesn’t fit in memory together with {loaded}.", "Progress so far was kept.", "models")


class ModelNotLoaded(EnvironmentProblem):
    name: str
    message = ErrorText("{name} is on this computer, but another model is loaded.", "Choose it in the {app} window.")


class ModelNotInstalled(EnvironmentProblem):
    name: str
    message = ErrorText("No model here is called {name}.")


class ModelNotOurs(EnvironmentProblem):
    path: str
    message = ErrorText("{name} belongs to another program, so its file wasn’t moved or deleted.")
