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
    "not_gguf": "{name} is not a GGUF model.",
    "truncated": "{name} is incomplete: the end of the file is missing. Was the download finished?",
    "vocabulary_only": "{name} holds only a vocabulary, no model.",
    "projector": "{name} lets another model see pictures. It is no model that answers by itself.",
    "damaged": "{name} is damaged: its header does not make sense.",
    "newer_format": "{name} is in a format newer than this version of " + APP_NAME + " knows.",
    "not_a_checker": "{name} holds no claim checker: its config.json names another kind of model.",
    "not_a_file": "{name} is a folder, not a model file.",
    "denied": "{name} may not be read: the system refused.",
}


_UNKNOWN_ARCHITECTURE = re.compile(r"unknown model architecture: '([^'\n]{1,40})'")  # in llama.cpp's words


def _file_name(path: str) -> str:
    return PurePath(path).name or path


def _model_unreadable(error: errors.ModelUnreadable) -> PersonMessage:
    text = _UNREADABLE.get(error.reason, "{name} cannot be read.")
    return PersonMessage(text.format(name=_file_name(error.path)), action="open_model")


def _load_failed(error: errors.ModelLoadFailed) -> PersonMessage:
    unknown = _UNKNOWN_ARCHITECTURE.search(error.detail)
    if unknown:
        kind = f"a model of the kind {unknown[1]}"
        text = f"{_file_name(error.path)} is {kind}, which this version of {APP_NAME} does not know."
        return PersonMessage(text, action="open_model")
    return PersonMessage(
        f"{_file_name(error.path)} could not be loaded. It may need more memory than is free, or a newer {APP_NAME}.",
        action="open_model",
    )


_PROJECTOR_REFUSED = {
    "missing": "There is no file {name}, through which {model} sees.",
    "not_a_projector": "{name} is not a file that lets a model see or hear.",
    "truncated": "{name}, through which {model} sees, is incomplete: its end is missing.",
    "damaged": "{name}, through which {model} sees, is damaged.",
    "other_model": "{name} was made for another model: {model} does not understand what it sees.",
    "unknown": "{name} is of a kind that this version of "
    + APP_NAME
    + " does not know, so {model} cannot see with it.",
    "no_memory": "There is not enough memory for {name}, through which {model} sees.",
}


def projector_refused(error: errors.ProjectorRefused) -> PersonMessage:
    """Explain why a projector wasn't loaded, and that the model works without it."""
    text = _PROJECTOR_REFUSED.get(error.reason, "{name}, through which {model} sees, could not be loaded.")
    kept = "Without it the model reads and writes as before."
    return PersonMessage(text.format(name=_file_name(error.path), model=_file_name(error.model)), kept, "models")


_MEDIA_REFUSED = {
    "missing": "The {kind} is not there any more.",
    "damaged": "The {kind} is damaged and could not be shown to the model.",
    "blind": "The model that is open sees no pictures.",
    "deaf": "The model that is open hears no sound. Among those under Models, Gemma 4 E2B does.",
    "unfit": "The model that is open cannot take this {kind}.",
    "failed": "The model's eyes computed no numbers from this {kind}.",
}


def _media_refused(error: errors.MediaRefused) -> PersonMessage:
    text = _MEDIA_REFUSED.get(error.reason, "The {kind} could not be shown to the model.")
    action = "models" if error.reason in ("blind", "deaf") else ""
    return PersonMessage(text.format(kind=error.kind), "Your message was kept.", action)


def _engine_stopped(error: errors.EngineStopped) -> PersonMessage:
    what = "stopped answering and was ended" if error.exit_code is None else "stopped unexpectedly"
    return PersonMessage(f"The engine {what}.", "The text so far was kept, and the engine starts again.", "retry")


def _machine_lost(error: errors.MachineLost) -> PersonMessage:
    who = error.addresses[0] if error.addresses else "Another computer"
    text = f"{who}, which held a part of the model, does not answer any more."
    if len(error.addresses) > 1:
        text = f"One of {', '.join(error.addresses)}, which held parts of the model, does not answer any more."
    return PersonMessage(
        text,
        "The text so far was kept. Next time the model is loaded without a computer that does not answer.",
        "retry",
    )


