"""Everything that can go wrong: one class a situation, its parameters as fields, with what a person is told of it.

They cross the wires as name and fields, see `to_fields` and `from_fields`. `app.features.error_messages` fills the
templates in, where they are shown.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any, ClassVar, dataclass_transform

_UNKNOWN_ARCHITECTURE = re.compile(r"unknown model architecture: '([^'\n]{1,40})'")  # in llama.cpp's words
_FILE_CASES = {
    "missing": "The file {name} doesn’t exist.",
    "denied": "You don’t have permission to read {name}.",
    "not_a_file": "{name} can’t be read.",
}
_HOST_CASES = {
    "timeout": "{host} didn’t respond in time.",
    "proxy": "The proxy in front of {host} refused the connection.",
    "server": "{host} has a problem right now.",
    "garbage": "{host} sent an invalid answer.",
}
_IWORK = {".pages": ("Pages", ".docx"), ".key": ("Keynote", ".pptx"), ".numbers": ("Numbers", ".xlsx")}


@dataclass(frozen=True)
class ErrorText:
    """Templates of what a person is told: what happened, what was kept, and the name of the one thing to do.

    Their `{names}` are an error's `values`. `cases` and `kept_in` say it otherwise for some values of the field
    `case_of`.

    `action` names a button: open_model, new_chat, retry, settings, network, servers, models, storage, open_folder,
    put_back, end, or "".
    """

    text: str
    kept: str = ""
    action: str = ""
    case_of: str = "reason"
    cases: dict[str, str] = field(default_factory=dict)
    actions: dict[str, str] = field(default_factory=dict)
    kept_in: dict[str, str] = field(default_factory=dict)


@dataclass_transform(eq_default=False)
class AppError(Exception):
    """An error to show to the user. Subclasses become dataclasses by themselves; treat them as frozen."""

    message: ClassVar[ErrorText]

    @property
    def case(self) -> str:
        """Key of the message's `cases`."""
        return str(getattr(self, self.message.case_of, ""))

    @property
    def values(self) -> dict[str, Any]:
        """Values of the message's templates: the fields, and the path's file as `name`."""
        fields = to_fields(self)
        return {"name": file_name(fields["path"])} | fields if "path" in fields else fields

    # As dataclasses, so that they cross the wire by their fields; equal by identity, as exceptions are.
    def __init_subclass__(cls) -> None:
        dataclass(eq=False)(cls)

    def __str__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in to_fields(self).items())})"


class EnvironmentProblem(AppError):
    """Not a defect: the machine, a file or the person can change it."""


class Bug(AppError):
    """A defect in Fireside itself: its details are for whoever mends it."""


class ModelMissing(EnvironmentProblem):
    path: str
    message = ErrorText("The file {name} doesn’t exist.", action="open_model")


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
        cases={"unknown": "This version of {app} doesn’t support {name} ({architecture})."},
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
    kind that llama.cpp does not know), no_memory. `model` is the file it was to go with.
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
        },
    )

    @property
    def values(self) -> dict[str, Any]:
        return super().values | {"model_name": file_name(self.model)}


class MediaRefused(EnvironmentProblem):
    """`reason` is one of: missing, damaged, blind (the model sees no pictures), deaf (it hears nothing), unfit (its
    encoder does not take it), failed (its encoder computed no numbers). `kind` is picture or sound.
    """

    path: str
    kind: str
    reason: str
    message = ErrorText(
        "The {kind} couldn’t be sent to the model.",
        "Your message was kept.",
        cases={
            "missing": "The {kind} is missing.",
            "damaged": "The {kind} is damaged, so it wasn’t sent to the model.",
            "blind": "The loaded model can’t see pictures. Choose one that can.",
            "deaf": "The loaded model can’t hear. Choose one that can, such as Gemma 4 E2B.",
            "unfit": "The loaded model can’t use this {kind}.",
            "failed": "The model couldn’t process this {kind}.",
        },
        actions={"blind": "models", "deaf": "models"},
    )


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


class GrammarInvalid(EnvironmentProblem):
    detail: str
    message = ErrorText("The requested format can’t be used because its grammar isn’t valid.")


class ChatUnavailable(EnvironmentProblem):
    path: str
    message = ErrorText(
        "{name} has no chat template, so it can’t chat. It can continue text in Write or with “fireside complete”.",
        action="open_model",
    )


class TokenUnknown(EnvironmentProblem):
    token: int
    vocabulary: int
    message = ErrorText("The model has no token {token}. Use 0 to {last:,}.")

    @property
    def values(self) -> dict[str, Any]:
        return super().values | {"last": self.vocabulary - 1}


