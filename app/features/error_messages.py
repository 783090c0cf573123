"""Every error in the user's words: what happened, what was kept, one thing to do.

The window translates these, the terminal prints them. `core.errors` has the errors as classes; a test checks that
each has a sentence here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from app import APP_NAME
from app.core import errors
from app.core.visible import size_words, visible_name

if TYPE_CHECKING:
    from app.documents.source import PageRead, ReadingRemark
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


_UNREADABLE = {
    "empty": "The file {name} is empty.",
    "not_gguf": "{name} isn’t a GGUF model.",
    "truncated": "{name} is incomplete. Try downloading or copying it again.",
    "vocabulary_only": "{name} has only a vocabulary, not a model.",
    "projector": "{name} is a vision file for another model. It can’t answer on its own.",
    "damaged": "{name} is damaged: its header is invalid.",
    "newer_format": "{name} is in a newer format than this version of " + APP_NAME + " can read.",
    "not_a_checker": "{name} isn’t a claim checker: its config.json names another kind of model.",
    "not_a_file": "{name} is a folder, not a model file.",
    "denied": "You don’t have permission to read {name}.",
}


_UNKNOWN_ARCHITECTURE = re.compile(r"unknown model architecture: '([^'\n]{1,40})'")  # in llama.cpp's words


def _file_name(path: str) -> str:
    return PurePath(path).name or path


def _model_unreadable(error: errors.ModelUnreadable) -> PersonMessage:
    text = _UNREADABLE.get(error.reason, "{name} can’t be read.")
    return PersonMessage(text.format(name=_file_name(error.path)), action="open_model")


def _load_failed(error: errors.ModelLoadFailed) -> PersonMessage:
    unknown = _UNKNOWN_ARCHITECTURE.search(error.detail)
    if unknown:
        text = f"This version of {APP_NAME} doesn’t support {_file_name(error.path)} ({unknown[1]})."
        return PersonMessage(text, action="open_model")
    return PersonMessage(
        f"{_file_name(error.path)} couldn’t be loaded. It may need more free memory or a newer {APP_NAME}.",
        action="open_model",
    )


_PROJECTOR_REFUSED = {
    "missing": "{model} needs the file {name} to see, but it’s missing.",
    "not_a_projector": "{name} isn’t a vision or audio file for a model.",
    "truncated": "{name}, which {model} needs to see, is incomplete.",
    "damaged": "{name}, which {model} needs to see, is damaged.",
    "other_model": "{name} was made for another model and doesn’t work with {model}.",
    "unknown": "This version of " + APP_NAME + " doesn’t support {name}, which {model} needs to see.",
    "no_memory": "Not enough memory for {name}, which {model} needs to see.",
}


def projector_refused(error: errors.ProjectorRefused) -> PersonMessage:
    """Explain why a projector wasn't loaded, and that the model works without it."""
    text = _PROJECTOR_REFUSED.get(error.reason, "{name}, which {model} needs to see, couldn’t be loaded.")
    kept = "The model still works with text."
    return PersonMessage(text.format(name=_file_name(error.path), model=_file_name(error.model)), kept, "models")


_MEDIA_REFUSED = {
    "missing": "The {kind} is missing.",
    "damaged": "The {kind} is damaged, so it wasn’t sent to the model.",
    "blind": "The loaded model can’t see pictures. Choose one that can.",
    "deaf": "The loaded model can’t hear. Choose one that can, such as Gemma 4 E2B.",
    "unfit": "The loaded model can’t use this {kind}.",
    "failed": "The model couldn’t process this {kind}.",
}


def _media_refused(error: errors.MediaRefused) -> PersonMessage:
    text = _MEDIA_REFUSED.get(error.reason, "The {kind} couldn’t be sent to the model.")
    action = "models" if error.reason in ("blind", "deaf") else ""
    return PersonMessage(text.format(kind=error.kind), "Your message was kept.", action)


def _engine_stopped(error: errors.EngineStopped) -> PersonMessage:
    what = "stopped responding and was closed" if error.exit_code is None else "stopped unexpectedly"
    return PersonMessage(f"The engine {what}.", "The text so far was kept, and the engine is restarting.", "retry")


def _machine_lost(error: errors.MachineLost) -> PersonMessage:
    who = error.addresses[0] if error.addresses else "Another computer"
    text = f"{who}, which held part of the model, stopped responding."
    if len(error.addresses) > 1:
        text = f"One of {', '.join(error.addresses)}, which held parts of the model, stopped responding."
    return PersonMessage(
        text,
        "The text so far was kept. Trying again loads the model without it.",
        "retry",
    )