_MACHINE_UNUSABLE = {
    "address": "{address} is no address. Write it as 192.168.1.7:50052, or as name:50052.",
    "name": "Nobody here knows the name in {address}.",
    "public": "{address} is not in a private network. What is lent there would be open to everybody.",
    "refused": "At {address} nothing listens. Is “fireside lend” running there?",
    "silent": "{address} does not answer. Is that computer on, and in this network?",
    "busy": "{address} takes the call but does not answer: another program may be using it.",
    "other": "What answers at {address} is not “fireside lend”.",
    "version": "{address} speaks another version. Both computers need the same {app}.",
    "no_rpc": "The engine of this {app} was built without what it takes to use {address}.",
}


def _machine_unusable(error: errors.MachineUnusable) -> PersonMessage:
    text = _MACHINE_UNUSABLE.get(error.reason, "{address} cannot be used.")
    return PersonMessage(text.format(address=error.address, app=APP_NAME))


_UNREACHABLE = {
    "offline": "{host} cannot be reached: this computer seems to be offline.",
    "refused": "{host} does not take connections now.",
    "timeout": "{host} did not answer in time.",
    "tls": "The connection to {host} is not secure: its certificate is not valid.",
    "proxy": "The proxy in front of {host} refused the connection.",
    "server": "{host} has a problem of its own now.",
    "garbage": "What {host} answered makes no sense.",
    "captive_portal": "Something between here and {host} answers in its place, as the sign-in page of a hotel does.",
}


def _unreachable_message(error: errors.HubUnreachable) -> PersonMessage:
    text = _UNREACHABLE.get(error.reason, "{host} cannot be reached.")
    action = "network" if error.reason in ("proxy", "tls") else "retry"
    return PersonMessage(text.format(host=error.host), "Models on this computer work without it.", action)


_RELEASE_REFUSED = {
    "missing": "{host} has nothing there that tells of a newest release.",
    "too_long": "What {host} answered is far too long to tell of a release.",
    "signature": "What {host} answered was not signed by the makers of {app}, so it is not believed.",
    "unreadable": "What {host} answered is signed, but in a form that this version of {app} does not read.",
    "replayed": "What {host} answered is older than what it answered before, so it is not believed.",
}


def _release_refused(error: errors.ReleaseRefused) -> PersonMessage:
    text = _RELEASE_REFUSED.get(error.reason, "What {host} answered about the newest release is not believed.")
    return PersonMessage(text.format(host=error.host, app=APP_NAME), f"This {APP_NAME} goes on as it is.", "retry")


def _busy_message(error: errors.HubBusy) -> PersonMessage:
    when = f"in {error.wait_s} seconds" if error.wait_s else "in a few minutes"
    return PersonMessage(f"{error.host} was asked too often. Please try again {when}.", action="retry")


def _gated_message(error: errors.AccessGated) -> PersonMessage:
    if error.has_token:
        return PersonMessage(
            f"The owner of {error.repo} has not given you access yet. Ask for it on its page on the Hub."
        )
    return PersonMessage(
        f"{error.repo} asks for consent on its page on the Hub, and then for your access token.", action="network"
    )


_SERVER_UNREACHABLE = {
    "offline": "{host} cannot be reached: no computer of this name was found, or this one is offline.",
    "refused": "{host} does not take connections now. Is the server running?",
    "timeout": "{host} did not answer in time.",
    "tls": "No secure connection to {host} came about. If it has none, its address begins with http://.",
    "certificate": "Nobody whom this computer knows vouches for {host}. If that is an authority of your own, choose "
    "its certificate in the settings of the server.",
    "certificate_name": "The certificate of {host} is made out to another name. Use that one as the address.",
    "certificate_date": "The certificate of {host} is not valid today. It has to be renewed there.",
    "proxy": "The proxy in front of {host} refused the connection.",
    "server": "{host} has a problem of its own now.",
    "garbage": "What {host} answered makes no sense.",
    "html": "{host} answered with a page for people, not as a server of models. Is the address right?",
    "moved": "{host} says that it has moved to another address. Nothing was sent there.",
    "not_a_server": "There is no server of models at this address of {host}. It often ends in /v1.",
    "broken": "The connection to {host} was lost.",
}


def _server_unreachable(error: errors.ServerUnreachable) -> PersonMessage:
    text = _SERVER_UNREACHABLE.get(error.reason, "{host} cannot be reached.")
    action = "network" if error.reason == "proxy" else "servers" if error.reason in _ADDRESS_PROBLEMS else "retry"
    return PersonMessage(text.format(host=error.host), "The answer so far was kept.", action)