class InfillUnavailable(EnvironmentProblem):
    path: str
    message = ErrorText(
        "{name} can continue a text but can’t fill in the middle.", "Your text was kept. Try a model made for code."
    )


class EmbeddingsUnavailable(EnvironmentProblem):
    """`instead` names installed models that turn texts into vectors."""

    path: str
    instead: tuple[str, ...] = ()
    message = ErrorText(
        "{name} isn’t an embedding model, and this computer has none.",
        cases={"others": "{name} isn’t an embedding model. Use {others}."},
    )

    @property
    def case(self) -> str:
        return "others" if self.instead else ""

    @property
    def values(self) -> dict[str, Any]:
        return super().values | {"others": " or ".join(self.instead)}


class CheckingUnavailable(EnvironmentProblem):
    path: str
    message = ErrorText("{name} isn’t a claim checker.", "Nothing was marked. Try LettuceDetect or TinyLettuce.")


class TooLongToInspect(EnvironmentProblem):
    tokens: int
    most: int
    message = ErrorText("This text has {tokens:,} tokens; {most:,} can be shown at once.", "Try a shorter part of it.")


class ModelNotInspectable(EnvironmentProblem):
    """`what` was asked for: attention, layers or probabilities."""

    path: str
    what: str
    message = ErrorText(
        "{name} can’t show its {what}, because models of this kind don’t provide it.", "Everything else is available."
    )


class TemplateFailed(EnvironmentProblem):
    path: str
    detail: str
    message = ErrorText("The chat template in {name} failed.", "Your message was kept.", "open_model")


class PromptTooLong(EnvironmentProblem):
    prompt_tokens: int
    context_tokens: int
    message = ErrorText(
        "This needs {prompt_tokens:,} tokens, but the model’s context holds {context_tokens:,}.",
        "Nothing was left out.",
        "new_chat",
    )


class ContextLimited(PromptTooLong):
    """`limit` is what keeps the context from being as large as it had to be: model, memory, or settings.

    `largest_tokens` is the largest that this model may have here.
    """

    limit: str
    largest_tokens: int
    message = ErrorText(
        "This needs {prompt_tokens:,} tokens, and the largest context here is {largest_tokens:,}.",
        "Nothing was left out.",
        "new_chat",
    )


class EngineStopped(EnvironmentProblem):
    """`exit_code` is negative for a signal (POSIX), None when the child hung and was ended."""

    exit_code: int | None
    detail: str
    message = ErrorText(
        "The engine stopped unexpectedly.",
        "The text so far was kept, and the engine is restarting.",
        "retry",
        case_of="exit_code",
        cases={"None": "The engine stopped responding and was closed."},
    )


class MachineLost(EnvironmentProblem):
    """`addresses` are all RPC workers that held parts of the model: llama.cpp doesn't say which one is gone."""

    addresses: tuple[str, ...]
    detail: str
    message = ErrorText(
        "Another computer, which held part of the model, stopped responding.",
        "The text so far was kept. Trying again loads the model without it.",
        "retry",
        cases={
            "one": "{computers}, which held part of the model, stopped responding.",
            "many": "One of {computers}, which held parts of the model, stopped responding.",
        },
    )

    @property
    def case(self) -> str:
        return "many" if len(self.addresses) > 1 else "one" if self.addresses else ""

    @property
    def values(self) -> dict[str, Any]:
        return super().values | {"computers": ", ".join(self.addresses)}


class MachineUnusable(EnvironmentProblem):
    """`reason`: address (not usable), name (unknown), public (not in a private network), refused (nothing listens),
    silent, busy (accepts but doesn't answer), other (something else answers), version, no_rpc (this build of the engine
    has none).
    """

    address: str
    reason: str
    message = ErrorText(
        "{address} can’t be used.",
        cases={
            "address": "{address} isn’t an address. Write it like 192.168.1.7:50052, or as name:50052.",
            "name": "No computer found with the name in {address}.",
            "public": "{address} isn’t in a private network, so anyone could use the memory lent there.",
            "refused": "Nothing is running at {address}. Start “fireside lend” there.",
            "silent": "{address} doesn’t respond. Is that computer on and in this network?",
            "busy": "{address} accepts connections but doesn’t respond. Another program may be using it.",
            "other": "{address} isn’t running “fireside lend”.",
            "version": "{address} runs another version. Install the same {app} on both computers.",
            "no_rpc": "This build of {app} can’t use {address}.",
        },
    )


class EngineNotBuilt(EnvironmentProblem):
    log: str
    message = ErrorText(
        "The engine couldn’t be built, so no model can answer.",
        "The reason is at the end of {log}. Documents can still be read and searched.",
    )