_MACHINE_UNUSABLE = {
    "address": "{address} isn’t an address. Write it like 192.168.1.7:50052, or as name:50052.",
    "name": "No computer found with the name in {address}.",
    "public": "{address} isn’t in a private network, so anyone could use the memory lent there.",
    "refused": "Nothing is running at {address}. Start “fireside lend” there.",
    "silent": "{address} doesn’t respond. Is that computer on and in this network?",
    "busy": "{address} accepts connections but doesn’t respond. Another program may be using it.",
    "other": "{address} isn’t running “fireside lend”.",
    "version": "{address} runs another version. Install the same {app} on both computers.",
    "no_rpc": "This build of {app} can’t use {address}.",
}


def _machine_unusable(error: errors.MachineUnusable) -> PersonMessage:
    text = _MACHINE_UNUSABLE.get(error.reason, "{address} can’t be used.")
    return PersonMessage(text.format(address=error.address, app=APP_NAME))


_UNREACHABLE = {
    "offline": "Can’t reach {host}. This computer seems to be offline.",
    "refused": "{host} isn’t accepting connections.",
    "timeout": "{host} didn’t respond in time.",
    "tls": "The connection to {host} isn’t secure: its certificate isn’t valid.",
    "proxy": "The proxy in front of {host} refused the connection.",
    "server": "{host} has a problem right now.",
    "garbage": "{host} sent an invalid answer.",
    "captive_portal": "Something is answering instead of {host}, such as a Wi-Fi sign-in page.",
}


def _unreachable_message(error: errors.HubUnreachable) -> PersonMessage:
    text = _UNREACHABLE.get(error.reason, "Can’t reach {host}.")
    action = "network" if error.reason in ("proxy", "tls") else "retry"
    return PersonMessage(text.format(host=error.host), "Models on this computer still work.", action)


_RELEASE_REFUSED = {
    "missing": "{host} has no information about releases.",
    "too_long": "The answer from {host} is too long to be about a release.",
    "signature": "The answer from {host} isn’t signed by the makers of {app}, so it was ignored.",
    "unreadable": "The answer from {host} is in a form this version of {app} can’t read.",
    "replayed": "The answer from {host} is older than its last one, so it was ignored.",
}


def _release_refused(error: errors.ReleaseRefused) -> PersonMessage:
    text = _RELEASE_REFUSED.get(
        error.reason, "The answer from {host} about releases can’t be trusted, so it was ignored."
    )
    return PersonMessage(text.format(host=error.host, app=APP_NAME), f"This {APP_NAME} wasn’t changed.", "retry")


def _busy_message(error: errors.HubBusy) -> PersonMessage:
    when = f"in {error.wait_s} seconds" if error.wait_s else "in a few minutes"
    return PersonMessage(f"{error.host} received too many requests. Please try again {when}.", action="retry")


def _gated_message(error: errors.AccessGated) -> PersonMessage:
    if error.has_token:
        return PersonMessage(
            f"The owner of {error.repo} hasn’t given you access yet. Ask for it on its page on the Hub."
        )
    return PersonMessage(
        f"{error.repo} needs your consent on its page on the Hub, then your access token.", action="network"
    )


_SERVER_UNREACHABLE = {
    "offline": "Can’t reach {host}. The name wasn’t found, or this computer is offline.",
    "refused": "{host} isn’t accepting connections. Is the server running?",
    "timeout": "{host} didn’t respond in time.",
    "tls": "Couldn’t connect securely to {host}. If it doesn’t use encryption, start its address with http://.",
    "certificate": "This computer doesn’t trust the certificate of {host}. If you do, choose its certificate authority "
    "in the server’s settings.",
    "certificate_name": "The certificate of {host} is for another name. Use that name as the address.",
    "certificate_date": "The certificate of {host} has expired or isn’t valid yet. It must be renewed on the server.",
    "proxy": "The proxy in front of {host} refused the connection.",
    "server": "{host} has a problem right now.",
    "garbage": "{host} sent an invalid answer.",
    "html": "{host} answered with a web page, not as a model server. Is the address right?",
    "moved": "{host} redirects to another address. Nothing was sent there.",
    "not_a_server": "No model server at this address of {host}. The address often ends in /v1.",
    "broken": "The connection to {host} was lost.",
}


