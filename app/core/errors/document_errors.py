"""Documents, pictures and recordings that can’t be read."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import Any

from app.core.counted_units import count_units, unit_name
from app.core.errors.app_error import FILE_CASES, EnvironmentProblem, ErrorText

_IWORK = {".pages": ("Pages", ".docx"), ".key": ("Keynote", ".pptx"), ".numbers": ("Numbers", ".xlsx")}


class MicrophoneMissing(EnvironmentProblem):
    detail: str
    message = ErrorText(
        "Couldn’t open a microphone. Check that one is connected and that programs are allowed to use it."
    )


class DocumentUnreadable(EnvironmentProblem):
    """`reason`: missing, folder, not_a_file, denied, empty, no_text, not_text, damaged, inflates (a bomb), too_deep,
    entities (declared in its XML), old_format, protected (a password, on anything but PDF), drm, changed (while
    reading), not_drawn (a page that can't be rendered), not_rewritable (translations can't be written in its format),
    picture (and tesseract is missing or not wanted), iwork (Apple's Pages, Keynote or Numbers), djvu, sound (and no
    model takes sound), not_sound, too_long_sound, no_speech, no_sound_here (no decoder on this system).
    """

    path: str
    reason: str
    message = ErrorText(
        "{name} couldn’t be read.",
        "Nothing was attached.",
        cases=FILE_CASES
        | {
            "folder": "{name} is a folder. Choose one of the documents in it.",
            "empty": "The file {name} is empty.",
            "no_text": "No text was found in {name}.",
            "not_text": "{name} isn’t a text document.",
            "damaged": "{name} is damaged and couldn’t be read.",
            "inflates": "{name} would unpack to an enormous size, so it wasn’t read.",
            "too_deep": "{name} is too deeply nested to be read.",
            "entities": "{name} contains unsafe XML entities, so it wasn’t read.",
            "old_format": "{name} is in an old format. Save it in a newer one, such as .docx, and try again.",
            "iwork": "{name} is an Apple {program} document. Save it as {other} or PDF in {program} or LibreOffice.",
            "djvu": "{name} is a DjVu document. Convert it to PDF first, for example with ddjvu.",
            "picture": "{name} is a picture. Install tesseract to read its text.",
            "pictures": "{name} has pages that are pictures. Read them first.",
            "protected": "{name} is protected with a password. Save a copy without one and try again.",
            "drm": "{name} is copy-protected, so it can’t be read.",
            "changed": "{name} changed while it was being read. Try again.",
            "not_drawn": "This page of {name} can’t be shown.",
            "not_rewritable": "Translations can’t be saved in the format of {name}.",
            "sound": "{name} is a recording. Open a model that can hear to transcribe it.",
            "not_sound": "{name} isn’t a supported recording. Use WAV, FLAC, MP3 or OGG.",
            "no_speech": "No speech found in {name}, or the model can’t hear it.",
            "too_long_sound": "{name} is longer than twelve hours. Split it and try again.",
            "no_sound_here": "Recordings can’t be decoded on this kind of computer.",
        },
    )

    @property
    def values(self) -> dict[str, Any]:
        program, other = _IWORK.get(PurePath(self.path).suffix.lower(), ("iWork", ".docx"))
        return super().values | {"program": program, "other": other}

    @classmethod
    def by_system(cls, path: Path, error: Exception) -> DocumentUnreadable:
        """Return where the system did not open a file."""
        if isinstance(error, FileNotFoundError):
            return cls(str(path), "missing")
        return cls(str(path), "denied" if isinstance(error, PermissionError) else "not_a_file")


class PictureUnreadable(EnvironmentProblem):
    """`reason`: not_picture (whatever its name), damaged, too_large (the file), too_many_pixels (`width` by `height`),
    heic (which Qt can't read on this system), gone (from where it was stored).
    """

    path: str
    reason: str
    width: int = 0
    height: int = 0
    message = ErrorText(
        "{name} couldn’t be opened as a picture.",
        "It wasn’t attached.",
        cases={
            "not_picture": "{name} isn’t a supported picture.",
            "damaged": "{name} is damaged or incomplete, so it can’t be shown.",
            "too_large": "{name} is larger than 200 MB. Attach a smaller copy.",
            "too_many_pixels": "{name} has {width:,} × {height:,} pixels, too many to open. Save it smaller, or as "
            "JPEG.",
            "gone": "A picture in this chat is missing, so it wasn’t sent to the model.",
            "heic": "{name} is a HEIC picture, which can’t be opened on this system. Save it as JPEG first.",
        },
    )


class DocumentPagesMissing(EnvironmentProblem):
    """The document has `pages`; those from `first_page` to `last_page` (0 is open) were chosen. `unit` names what pages
    are.
    """

    path: str
    unit: str
    pages: int
    first_page: int
    last_page: int
    message = ErrorText(
        "{name} has only {has}, not {unit}s {first_page} to {last_page}.",
        "Nothing was attached.",
        cases={
            "one": "{name} has only {has}, not {unit} {first_page}.",
            "open": "{name} has only {has}, not {units} from {first_page} on.",
        },
    )

    @property
    def case(self) -> str:
        return "one" if self.last_page == self.first_page else "" if self.last_page else "open"

    @property
    def values(self) -> dict[str, Any]:
        names = {"unit": unit_name(self.unit), "units": unit_name(self.unit, is_plural=True)}
        return super().values | names | {"has": count_units(self.unit, self.pages)}


class DocumentLocked(EnvironmentProblem):
    """`is_wrong`: a password was given and is not the right one."""

    path: str
    is_wrong: bool
    message = ErrorText(
        "{name} needs a password.", case_of="is_wrong", cases={"True": "Wrong password for {name}. Try again."}
    )


class DocumentTooDemanding(EnvironmentProblem):
    """`limit` is what it would have gone beyond: memory or time."""

    path: str
    limit: str
    message = ErrorText(
        "{name} couldn’t be read.",
        "Nothing was attached.",
        case_of="limit",
        cases={"memory": "{name} needs too much memory to read.", "time": "{name} took too long to read."},
    )


class DocumentReaderFailed(EnvironmentProblem):
    """`exit_code` is negative for a signal (POSIX); `detail` is the end of the child's output."""

    path: str
    exit_code: int
    detail: str
    message = ErrorText("Couldn’t read {name}: the document reader crashed.", "Other files aren’t affected.")


class DocumentGone(EnvironmentProblem):
    name: str
    message = ErrorText("The text of {name} is missing. Add the file again.", "Other documents aren’t affected.")