class EngineCrashesRepeatedly(EnvironmentProblem):
    times: int
    detail: str
    message = ErrorText(
        "The engine stopped {times} times in a row with this model.", "Your chats were kept.", "open_model"
    )


class NetworkOff(EnvironmentProblem):
    message = ErrorText(
        "The network is switched off, so nothing is sent.", "Models on this computer still work.", "network"
    )


class HubUnreachable(EnvironmentProblem):
    """`reason`: offline (no name, no route), refused, timeout, tls, proxy, server (5xx), garbage or captive_portal."""

    host: str
    reason: str
    message = ErrorText(
        "Can’t reach {host}.",
        "Models on this computer still work.",
        "retry",
        cases=_HOST_CASES
        | {
            "offline": "Can’t reach {host}. This computer seems to be offline.",
            "refused": "{host} isn’t accepting connections.",
            "tls": "The connection to {host} isn’t secure: its certificate isn’t valid.",
            "captive_portal": "Something is answering instead of {host}, such as a Wi-Fi sign-in page.",
        },
        actions={"proxy": "network", "tls": "network"},
    )


class HubBusy(EnvironmentProblem):
    """`wait_s` is what the Hub asked for, 0 where it did not say."""

    host: str
    wait_s: int
    message = ErrorText(
        "{host} received too many requests. Please try again in {wait_s} seconds.",
        action="retry",
        case_of="wait_s",
        cases={"0": "{host} received too many requests. Please try again in a few minutes."},
    )


class ReleaseRefused(EnvironmentProblem):
    """`reason`: missing, too_long, signature, unreadable or replayed (older than one that was believed before)."""

    host: str
    reason: str
    message = ErrorText(
        "The answer from {host} about releases can’t be trusted, so it was ignored.",
        "This {app} wasn’t changed.",
        "retry",
        cases={
            "missing": "{host} has no information about releases.",
            "too_long": "The answer from {host} is too long to be about a release.",
            "signature": "The answer from {host} isn’t signed by the makers of {app}, so it was ignored.",
            "unreadable": "The answer from {host} is in a form this version of {app} can’t read.",
            "replayed": "The answer from {host} is older than its last one, so it was ignored.",
        },
    )


class RepositoryMissing(EnvironmentProblem):
    repo: str
    message = ErrorText("The repository {repo} doesn’t exist on the Hub, or it’s private.", "Check the name.")


class FileNotOnHub(EnvironmentProblem):
    repo: str
    file: str
    message = ErrorText("{repo} doesn’t have the file {file}.", "Choose a different file.")


class AccessGated(EnvironmentProblem):
    """`has_token`: whether a token was sent; then consent is still missing on the repository's page."""

    repo: str
    has_token: bool
    message = ErrorText(
        "{repo} needs your consent on its page on the Hub, then your access token.",
        action="network",
        case_of="has_token",
        cases={"True": "The owner of {repo} hasn’t given you access yet. Ask for it on its page on the Hub."},
        actions={"True": ""},
    )


class TokenRefused(EnvironmentProblem):
    message = ErrorText("The Hub doesn’t accept the access token.", action="network")


class TokenNotKept(EnvironmentProblem):
    message = ErrorText("This system has no keyring for the access token.", "It will be used until you quit.")


class CertificateUnreadable(EnvironmentProblem):
    """The chosen file holds no certificate, or more than a server needs."""

    path: str
    message = ErrorText("No readable certificate found in {name}.", "Choose a file such as ca.pem or ca.crt.")


class NotEnoughDisk(EnvironmentProblem):
    """`path` is the folder; `needed_bytes` includes the reserve that stays free."""

    path: str
    needed_bytes: int
    free_bytes: int
    message = ErrorText(
        "This needs {needed_bytes} on the disk, but only {free_bytes} are free.",
        "The download so far was kept.",
        "storage",
    )


class DownloadDamaged(EnvironmentProblem):
    file: str
    message = ErrorText(
        "{file} arrived damaged twice: it doesn’t match the Hub’s checksum.", "The damaged file was removed.", "retry"
    )


class DownloadFailed(EnvironmentProblem):
    file: str
    detail: str
    message = ErrorText("{file} couldn’t be downloaded.", "The download so far was kept.", "retry")


class DownloadRunning(EnvironmentProblem):
    file: str
    message = ErrorText("Another {app} is already downloading {file}.")


class KeyFileUnreadable(EnvironmentProblem):
    path: str
    detail: str
    message = ErrorText("{name} has no key for the server: {detail}.", "Nothing was started.")