def _server_unreachable(error: errors.ServerUnreachable) -> PersonMessage:
    text = _SERVER_UNREACHABLE.get(error.reason, "Can’t reach {host}.")
    action = "network" if error.reason == "proxy" else "servers" if error.reason in _ADDRESS_PROBLEMS else "retry"
    return PersonMessage(text.format(host=error.host), "The answer so far was kept.", action)


_ADDRESS_PROBLEMS = ("tls", "certificate", "certificate_name", "html", "moved", "not_a_server")


def _server_busy(error: errors.ServerBusy) -> PersonMessage:
    when = f"in {error.wait_s} seconds" if error.wait_s else "in a few minutes"
    text = f"{error.host} isn’t taking more requests now. Please try again {when}."
    return PersonMessage(text, "The answer so far was kept.", "retry")


def _server_key_refused(error: errors.ServerKeyRefused) -> PersonMessage:
    text = f"{error.host} doesn’t accept the key." if error.has_key else f"{error.host} needs a key."
    return PersonMessage(text, "The answer so far was kept.", "servers")


_NOT_OFFERED = {
    "probabilities": "{host} doesn’t report how likely each word was.",
    "inside": "You can’t look inside a model that runs on {host}.",
    "pictures": "{host} only accepts text.",
    "infill": "{host} can continue a text but can’t fill in the middle.",
}


_DOCUMENT_UNREADABLE = {
    "missing": "The file {name} doesn’t exist.",
    "folder": "{name} is a folder. Choose one of the documents in it.",
    "not_a_file": "{name} can’t be read.",
    "denied": "You don’t have permission to read {name}.",
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
}


_IWORK = {".pages": ("Pages", ".docx"), ".key": ("Keynote", ".pptx"), ".numbers": ("Numbers", ".xlsx")}


def _document_unreadable(error: errors.DocumentUnreadable) -> PersonMessage:
    text = _DOCUMENT_UNREADABLE.get(error.reason, "{name} couldn’t be read.")
    program, other = _IWORK.get(PurePath(error.path).suffix.lower(), ("iWork", ".docx"))
    return PersonMessage(
        text.format(name=_file_name(error.path), program=program, other=other), "Nothing was attached."
    )


_PICTURE_UNREADABLE = {
    "not_picture": "{name} isn’t a supported picture.",
    "damaged": "{name} is damaged or incomplete, so it can’t be shown.",
    "too_large": "{name} is larger than 200 MB. Attach a smaller copy.",
    "too_many_pixels": "{name} has {width} × {height} pixels, too many to open. Save it smaller, or as JPEG.",
    "gone": "A picture in this chat is missing, so it wasn’t sent to the model.",
    "heic": "{name} is a HEIC picture, which can’t be opened on this system. Save it as JPEG first.",
}


def _picture_unreadable(error: errors.PictureUnreadable) -> PersonMessage:
    text = _PICTURE_UNREADABLE.get(error.reason, "{name} couldn’t be opened as a picture.")
    text = text.format(name=_file_name(error.path), width=f"{error.width:,}", height=f"{error.height:,}")
    return PersonMessage(text, "It wasn’t attached.")


def _text_file_unreadable(error: errors.TextFileUnreadable) -> PersonMessage:
    name, kept = _file_name(error.path), "Your pages weren’t changed."
    if error.reason == "not_text":
        return PersonMessage(f"{name} isn’t plain text.", "Attach documents such as PDF or DOCX to a chat instead.")
    if error.reason == "too_large":
        most = size_words(error.most_bytes)
        return PersonMessage(f"{name} is too long. A page holds up to {most}.", "You can open part of it.")
    return PersonMessage(_DOCUMENT_UNREADABLE.get(error.reason, "{name} couldn’t be read.").format(name=name), kept)


def _pages_missing(error: errors.DocumentPagesMissing) -> PersonMessage:
    unit, first, last = error.unit or "page", error.first_page, error.last_page
    wanted = (
        f"{unit} {first}" if last == first else f"{unit}s {first} to {last}" if last else f"{unit}s from {first} on"
    )
    has = f"{error.pages:,} {unit}{'' if error.pages == 1 else 's'}"
    return PersonMessage(f"{_file_name(error.path)} has only {has}, not {wanted}.", "Nothing was attached.")


def _document_locked(error: errors.DocumentLocked) -> PersonMessage:
    name = _file_name(error.path)
    return PersonMessage(f"Wrong password for {name}. Try again." if error.is_wrong else f"{name} needs a password.")