_ADDRESS_PROBLEMS = ("tls", "certificate", "certificate_name", "html", "moved", "not_a_server")


def _server_busy(error: errors.ServerBusy) -> PersonMessage:
    when = f"in {error.wait_s} seconds" if error.wait_s else "in a few minutes"
    text = f"{error.host} takes no more requests now. Please try again {when}."
    return PersonMessage(text, "The answer so far was kept.", "retry")


def _server_key_refused(error: errors.ServerKeyRefused) -> PersonMessage:
    text = f"{error.host} does not accept the key." if error.has_key else f"{error.host} wants a key."
    return PersonMessage(text, "The answer so far was kept.", "servers")


_NOT_OFFERED = {
    "probabilities": "{host} does not tell how likely each word was.",
    "inside": "A model that runs on {host} cannot be looked into from here.",
    "pictures": "{host} is shown text only.",
    "infill": "{host} can go on with a text, but not fill in its middle.",
}


_DOCUMENT_UNREADABLE = {
    "missing": "There is no file {name}.",
    "folder": "{name} is a folder. Choose one of the documents in it.",
    "not_a_file": "{name} is not a file that can be read.",
    "denied": "{name} may not be read: the system refused.",
    "empty": "The file {name} is empty.",
    "no_text": "No text was found in {name}.",
    "not_text": "{name} is not a text document.",
    "damaged": "{name} is damaged and could not be read.",
    "inflates": "{name} unpacks to an unreasonable size, so it was not read.",
    "too_deep": "{name} is too deeply nested to be read.",
    "entities": "{name} declares entities in its XML, as hostile files do, so it was not read.",
    "old_format": "{name} is in an old format. Save it in a newer one (such as .docx) and try that.",
    "iwork": "{name} is a document of Apple's {program}. Save it there, or in LibreOffice, as {other} or PDF.",
    "djvu": "{name} is a DjVu document. Convert it to PDF, for example with the program ddjvu.",
    "picture": "{name} is a picture. Its text can be read where the program tesseract is installed.",
    "pictures": "{name} has pages that are pictures, which are to be read first.",
    "protected": "{name} is protected with a password. Save an unprotected copy and try that.",
    "drm": "{name} has a copy protection, so it cannot be read.",
    "changed": "{name} changed while it was read. Please try again.",
    "not_drawn": "This page of {name} cannot be shown.",
    "not_rewritable": "{name} is of a format in which no translation can be written.",
    "sound": "{name} is a recording. Open a model that hears, and it becomes a text.",
    "not_sound": "{name} is no recording that can be heard here: WAV, FLAC, MP3 and OGG can.",
    "no_speech": "Nothing is said in {name}, or the model does not hear it.",
    "too_long_sound": "{name} is longer than twelve hours, so it was not heard. Cut it, and try the parts.",
    "no_sound_here": "Recordings cannot be heard on this kind of computer: there is nothing that decodes them.",
}


_IWORK = {".pages": ("Pages", ".docx"), ".key": ("Keynote", ".pptx"), ".numbers": ("Numbers", ".xlsx")}


def _document_unreadable(error: errors.DocumentUnreadable) -> PersonMessage:
    text = _DOCUMENT_UNREADABLE.get(error.reason, "{name} could not be read.")
    program, other = _IWORK.get(PurePath(error.path).suffix.lower(), ("iWork", ".docx"))
    return PersonMessage(
        text.format(name=_file_name(error.path), program=program, other=other), "Nothing of it was attached."
    )


_PICTURE_UNREADABLE = {
    "not_picture": "{name} is no picture that is known here, whatever its name says.",
    "damaged": "{name} is damaged or was cut off, so there is no picture to show.",
    "too_large": "{name} is larger than 200 MB. A smaller copy of the picture can be attached.",
    "too_many_pixels": "{name} has {width} × {height} pixels, too many to open. Save it smaller, or as JPEG.",
    "gone": "A picture of this chat is not in the folder of the chats any more, so it cannot be shown to the model.",
    "heic": "{name} is a HEIC picture, which cannot be opened on this system. Save it as JPEG first.",
}