class PortTaken(EnvironmentProblem):
    host: str
    port: int
    detail: str
    message = ErrorText("The server can’t use {host}, port {port}: {detail}.", "Choose another port.")


class ServerUnreachable(EnvironmentProblem):
    """`host` includes the port. `reason`: offline (no name, no route), refused, timeout, proxy, server (5xx), garbage,
    tls (no secure connection), certificate (issuer unknown), certificate_name (another host's), certificate_date, html
    (a web page), moved (redirects), not_a_server (nothing of the kind there), broken (ended midway).
    """

    host: str
    reason: str
    message = ErrorText(
        "Can’t reach {host}.",
        "The answer so far was kept.",
        "retry",
        cases=_HOST_CASES
        | {
            "offline": "Can’t reach {host}. The name wasn’t found, or this computer is offline.",
            "refused": "{host} isn’t accepting connections. Is the server running?",
            "tls": "Couldn’t connect securely to {host}. If it doesn’t use encryption, start its address with http://.",
            "certificate": "This computer doesn’t trust the certificate of {host}. If you do, choose its certificate "
            "authority in the server’s settings.",
            "certificate_name": "The certificate of {host} is for another name. Use that name as the address.",
            "certificate_date": "The certificate of {host} has expired or isn’t valid yet. It must be renewed on the "
            "server.",
            "html": "{host} answered with a web page, not as a model server. Is the address right?",
            "moved": "{host} redirects to another address. Nothing was sent there.",
            "not_a_server": "No model server at this address of {host}. The address often ends in /v1.",
            "broken": "The connection to {host} was lost.",
        },
        actions={"proxy": "network"}
        | dict.fromkeys(("tls", "certificate", "certificate_name", "html", "moved", "not_a_server"), "servers"),
    )


class ServerBusy(EnvironmentProblem):
    """`wait_s` is what it asked for, 0 where it did not say."""

    host: str
    wait_s: int
    message = ErrorText(
        "{host} isn’t taking more requests now. Please try again in {wait_s} seconds.",
        "The answer so far was kept.",
        "retry",
        case_of="wait_s",
        cases={"0": "{host} isn’t taking more requests now. Please try again in a few minutes."},
    )


class ServerKeyRefused(EnvironmentProblem):
    """`has_key`: whether a key was sent; then it is another one that is wanted."""

    host: str
    has_key: bool
    message = ErrorText(
        "{host} needs a key.",
        "The answer so far was kept.",
        "servers",
        case_of="has_key",
        cases={"True": "{host} doesn’t accept the key."},
    )


class ServerLacksModel(EnvironmentProblem):
    host: str
    model: str
    message = ErrorText("{host} doesn’t have the model {model}.", "The answer so far was kept.", "servers")


class ServerRefused(EnvironmentProblem):
    """`detail` is the server's message, shortened to one line."""

    host: str
    detail: str
    message = ErrorText(
        "{host} refused this: “{detail}”.",
        "The answer so far was kept.",
        "retry",
        case_of="detail",
        cases={"": "{host} refused this."},
    )


class NotOffered(EnvironmentProblem):
    """`what` was asked for: probabilities, inside or infill."""

    host: str
    what: str
    message = ErrorText(
        "{host} doesn’t offer this.",
        "Use a model on this computer instead.",
        case_of="what",
        cases={
            "probabilities": "{host} doesn’t report how likely each word was.",
            "inside": "You can’t look inside a model that runs on {host}.",
            "pictures": "{host} only accepts text.",
            "infill": "{host} can continue a text but can’t fill in the middle.",
        },
    )


class DocumentStaysHere(EnvironmentProblem):
    host: str
    name: str
    message = ErrorText("{name} wasn’t sent to {host}.", "It stayed on this computer.", "open_model")


class ModelNotLoaded(EnvironmentProblem):
    name: str
    message = ErrorText("{name} is on this computer, but another model is loaded.", "Choose it in the {app} window.")


class ModelNotInstalled(EnvironmentProblem):
    name: str
    message = ErrorText("No model here is called {name}.")


class ModelNotOurs(EnvironmentProblem):
    path: str
    message = ErrorText("{name} belongs to another program, so its file wasn’t moved or deleted.")


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
        cases=_FILE_CASES
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
            "open": "{name} has only {has}, not {unit}s from {first_page} on.",
        },
    )

    @property
    def case(self) -> str:
        return "one" if self.last_page == self.first_page else "" if self.last_page else "open"

    @property
    def values(self) -> dict[str, Any]:
        unit = self.unit or "page"
        return super().values | {"unit": unit, "has": f"{self.pages:,} {unit}{'' if self.pages == 1 else 's'}"}


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
        cases=_FILE_CASES
        | {
            "not_text": "{name} isn’t plain text.",
            "too_large": "{name} is too long. A page holds up to {most_bytes}.",
        },
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
        cases=_FILE_CASES
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