def _document_too_demanding(error: errors.DocumentTooDemanding) -> PersonMessage:
    name = _file_name(error.path)
    text = {
        "memory": f"{name} needs too much memory to read.",
        "time": f"{name} took too long to read.",
    }.get(error.limit, f"{name} couldn’t be read.")
    return PersonMessage(text, "Nothing was attached.")


_CHATS_UNREADABLE = {
    "missing": "The file {name} doesn’t exist.",
    "denied": "You don’t have permission to read {name}.",
    "not_a_file": "{name} can’t be read.",
    "empty": "{name} is empty.",
    "unknown": "{name} has no chats from a supported program.",
    "backup": "{name} is a backup. Restore it instead.",
    "newer": "{name} was written by a newer version of " + APP_NAME + ". Please install that version.",
    "damaged": "{name} is damaged and couldn’t be read completely.",
    "protected": "{name} is protected with a password. Unpack it and try again.",
    "inflates": "{name} would unpack to an enormous size, so it wasn’t read completely.",
}


_BACKUP_UNREADABLE = {
    "missing": "The file {name} doesn’t exist.",
    "denied": "You don’t have permission to read {name}.",
    "not_a_file": "{name} can’t be read.",
    "unknown": "{name} isn’t a backup of " + APP_NAME + ".",
    "newer": "{name} was made by a newer version of " + APP_NAME + ". Please install that version.",
    "older": "{name} was made by a test version of " + APP_NAME + " that this version can’t read.",
    "damaged": "{name} is damaged: some of its content has changed.",
    "altered": "{name} can’t be restored: its database isn’t one that " + APP_NAME + " wrote.",
}


def _backup_unreadable(error: errors.BackupUnreadable) -> PersonMessage:
    text = _BACKUP_UNREADABLE.get(error.reason, "{name} couldn’t be read.")
    return PersonMessage(text.format(name=_file_name(error.path)), "Nothing here was changed.")


def _chats_unreadable(error: errors.ChatsUnreadable) -> PersonMessage:
    text = _CHATS_UNREADABLE.get(error.reason, "{name} couldn’t be read.")
    return PersonMessage(text.format(name=_file_name(error.path)), "Your chats weren’t changed.")


_PROMPTS_UNREADABLE = {
    "unknown": "{name} has no prompts that " + APP_NAME + " can import.",
    "newer": "{name} was made by a newer version of " + APP_NAME + ". Please install that version.",
    "damaged": "{name} is damaged and couldn’t be read.",
}


def _prompts_unreadable(error: errors.PromptsUnreadable) -> PersonMessage:
    text = _PROMPTS_UNREADABLE.get(error.reason, "{name} couldn’t be read.")
    return PersonMessage(text.format(name=_file_name(error.path)), "Your prompts weren’t changed.")