def _picture_unreadable(error: errors.PictureUnreadable) -> PersonMessage:
    text = _PICTURE_UNREADABLE.get(error.reason, "{name} could not be opened as a picture.")
    text = text.format(name=_file_name(error.path), width=f"{error.width:,}", height=f"{error.height:,}")
    return PersonMessage(text, "It was not attached.")


def _text_file_unreadable(error: errors.TextFileUnreadable) -> PersonMessage:
    name, kept = _file_name(error.path), "Your pages are as they were."
    if error.reason == "not_text":
        return PersonMessage(f"{name} is no plain text.", "Documents such as PDF or DOCX can be read in a chat.")
    if error.reason == "too_large":
        most = size_words(error.most_bytes)
        return PersonMessage(f"{name} is too long for a page, which holds {most}.", "A part of it can be opened.")
    return PersonMessage(_DOCUMENT_UNREADABLE.get(error.reason, "{name} could not be read.").format(name=name), kept)


def _pages_missing(error: errors.DocumentPagesMissing) -> PersonMessage:
    unit, first, last = error.unit or "page", error.first_page, error.last_page
    wanted = (
        f"{unit} {first}" if last == first else f"{unit}s {first} to {last}" if last else f"{unit}s from {first} on"
    )
    has = f"{error.pages:,} {unit}{'' if error.pages == 1 else 's'}"
    return PersonMessage(f"{_file_name(error.path)} has {has}; there are no {wanted}.", "Nothing of it was attached.")


def _document_locked(error: errors.DocumentLocked) -> PersonMessage:
    name = _file_name(error.path)
    return PersonMessage(f"Wrong password for {name}. Try again." if error.is_wrong else f"{name} needs a password.")


def _document_too_demanding(error: errors.DocumentTooDemanding) -> PersonMessage:
    name = _file_name(error.path)
    text = {
        "memory": f"{name} could not be read within the memory limit.",
        "time": f"{name} took too long, so reading it was ended.",
    }.get(error.limit, f"{name} could not be read.")
    return PersonMessage(text, "Nothing of it was attached.")


_CHATS_UNREADABLE = {
    "missing": "There is no file {name}.",
    "denied": "{name} may not be read: the system refused.",
    "not_a_file": "{name} is not a file that can be read.",
    "empty": "There is nothing in {name}.",
    "unknown": "{name} holds no chats of a program that is known here.",
    "backup": "{name} is a backup of everything. It can be restored instead.",
    "newer": "{name} was written by a newer version of " + APP_NAME + ". Please install that version.",
    "damaged": "{name} is damaged and could not be read to its end.",
    "protected": "{name} is protected with a password. Unpack it and try that.",
    "inflates": "{name} unpacks to an unreasonable size, so it was not read to its end.",
}


_BACKUP_UNREADABLE = {
    "missing": "There is no file {name}.",
    "denied": "{name} may not be read: the system refused.",
    "not_a_file": "{name} is not a file that can be read.",
    "unknown": "{name} is no backup of " + APP_NAME + ".",
    "newer": "{name} was made by a newer version of " + APP_NAME + ". Please install that version.",
    "damaged": "{name} is damaged: not everything in it is as it was saved.",
    "altered": "{name} can't be restored: its database isn't one that " + APP_NAME + " wrote.",
}


def _backup_unreadable(error: errors.BackupUnreadable) -> PersonMessage:
    text = _BACKUP_UNREADABLE.get(error.reason, "{name} could not be read.")
    return PersonMessage(text.format(name=_file_name(error.path)), "Nothing here was changed.")


def _chats_unreadable(error: errors.ChatsUnreadable) -> PersonMessage:
    text = _CHATS_UNREADABLE.get(error.reason, "{name} could not be read.")
    return PersonMessage(text.format(name=_file_name(error.path)), "The chats that are here were not changed.")


_PROMPTS_UNREADABLE = {
    "unknown": "{name} has no prompts that " + APP_NAME + " knows.",
    "newer": "{name} was made by a newer version of " + APP_NAME + ". Please install that version.",
    "damaged": "{name} is damaged and could not be read.",
}


def _prompts_unreadable(error: errors.PromptsUnreadable) -> PersonMessage:
    text = _PROMPTS_UNREADABLE.get(error.reason, "{name} could not be read.")
    return PersonMessage(text.format(name=_file_name(error.path)), "The prompts that are here were not changed.")