class BackupUnreadable(EnvironmentProblem):
    """`reason`: missing, denied, not_a_file, unknown (no backup of ours), newer, older, damaged,
    altered."""

    path: str
    reason: str
    message = ErrorText(
        "{name} couldn’t be read.",
        "Nothing here was changed.",
        cases=_FILE_CASES
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


class TargetIsSource(EnvironmentProblem):
    path: str
    message = ErrorText("{name} is the document being translated. Choose another name.", "Nothing was changed.")


class TargetIsOpen(EnvironmentProblem):
    path: str
    message = ErrorText(
        "{name} is open in another program. Close it there or choose another name.", "Nothing was changed."
    )


class NameTooLong(EnvironmentProblem):
    path: str
    message = ErrorText(
        "The name {beginning}… is too long for this disk. Choose a shorter one.", "Nothing was changed."
    )

    @property
    def values(self) -> dict[str, Any]:
        return super().values | {"beginning": file_name(self.path)[:40]}


class FolderNotWritable(EnvironmentProblem):
    path: str
    message = ErrorText(
        "{app} doesn’t have permission to write to {path}.", "Everything saved before is still there.", "open_folder"
    )


class DiskFull(EnvironmentProblem):
    path: str
    message = ErrorText(
        "The disk is full, so nothing more can be saved.", "Everything saved before is still there.", "open_folder"
    )


class DatabaseNewer(EnvironmentProblem):
    path: str
    found_version: int
    known_version: int
    message = ErrorText(
        "Your chats were last saved by a newer version of {app}.",
        "They weren’t changed. Please install the newer version.",
    )


class DatabaseOlder(EnvironmentProblem):
    path: str
    found_version: int
    oldest_version: int
    message = ErrorText(
        "Your chats were last saved by a test version of {app} that this version can’t read.",
        "They weren’t changed. Please install the older version.",
    )


class DatabaseAltered(EnvironmentProblem):
    path: str
    message = ErrorText(
        "Your chats can’t be opened: {name} isn’t a {app} database.", "Nothing was changed or deleted.", "open_folder"
    )


class DatabaseDamaged(EnvironmentProblem):
    path: str
    message = ErrorText(
        "The file with your chats is damaged.",
        "Nothing was deleted. Restart {app}: it keeps the damaged file and starts a new one.",
        "open_folder",
    )


class MigrationFailed(Bug):
    """`to_version` is the schema that the failing step would have made."""

    path: str
    to_version: int
    detail: str
    message = ErrorText(
        "This version of {app} couldn’t upgrade your chats. This is a bug in {app}.",
        "They weren’t changed, and the previous version can still open them.",
        "open_folder",
    )


class ProtocolViolation(Bug):
    detail: str
    message = ErrorText(
        "The engine sent something unexpected. This is a bug in {app}.", "The text so far was kept.", "retry"
    )


UNUSABLE_DATABASE = (DatabaseNewer, DatabaseOlder, DatabaseAltered, DatabaseDamaged, MigrationFailed)
"""Problems of the data itself: what was there before a restored backup may be intact."""


def file_name(path: str) -> str:
    """Return the last part of a path, or all of one that has none."""
    return PurePath(path).name or path


def every_error() -> list[type[AppError]]:
    """Return all concrete situations, for tests and for the wire."""
    found: list[type[AppError]] = []
    open_classes: list[type[AppError]] = [AppError]
    while open_classes:
        for child in open_classes.pop().__subclasses__():
            # Walked and not listed, so that a new class is known to the wire by itself.
            open_classes.append(child)
            if child not in (EnvironmentProblem, Bug):
                found.append(child)
    return sorted(found, key=lambda cls: cls.__name__)


def to_fields(error: AppError) -> dict[str, Any]:
    if not dataclasses.is_dataclass(error):
        return {}
    return {field.name: getattr(error, field.name) for field in dataclasses.fields(error)}


def from_fields(name: str, fields: dict[str, Any]) -> AppError:
    """Return the situation called `name`; an unknown name or wrong fields become a `ProtocolViolation`."""
    for cls in every_error():
        if cls.__name__ == name:
            try:
                return cls(**fields)
            # A field too many or too few: the other side is of another version.
            except TypeError:
                break
    return ProtocolViolation(f"unknown error {name!r} with {fields!r}"[:200])  # cut, as a stranger may have sent it