_SENTENCES: dict[type[errors.AppError], Callable[[Any], PersonMessage]] = {
    errors.ModelMissing: lambda e: PersonMessage(f"The file {_file_name(e.path)} doesn’t exist.", action="open_model"),
    errors.NoModel: lambda e: PersonMessage("No model is open yet.", "Your message was kept.", "open_model"),
    errors.ModelUnreadable: _model_unreadable,
    errors.ModelDamaged: lambda e: PersonMessage(
        f"The file {_file_name(e.path)} is damaged, so it couldn’t be loaded.",
        "Download or copy it again.",
        "open_model",
    ),
    errors.ModelLoadFailed: _load_failed,
    errors.ModelBroken: lambda e: PersonMessage(
        f"{_file_name(e.path)} can’t answer: its weights are damaged.",
        "The text so far was kept.",
        "open_model",
    ),
    errors.ProjectorRefused: projector_refused,
    errors.MediaRefused: _media_refused,
    errors.ModelTooLarge: lambda e: PersonMessage(
        f"{_file_name(e.path)} is too large for this computer right now: "
        f"it needs {size_words(e.needed_bytes)} of memory, and {size_words(e.free_bytes)} are free.",
        "Nothing was changed. Try a smaller model, or one with fewer bits.",
        "open_model",
    ),
    errors.GrammarInvalid: lambda e: PersonMessage(
        "The requested format can’t be used because its grammar isn’t valid."
    ),
    errors.ModelReplaced: lambda e: PersonMessage(
        "Another model was opened, so this was interrupted.", "Progress so far was kept.", "retry"
    ),
    errors.NoRoomForModel: lambda e: PersonMessage(
        f"{e.wanted} doesn’t fit in memory together with {e.loaded}.", "Progress so far was kept.", "models"
    ),
    errors.ChatUnavailable: lambda e: PersonMessage(
        f"{_file_name(e.path)} has no chat template, so it can’t chat. "
        "It can continue text in Write or with “fireside complete”.",
        action="open_model",
    ),
    errors.EmbeddingsUnavailable: lambda e: PersonMessage(
        f"{_file_name(e.path)} isn’t an embedding model"
        + (f". Use {' or '.join(e.instead)}." if e.instead else ", and this computer has none."),
    ),
    errors.CheckingUnavailable: lambda e: PersonMessage(
        f"{_file_name(e.path)} isn’t a claim checker.",
        "Nothing was marked. Try LettuceDetect or TinyLettuce.",
    ),
    errors.TokenUnknown: lambda e: PersonMessage(f"The model has no token {e.token}. Use 0 to {e.vocabulary - 1:,}."),
    errors.InfillUnavailable: lambda e: PersonMessage(
        f"{_file_name(e.path)} can continue a text but can’t fill in the middle.",
        "Your text was kept. Try a model made for code.",
    ),
    errors.TooLongToInspect: lambda e: PersonMessage(
        f"This text has {e.tokens:,} tokens; {e.most:,} can be shown at once.", "Try a shorter part of it."
    ),
    errors.ModelNotInspectable: lambda e: PersonMessage(
        f"{_file_name(e.path)} can’t show its {e.what}, because models of this kind don’t provide it.",
        "Everything else is available.",
    ),
    errors.TemplateFailed: lambda e: PersonMessage(
        f"The chat template in {_file_name(e.path)} failed.", "Your message was kept.", "open_model"
    ),
    errors.PromptTooLong: lambda e: PersonMessage(
        f"This needs {e.prompt_tokens:,} tokens, but the model’s context holds {e.context_tokens:,}.",
        "Nothing was left out.",
        "new_chat",
    ),
    errors.ContextLimited: lambda e: PersonMessage(
        f"This needs {e.prompt_tokens:,} tokens, and the largest context here is {e.largest_tokens:,}.",
        "Nothing was left out.",
        "new_chat",
    ),
    errors.EngineStopped: _engine_stopped,
    errors.EngineNotBuilt: lambda e: PersonMessage(
        "The engine couldn’t be built, so no model can answer.",
        f"The reason is at the end of {e.log}. Documents can still be read and searched.",
    ),
    errors.EngineCrashesRepeatedly: lambda e: PersonMessage(
        f"The engine stopped {e.times} times in a row with this model.", "Your chats were kept.", "open_model"
    ),
    errors.NetworkOff: lambda e: PersonMessage(
        "The network is switched off, so nothing is sent.", "Models on this computer still work.", "network"
    ),
    errors.HubUnreachable: _unreachable_message,
    errors.HubBusy: _busy_message,
    errors.MicrophoneMissing: lambda e: PersonMessage(
        "Couldn’t open a microphone. Check that one is connected and that programs are allowed to use it."
    ),
    errors.MachineLost: _machine_lost,
    errors.MachineUnusable: _machine_unusable,
    errors.ReleaseRefused: _release_refused,
    errors.RepositoryMissing: lambda e: PersonMessage(
        f"The repository {e.repo} doesn’t exist on the Hub, or it’s private.", "Check the name."
    ),
    errors.FileNotOnHub: lambda e: PersonMessage(
        f"{e.repo} doesn’t have the file {e.file}.", "Choose a different file."
    ),
    errors.AccessGated: _gated_message,
    errors.TokenRefused: lambda e: PersonMessage("The Hub doesn’t accept the access token.", action="network"),
    errors.TokenNotKept: lambda e: PersonMessage(
        "This system has no keyring for the access token.", "It will be used until you quit."
    ),
    errors.CertificateUnreadable: lambda e: PersonMessage(
        f"No readable certificate found in {_file_name(e.path)}.",
        "Choose a file such as ca.pem or ca.crt.",
    ),
    errors.ServerUnreachable: _server_unreachable,
    errors.ServerBusy: _server_busy,
    errors.ServerKeyRefused: _server_key_refused,
    errors.ServerLacksModel: lambda e: PersonMessage(
        f"{e.host} doesn’t have the model {e.model}.", "The answer so far was kept.", "servers"
    ),
    errors.ServerRefused: lambda e: PersonMessage(
        f"{e.host} refused this: “{e.detail}”." if e.detail else f"{e.host} refused this.",
        "The answer so far was kept.",
        "retry",
    ),
    errors.NotOffered: lambda e: PersonMessage(
        _NOT_OFFERED.get(e.what, "{host} doesn’t offer this.").format(host=e.host),
        "Use a model on this computer instead.",
    ),
    errors.DocumentStaysHere: lambda e: PersonMessage(
        f"{e.name} wasn’t sent to {e.host}.", "It stayed on this computer.", "open_model"
    ),
    errors.ModelNotLoaded: lambda e: PersonMessage(
        f"{e.name} is on this computer, but another model is loaded.", f"Choose it in the {APP_NAME} window."
    ),
    errors.KeyFileUnreadable: lambda e: PersonMessage(
        f"{_file_name(e.path)} has no key for the server: {e.detail}.", "Nothing was started."
    ),
    errors.PortTaken: lambda e: PersonMessage(
        f"The server can’t use {e.host}, port {e.port}: {e.detail}.", "Choose another port."
    ),
    errors.NotEnoughDisk: lambda e: PersonMessage(
        f"This needs {size_words(e.needed_bytes)} on the disk, but only {size_words(e.free_bytes)} are free.",
        "The download so far was kept.",
        "storage",
    ),
    errors.DownloadDamaged: lambda e: PersonMessage(
        f"{e.file} arrived damaged twice: it doesn’t match the Hub’s checksum.",
        "The damaged file was removed.",
        "retry",
    ),
    errors.DownloadFailed: lambda e: PersonMessage(
        f"{e.file} couldn’t be downloaded.", "The download so far was kept.", "retry"
    ),
    errors.DownloadRunning: lambda e: PersonMessage(f"Another {APP_NAME} is already downloading {e.file}."),
    errors.ModelNotInstalled: lambda e: PersonMessage(f"No model here is called {e.name}."),
    errors.ModelNotOurs: lambda e: PersonMessage(
        f"{_file_name(e.path)} belongs to another program, so its file wasn’t moved or deleted."
    ),
    errors.DocumentUnreadable: _document_unreadable,
    errors.PictureUnreadable: _picture_unreadable,
    errors.DocumentPagesMissing: _pages_missing,
    errors.DocumentLocked: _document_locked,
    errors.DocumentTooDemanding: _document_too_demanding,
    errors.DocumentReaderFailed: lambda e: PersonMessage(
        f"Couldn’t read {_file_name(e.path)}: the document reader crashed.",
        "Other files aren’t affected.",
    ),
    errors.DocumentGone: lambda e: PersonMessage(
        f"The text of {e.name} is missing. Add the file again.", "Other documents aren’t affected."
    ),
    errors.TextFileUnreadable: _text_file_unreadable,
    errors.BackupUnreadable: _backup_unreadable,
    errors.ChatsUnreadable: _chats_unreadable,
    errors.PromptsUnreadable: _prompts_unreadable,
    errors.NotAligned: lambda e: PersonMessage(
        f"{_file_name(e.source)} has {e.source_parts:,} parts and {_file_name(e.reference)} has {e.reference_parts:,}; "
        "they must match part by part.",
        "Nothing was translated.",
    ),
    errors.TargetIsSource: lambda e: PersonMessage(
        f"{_file_name(e.path)} is the document being translated. Choose another name.", "Nothing was changed."
    ),
    errors.TargetIsOpen: lambda e: PersonMessage(
        f"{_file_name(e.path)} is open in another program. Close it there or choose another name.",
        "Nothing was changed.",
    ),
    errors.NameTooLong: lambda e: PersonMessage(
        f"The name {_file_name(e.path)[:40]}… is too long for this disk. Choose a shorter one.",
        "Nothing was changed.",
    ),
    errors.FolderNotWritable: lambda e: PersonMessage(
        f"{APP_NAME} doesn’t have permission to write to {e.path}.",
        "Everything saved before is still there.",
        "open_folder",
    ),
    errors.DiskFull: lambda e: PersonMessage(
        "The disk is full, so nothing more can be saved.", "Everything saved before is still there.", "open_folder"
    ),
    errors.DatabaseNewer: lambda e: PersonMessage(
        f"Your chats were last saved by a newer version of {APP_NAME}.",
        "They weren’t changed. Please install the newer version.",
    ),
    errors.DatabaseOlder: lambda e: PersonMessage(
        f"Your chats were last saved by a test version of {APP_NAME} that this version can’t read.",
        "They weren’t changed. Please install the older version.",
    ),
    errors.DatabaseAltered: lambda e: PersonMessage(
        f"Your chats can’t be opened: {_file_name(e.path)} isn’t a {APP_NAME} database.",
        "Nothing was changed or deleted.",
        "open_folder",
    ),
    errors.DatabaseDamaged: lambda e: PersonMessage(
        "The file with your chats is damaged.",
        f"Nothing was deleted. Restart {APP_NAME}: it keeps the damaged file and starts a new one.",
        "open_folder",
    ),
    errors.MigrationFailed: lambda e: PersonMessage(
        f"This version of {APP_NAME} couldn’t upgrade your chats. This is a bug in {APP_NAME}.",
        "They weren’t changed, and the previous version can still open them.",
        "open_folder",
    ),
    errors.ProtocolViolation: lambda e: PersonMessage(
        f"The engine sent something unexpected. This is a bug in {APP_NAME}.",
        "The text so far was kept.",
        "retry",
    ),
}


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