_SENTENCES: dict[type[errors.AppError], Callable[[Any], PersonMessage]] = {
    errors.ModelMissing: lambda e: PersonMessage(f"There is no file {_file_name(e.path)}.", action="open_model"),
    errors.NoModel: lambda e: PersonMessage("No model is open yet.", "Your message was kept.", "open_model"),
    errors.ModelUnreadable: _model_unreadable,
    errors.ModelDamaged: lambda e: PersonMessage(
        f"The file {_file_name(e.path)} is damaged, so it could not be loaded.",
        "Please fetch or copy it again.",
        "open_model",
    ),
    errors.ModelLoadFailed: _load_failed,
    errors.ModelBroken: lambda e: PersonMessage(
        f"{_file_name(e.path)} computes no numbers any more, so it cannot answer: its weights are damaged.",
        "The text so far was kept.",
        "open_model",
    ),
    errors.ProjectorRefused: projector_refused,
    errors.MediaRefused: _media_refused,
    errors.ModelTooLarge: lambda e: PersonMessage(
        f"{_file_name(e.path)} is too large for this computer now: "
        f"it needs {size_words(e.needed_bytes)} of memory, {size_words(e.free_bytes)} are free.",
        "Nothing was changed. A smaller model, or one with fewer bits, would fit.",
        "open_model",
    ),
    errors.GrammarInvalid: lambda e: PersonMessage(
        "The form that was asked for cannot be used: its grammar is not valid."
    ),
    errors.ModelReplaced: lambda e: PersonMessage(
        "Another model was opened, so this was interrupted.", "What was done so far was kept.", "retry"
    ),
    errors.NoRoomForModel: lambda e: PersonMessage(
        f"{e.wanted} has no room in memory beside {e.loaded}.", "What was done so far was kept.", "models"
    ),
    errors.ChatUnavailable: lambda e: PersonMessage(
        f"{_file_name(e.path)} has no chat template, so it does not answer: it continues text, "
        "in Write and with the command complete.",
        action="open_model",
    ),
    errors.EmbeddingsUnavailable: lambda e: PersonMessage(
        f"{_file_name(e.path)} was not made to turn texts into vectors"
        + (f". Ask for {' or '.join(e.instead)}." if e.instead else ", and no model here was."),
    ),
    errors.CheckingUnavailable: lambda e: PersonMessage(
        f"{_file_name(e.path)} was not made to check texts against their sources.",
        "Nothing was marked. LettuceDetect and TinyLettuce are such models.",
    ),
    errors.TokenUnknown: lambda e: PersonMessage(
        f"The model has no token {e.token}: it has {e.vocabulary:,}, from 0 on."
    ),
    errors.InfillUnavailable: lambda e: PersonMessage(
        f"{_file_name(e.path)} can go on with a text, but not fill in its middle.",
        "Your text was kept. Models made for code often can.",
    ),
    errors.TooLongToInspect: lambda e: PersonMessage(
        f"This text has {e.tokens:,} tokens; {e.most:,} can be looked at at once.", "A part of it shows the same."
    ),
    errors.ModelNotInspectable: lambda e: PersonMessage(
        f"{_file_name(e.path)} does not show its {e.what}: models of this kind do not hand that out.",
        "All else that can be looked at is there.",
    ),
    errors.TemplateFailed: lambda e: PersonMessage(
        f"The chat template inside {_file_name(e.path)} failed.", "Your message was kept.", "open_model"
    ),
    errors.PromptTooLong: lambda e: PersonMessage(
        f"This needs {e.prompt_tokens:,} tokens and the model's context holds {e.context_tokens:,}.",
        "Nothing was cut.",
        "new_chat",
    ),
    errors.ContextLimited: lambda e: PersonMessage(
        f"This needs {e.prompt_tokens:,} tokens, and the largest context here is {e.largest_tokens:,}.",
        "Nothing was cut.",
        "new_chat",
    ),
    errors.EngineStopped: _engine_stopped,
    errors.EngineNotBuilt: lambda e: PersonMessage(
        "The engine couldn't be built, so no model can answer.",
        f"The reason is at the end of {e.log}. Documents can still be read and searched.",
    ),
    errors.EngineCrashesRepeatedly: lambda e: PersonMessage(
        f"The engine stopped {e.times} times in a row with this model.", "Your chats were kept.", "open_model"
    ),
    errors.NetworkOff: lambda e: PersonMessage(
        "The network is switched off, so nothing is sent.", "Models on this computer work without it.", "network"
    ),
    errors.HubUnreachable: _unreachable_message,
    errors.HubBusy: _busy_message,
    errors.MicrophoneMissing: lambda e: PersonMessage(
        "No microphone could be opened. Is one plugged in, and may programs use it?"
    ),
    errors.MachineLost: _machine_lost,
    errors.MachineUnusable: _machine_unusable,
    errors.ReleaseRefused: _release_refused,
    errors.RepositoryMissing: lambda e: PersonMessage(
        f"There is no repository {e.repo} on the Hub, or it is private.", "Check the name."
    ),
    errors.FileNotOnHub: lambda e: PersonMessage(f"{e.repo} has no file {e.file} (any more).", "Choose another one."),
    errors.AccessGated: _gated_message,
    errors.TokenRefused: lambda e: PersonMessage("The Hub does not accept the access token.", action="network"),
    errors.TokenNotKept: lambda e: PersonMessage(
        "This system has no keyring to keep the access token in.", "It is used until you quit."
    ),
    errors.CertificateUnreadable: lambda e: PersonMessage(
        f"There is no certificate in {_file_name(e.path)} that could be read.",
        "Choose a file such as ca.pem or ca.crt.",
    ),
    errors.ServerUnreachable: _server_unreachable,
    errors.ServerBusy: _server_busy,
    errors.ServerKeyRefused: _server_key_refused,
    errors.ServerLacksModel: lambda e: PersonMessage(
        f"{e.host} has no model {e.model} (any more).", "The answer so far was kept.", "servers"
    ),
    errors.ServerRefused: lambda e: PersonMessage(
        f"{e.host} refused this: “{e.detail}”." if e.detail else f"{e.host} refused this.",
        "The answer so far was kept.",
        "retry",
    ),
    errors.NotOffered: lambda e: PersonMessage(
        _NOT_OFFERED.get(e.what, "{host} does not offer this.").format(host=e.host),
        "A model on this computer can.",
    ),
    errors.DocumentStaysHere: lambda e: PersonMessage(
        f"{e.name} was not sent to {e.host}.", "Nothing of it left this computer.", "open_model"
    ),
    errors.ModelNotLoaded: lambda e: PersonMessage(
        f"{e.name} is on this computer, but another model is loaded.", "Choose it in Fireside's window."
    ),
    errors.KeyFileUnreadable: lambda e: PersonMessage(
        f"{_file_name(e.path)} holds no key for the server: {e.detail}.", "Nothing was started."
    ),
    errors.PortTaken: lambda e: PersonMessage(
        f"The server cannot listen at {e.host}, port {e.port}: {e.detail}.", "Choose another port."
    ),
    errors.NotEnoughDisk: lambda e: PersonMessage(
        f"This needs {size_words(e.needed_bytes)} on the disk and {size_words(e.free_bytes)} are free.",
        "What was fetched so far is kept.",
        "storage",
    ),
    errors.DownloadDamaged: lambda e: PersonMessage(
        f"{e.file} arrived damaged twice: it is not what the Hub promised.", "The damaged file was removed.", "retry"
    ),
    errors.DownloadFailed: lambda e: PersonMessage(
        f"{e.file} could not be fetched.", "What was fetched so far is kept.", "retry"
    ),
    errors.DownloadRunning: lambda e: PersonMessage(f"Another {APP_NAME} is fetching {e.file} already."),
    errors.ModelNotInstalled: lambda e: PersonMessage(f"No model here is called {e.name}."),
    errors.ModelNotOurs: lambda e: PersonMessage(
        f"{_file_name(e.path)} belongs to another program, so it is not changed.", "It was only left out of the list."
    ),
    errors.DocumentUnreadable: _document_unreadable,
    errors.PictureUnreadable: _picture_unreadable,
    errors.DocumentPagesMissing: _pages_missing,
    errors.DocumentLocked: _document_locked,
    errors.DocumentTooDemanding: _document_too_demanding,
    errors.DocumentReaderFailed: lambda e: PersonMessage(
        f"Reading {_file_name(e.path)} failed: the program that reads documents stopped.",
        "Other files are not affected.",
    ),
    errors.DocumentGone: lambda e: PersonMessage(
        f"The text of {e.name} is not there any more. Please add the file again.", "Other documents are not affected."
    ),
    errors.TextFileUnreadable: _text_file_unreadable,
    errors.BackupUnreadable: _backup_unreadable,
    errors.ChatsUnreadable: _chats_unreadable,
    errors.PromptsUnreadable: _prompts_unreadable,
    errors.NotAligned: lambda e: PersonMessage(
        f"{_file_name(e.source)} has {e.source_parts:,} parts and {_file_name(e.reference)} has {e.reference_parts:,}; "
        "they have to be the same text, part by part.",
        "Nothing was translated.",
    ),
    errors.TargetIsSource: lambda e: PersonMessage(
        f"{_file_name(e.path)} is the document that was translated. Please choose another name.", "Nothing was changed."
    ),
    errors.TargetIsOpen: lambda e: PersonMessage(
        f"{_file_name(e.path)} is open in another program. Please close it there, or choose another name.",
        "Nothing was changed.",
    ),
    errors.NameTooLong: lambda e: PersonMessage(
        f"The name {_file_name(e.path)[:40]}… is too long for this disk. Please choose a shorter one.",
        "Nothing was changed.",
    ),
    errors.FolderNotWritable: lambda e: PersonMessage(
        f"{APP_NAME} may not write to {e.path}.", "What was saved before is still there.", "open_folder"
    ),
    errors.DiskFull: lambda e: PersonMessage(
        "The disk is full, so nothing more can be saved.", "What was saved before is still there.", "open_folder"
    ),
    errors.DatabaseNewer: lambda e: PersonMessage(
        f"Your chats were last saved by a newer version of {APP_NAME}.",
        "They were not changed. Please install the newer version.",
    ),
    errors.DatabaseAltered: lambda e: PersonMessage(
        f"Your chats can't be opened: {_file_name(e.path)} isn't a database that {APP_NAME} wrote.",
        "Nothing was changed or deleted.",
        "open_folder",
    ),
    errors.DatabaseDamaged: lambda e: PersonMessage(
        "The file with your chats is damaged.",
        f"Nothing is deleted. Please start {APP_NAME} again: the file is then kept aside and a new one is used.",
        "open_folder",
    ),
    errors.MigrationFailed: lambda e: PersonMessage(
        f"This version of {APP_NAME} could not take over your chats. This is a defect in {APP_NAME}.",
        "They were not changed, and the version before can still open them.",
        "open_folder",
    ),
    errors.ProtocolViolation: lambda e: PersonMessage(
        f"The engine and {APP_NAME} did not understand each other. This is a defect in {APP_NAME}.",
        "The text so far was kept.",
        "retry",
    ),
}