def reader_words(method: str, model: str) -> str:
    """Say who read a page (`app.store.document_store.StoredPageReading`), and tesseract's languages."""
    from app.documents.blocks import TESSERACT  # of pages that were read, mostly none
    from app.language.language_names import own_name

    if method != TESSERACT:
        return model_words(model) or method
    names = [own_name(code) for code in model.split("+") if code]
    return f"{method} ({', '.join(names)})" if names else method


# Named in the model's own file after its training, which nobody would recognize.
def sentence_for(error: BaseException) -> PersonMessage:
    """Return the message for any exception; one that isn't an `AppError` is reported as a defect."""
    # The nearest class decides, so a new error is told as its parent until it has words of its own.
    for cls in type(error).__mro__:
        if cls in _SENTENCES:
            sentence = _SENTENCES[cls](error)  # with names from outside
            return replace(sentence, text=visible_name(sentence.text), kept=visible_name(sentence.kept))
    return PersonMessage(f"Something went wrong in {APP_NAME}.", "Your chats were kept.", "")


# What there is to tell of a document that was read, in the person's words: remarks, and which pages have text.


Values = dict[str, str | int]

MOST_NAMED_PAGES = 12


def count_units(unit: str, count: int) -> str:
    """Format a count of pages, slides, sheets or chapters, such as "1 page" or "1,200 slides"."""
    return f"{count:,} {unit or 'page'}{'' if count == 1 else 's'}"