_SILENT = {
    "engine": PersonMessage(
        "Nothing has been heard from the engine for 10 seconds.",
        "If you end it, the text so far is kept and it starts again.",
        "end",
    ),
    "download": PersonMessage(
        "Nothing has been heard from the download of {name} for 10 seconds.",
        "If you end it, it starts again where it was.",
        "end",
    ),
    "document": PersonMessage(
        "Nothing has been heard for 10 seconds from what works on {name}.", "If you end it, nothing is changed.", "end"
    ),
}


def silence_sentence(work: str, subject: str) -> PersonMessage:
    """Return the message for an unresponsive child; `work` and `subject` as in `app.core.child.Child`."""
    sentence = _SILENT[work]
    return replace(sentence, text=sentence.text.format(name=visible_name(subject)))


UPGRADED = PersonMessage(
    f"{APP_NAME} was upgraded while it was open.", "Please close it and start it again; everything that is here stays."
)
NO_PICTURES = PersonMessage(
    "A picture cannot be added to a message that was sent. Its own pictures stay with it.",
    "Send a new message with the picture.",
)
NO_FILE = PersonMessage(
    "What was dropped is not a file on this computer, so nothing was attached.", "Save it first, then drop the file."
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
    return PersonMessage(f"Something went wrong in {APP_NAME} itself.", "Your chats were kept.", "")


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
    "really": lambda v: f"It is really {_format_words(v)}, whatever the ending {v['ending']} says.",
    "encoding": lambda v: f"Its letters were read as {v['encoding']}.",
    "odd_bytes": _counted_sentence(
        "1 byte means nothing in this encoding and was replaced.",
        "{count} bytes mean nothing in this encoding and were replaced.",
    ),
    "damaged_pages": _counted_sentence(
        "1 page is damaged and was not read.", "{count} pages are damaged and were not read."
    ),
    "no_recognition": _counted_sentence(
        "1 page is a picture; the program tesseract, which could read it, is not installed.",
        "{count} pages are pictures; the program tesseract, which could read them, is not installed.",
    ),
    "read_in": lambda v: f"Its pictures were read by {reader_words('tesseract', str(v['languages']))}.",
    "rows_cut": lambda v: f"The sheet {v['sheet']} has {v['rows']:,} rows; the first {v['shown']:,} were read.",
    "beside_cells_lost": lambda _: "It is damaged: comments, text boxes and long results of formulas may be missing.",
    "unclear": lambda v: f"{count_units('piece', int(v['count']))} of the recording could not be heard to the end.",
    "hidden": lambda v: f"The {v['unit']} {v['name']} is hidden, and was read.",
    "missing_part": lambda v: f"Its part {v['part']} is missing.",
    "hidden_characters": _counted_sentence(
        "1 hidden character was taken out.", "{count} hidden characters were taken out."
    ),
    "legacy_font": lambda v: (
        f"Its letters come out as “{v['read']}” where its font shows “{v['meant']}”; "
        f"choose the encoding {v['encoding']} to read it as it is shown."
    ),
    "not_read_inside": lambda v: f"The file {v['name']} in it could not be read.",
    "others_inside": _counted_sentence("1 other file in it was not read.", "{count} other files in it were not read."),
    "recognized": lambda _: "Text that was read from a picture may have wrong letters.",
    "no_pages": lambda _: "It has no pages to choose from, so all of it was read.",
    "fewer_pages": lambda v: (
        f"It has {count_units(str(v['unit']), int(v['pages']))}; there is no {v['unit']} {v['last']}."
    ),
    "attachment": lambda v: f"The attachment {v['name']} ({size_words(int(v['size_bytes']))}) was not read.",
    "pictures": _counted_sentence("1 picture in it was not read.", "{count} pictures in it were not read."),
    "old_format": lambda v: f"It was read from {_format_words(v)}, a format that is no longer made.",
    "long_lines": _counted_sentence("1 very long line was cut.", "{count} very long lines were cut."),
    "long_segments": _counted_sentence(
        "1 text is too long to be translated as one and was left as it is.",
        "{count} texts are too long to be translated as one and were left as they are.",
    ),
    "left_blocks": _counted_sentence(
        "1 table, drawing or piece of code in it was left as it is.",
        "{count} tables, drawings or pieces of code in it were left as they are.",
    ),
    "left_markup": _counted_sentence(
        "1 piece of HTML in it was left as it is.",
        "{count} pieces of HTML in it were left as they are.",
    ),
    "left_names": _counted_sentence(
        "1 name of a sheet was left as it is, since formulas use it.",
        "{count} names of sheets were left as they are, since formulas use them.",
    ),
    "left_values": _counted_sentence(
        "1 text with a structure of its own was left as it is.",
        "{count} texts with a structure of their own were left as they are.",
    ),
    "became_utf8": lambda v: f"It is written as UTF-8, since {v['encoding']} lacks some of its letters.",
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
    nothing = {"file": ("{} gave no text",) * 2, "minute": ("nothing is said in {}",) * 2}
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
            "Your chats can be read; nothing new is kept until there is room.",
        )
        if database.has_room:
            kept = f"What is written now is lost with the window. Make room, then start {APP_NAME} again."
        notices.append(PersonMessage(full.text, kept, full.action))
    if database.moved_aside is not None:
        text = (
            f"The file with your chats was damaged. It was moved to {database.moved_aside.name}, nothing was deleted."
        )
        found, kept = database.recovered, "A new, empty one is in use."
        if found is not None:
            chats, messages = count_units("chat", found.chats), count_units("message", found.messages)
            pages = f", {count_units('page', found.pages)}" if found.pages else ""
            kept = f"What could be read of it is here: {chats} with {messages}{pages}."
        notices.append(PersonMessage(text, kept, "open_folder"))
    if wrong_settings == ["settings"]:
        notices.append(
            PersonMessage("The settings could not be read; the old file was kept beside them.", "Defaults are in use.")
        )
    elif wrong_settings:
        names = ", ".join(wrong_settings)
        notices.append(
            PersonMessage(f"These settings had values that are not possible: {names}.", "Defaults are in use.")
        )
    return notices