def _counted_sentence(one: str, many: str) -> Callable[[Values], str]:
    """Return a function for the singular sentence, or the plural one with {count}."""
    return lambda v: one if v["count"] == 1 else many.format(count=f"{v['count']:,}")


_REMARKS: dict[str, Callable[[Values], str]] = {
    "really": lambda v: f"This is actually {_format_words(v)}, despite its extension {v['ending']}.",
    "encoding": lambda v: f"Its text was read as {v['encoding']}.",
    "odd_bytes": _counted_sentence(
        "1 byte isn’t valid in this encoding and was replaced.",
        "{count} bytes aren’t valid in this encoding and were replaced.",
    ),
    "damaged_pages": _counted_sentence(
        "1 page is damaged and wasn’t read.", "{count} pages are damaged and weren’t read."
    ),
    "no_recognition": _counted_sentence(
        "1 page is a picture. Install tesseract to read it.",
        "{count} pages are pictures. Install tesseract to read them.",
    ),
    "read_in": lambda v: f"Its pictures were read by {reader_words('tesseract', str(v['languages']))}.",
    "rows_cut": lambda v: f"The sheet {v['sheet']} has {v['rows']:,} rows. Only the first {v['shown']:,} were read.",
    "beside_cells_lost": lambda _: "The file is damaged. Comments, text boxes and long formula results may be missing.",
    "unclear": lambda v: f"{count_units('part', int(v['count']))} of the recording couldn’t be transcribed completely.",
    "hidden": lambda v: f"The {v['unit']} {v['name']} is hidden but was read.",
    "missing_part": lambda v: f"The file is missing its part {v['part']}.",
    "hidden_characters": _counted_sentence(
        "1 hidden character was removed.", "{count} hidden characters were removed."
    ),
    "legacy_font": lambda v: (
        f"Its text reads “{v['read']}”, but its font shows “{v['meant']}”. "
        f"Choose the encoding {v['encoding']} to read what the font shows."
    ),
    "not_read_inside": lambda v: f"The file {v['name']} in it couldn’t be read.",
    "others_inside": _counted_sentence("1 other file in it wasn’t read.", "{count} other files in it weren’t read."),
    "recognized": lambda _: "Text read from a picture may have errors.",
    "no_pages": lambda _: "This file has no pages to choose from, so all of it was read.",
    "fewer_pages": lambda v: f"It has only {count_units(str(v['unit']), int(v['pages']))}, not {v['last']}.",
    "attachment": lambda v: f"The attachment {v['name']} ({size_words(int(v['size_bytes']))}) wasn’t read.",
    "pictures": _counted_sentence("1 picture in it wasn’t read.", "{count} pictures in it weren’t read."),
    "old_format": lambda v: f"This is {_format_words(v)}. If something is missing, save it in a newer format.",
    "long_lines": _counted_sentence("1 very long line was cut off.", "{count} very long lines were cut off."),
    "long_segments": _counted_sentence(
        "1 text is too long to translate at once and was left unchanged.",
        "{count} texts are too long to translate at once and were left unchanged.",
    ),
    "left_blocks": _counted_sentence(
        "1 table, drawing or piece of code was left unchanged.",
        "{count} tables, drawings or pieces of code were left unchanged.",
    ),
    "left_markup": _counted_sentence(
        "1 piece of HTML was left unchanged.",
        "{count} pieces of HTML were left unchanged.",
    ),
    "left_names": _counted_sentence(
        "1 sheet name was left unchanged because formulas use it.",
        "{count} sheet names were left unchanged because formulas use them.",
    ),
    "left_values": _counted_sentence(
        "1 text with its own structure was left unchanged.",
        "{count} texts with their own structure were left unchanged.",
    ),
    "became_utf8": lambda v: f"Saved as UTF-8 because {v['encoding']} lacks some of its letters.",
}
"""For every name that `app.documents.source.ReadingRemark` documents."""


def _format_words(values: dict[str, Any]) -> str:
    from app.documents.formats.registry import words_for  # with what is known of formats: not for every sentence

    return words_for(str(values["format"]))


def remark_sentence(remark: ReadingRemark) -> str:
    return visible_name(_REMARKS[remark.name](remark.values))


def pages_words(unit: str, pages: int, seen: Iterable[PageRead]) -> str:
    """Describe the pages read, such as "46 of 48 pages read;

    7 and 31 are pictures"; "" without pages. `pages` is the document's total; `seen` are those looked at.
    """
    if not pages or not unit:
        return ""
    seen = list(seen)
    read = [page.page for page in seen if page.has_text or page.recognized]
    pictures = [page.page for page in seen if page.is_picture and not page.recognized and not page.has_text]
    empty = [page.page for page in seen if not (page.has_text or page.is_picture or page.recognized)]
    recognized = [page.page for page in seen if page.recognized]
    parts = [
        f"{count_units(unit, pages)} read"
        if len(read) == pages
        else f"{len(read):,} of {count_units(unit, pages)} read"
    ]
    parts += pages_clause(pictures, "{} is a picture", "{} are pictures")
    nothing = {"file": ("{} gave no text",) * 2, "minute": ("no speech in {}",) * 2}
    parts += pages_clause(empty, *nothing.get(unit, ("{} is empty", "{} are empty")))
    parts += pages_clause(recognized, *("the text of {} was recognized in a picture",) * 2)
    return "; ".join(parts)


def pages_clause(pages: Sequence[int], one: str, many: str) -> list[str]:
    """Return a clause such as ["7 and 31 are pictures"], {} being the pages; [] without pages."""
    return [(one if len(pages) == 1 else many).format(_page_numbers(pages))] if pages else []


def _page_numbers(pages: Sequence[int]) -> str:
    """Format as "7", "7 and 31" or "3 to 9, 12 and 15"; after a dozen, only the number of the rest."""
    runs: list[list[int]] = []
    for page in pages:
        if runs and page == runs[-1][-1] + 1:
            runs[-1] = [runs[-1][0], page]
        else:
            runs.append([page])
    words: list[str] = []
    for run in runs:
        # two neighbours read better as themselves
        words += [f"{run[0]} to {run[-1]}"] if run[-1] - run[0] > 1 else [str(page) for page in run]
    if len(words) > MOST_NAMED_PAGES:
        words = [*words[: MOST_NAMED_PAGES - 1], "others"]
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else words[0]


def start_sentences(wrong_settings: Sequence[str], database: Database) -> list[PersonMessage]:
    """Return start-up messages: invalid settings, and what happened to the database."""
    notices: list[PersonMessage] = []
    # In memory only: a full disk, or a start that could not open its file.
    if not database.has_room or database.path == PurePath(":memory:"):
        full, kept = (
            sentence_for(errors.DiskFull("")),
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
