"""Typed settings, saved atomically as JSON. Unknown keys are kept; invalid values fall back to defaults."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.core.lazy_dataclasses import dataclass, field
from app.core.paths import AppPaths, disk_problem, make_folder
from app.core.policy import AdminPolicy, read_policy
from app.core.synced_files import place_file

# Raised when the meaning of a value changes, not when one is added.
SCHEMA_VERSION = 2


# By the schema that each makes of the one before, on the raw tree. Never edited after a release.
MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}


@dataclass(frozen=True)
class AppearanceSettings:
    """Look of the window. `scheme`: system, light or dark. `zoom`: 0.5 to 3.

    `reduce_motion`: nothing fades or slides, whatever the system says. `high_contrast`: likewise, for all colours.
    `dim_pages`: of documents, in the dark scheme.
    `language` is a code such as "de"; "" is the system's.
    """

    scheme: str = "system"
    zoom: float = 1.0
    system_font: bool = False
    reduce_motion: bool = False
    high_contrast: bool = False
    dim_pages: bool = False
    language: str = ""


@dataclass(frozen=True)
class ChatDefaults:
    """Defaults of a new chat. `temperature` -1: as the model's file or family says; `max_tokens` -1: no limit.

    `when_full`: compact, rolling or ask. `thinking`: auto, on or off. `thinking_budget` in tokens, -1 without limit.
    `memory`: whether models are told what is remembered. `recall`: whether forgotten turns are shown again where a
    question is about them. `titles`: whether models write the titles of chats. `suggest_memories`: whether they may
    ask to remember a fact.
    """

    system_prompt: str = ""
    temperature: float = -1.0
    max_tokens: int = -1
    when_full: str = "compact"
    thinking: str = "auto"
    thinking_budget: int = -1
    memory: bool = True
    recall: bool = True
    titles: bool = True
    suggest_memories: bool = False


@dataclass(frozen=True)
class ComposerSettings:
    """The message field. `builtin_prompts_used` are lines such as "translate=1764258000.5": when each was used last."""

    builtin_prompts: bool = True
    builtin_prompts_used: tuple[str, ...] = ()
    check_spelling: bool = True


@dataclass(frozen=True)
class VoiceSettings:
    """Settings of dictation and of reading aloud.

    `dictation_language` is a code; "" lets the model find out what is spoken. `reading_speed` 1 is a voice's usual one;
    `reading_voice` reads texts in its language, "" leaves them to the system's voice for it.
    """

    dictation_language: str = ""
    reading_speed: float = 1.0
    reading_voice: str = ""


@dataclass(frozen=True)
class EngineSettings:
    """Options for running models. 0, -1 and empty values leave the choice to the program; an empty `model_path` is the
    starter.

    `kv_type`: f16 or q8_0. `library_folder` holds a llama.cpp of the person's own, if any. `unload_after_min` 0: keep
    the model until memory is short. `machines` are addresses of RPC workers. `drafts`: guess what an answer repeats of
    its prompt.
    """

    model_path: str = ""
    known_models: tuple[str, ...] = ()
    context_tokens: int = 0
    threads: int = 0
    gpu_layers: int = -1
    kv_type: str = ""
    devices: tuple[str, ...] = ()
    machines: tuple[str, ...] = ()
    experts_on_cpu: bool = False
    projector_on_cpu: bool = False
    states_budget_mb: int = 4000
    unload_after_min: int = 0
    unload_when_memory_short: bool = True
    library_folder: str = ""
    drafts: bool = True


@dataclass(frozen=True)
class ModelSettings:
    """Models folder, and the model of each tab; empty paths leave the choice to the program (the chat's is in
    `engine`).

    `add_how`: what to do with added files: "" (ask), copy, move or in_place. `votes`: results of comparing two models,
    one line each (`app.features.inside.model_comparison`). `passages_path` is an embedding model, `checker_path` a
    claim checker.
    """

    folder: str = ""
    add_how: str = ""
    summarize_path: str = ""
    translate_path: str = ""
    write_path: str = ""
    passages_path: str = ""
    checker_path: str = ""
    votes: tuple[str, ...] = ()


@dataclass(frozen=True)
class NetworkSettings:
    """`proxy` and `mirror` empty: as the system and HF_ENDPOINT say.

    `allowed` False: no connection at all. `internet` False: only to the person's own network and this computer.
    `proxy_user` signs in to `proxy` with a password from the keyring. `certificates` "built_in" trusts those that come
    with the program in place of the system's; those in `authorities_file` are trusted beside either.
    """

    allowed: bool = True
    internet: bool = True
    proxy: str = ""
    proxy_user: str = ""
    certificates: str = "system"
    authorities_file: str = ""
    mirror: str = ""

    @property
    def reaches_internet(self) -> bool:
        return self.allowed and self.internet


@dataclass(frozen=True)
class SummarySettings:
    """`stay_awake`: no sleep while one is at work, on mains power. The rest is what was chosen last.

    `language` is a code, "" for the document's own.
    """

    stay_awake: bool = True
    length: str = "medium"
    form: str = "bullets"
    language: str = ""
    instruction: str = ""


@dataclass(frozen=True)
class DocumentSettings:
    """`pictures`: how page images are read automatically: tesseract or model; none: only on request; "": by whichever
    is available. `offers_passages`: whether to offer an embedding model.
    """

    pictures: str = ""
    offers_passages: bool = True


@dataclass(frozen=True)
class TranslationSettings:
    """Last choices. `target` is a language code such as "pt-BR"; "" is the system's."""

    target: str = ""
    formality: str = ""


@dataclass(frozen=True)
class WritingSettings:
    """Last choices, for new pages: the longest continuation in tokens, and how many at once."""

    max_tokens: int = 64
    count: int = 1


@dataclass(frozen=True)
class SystemSettings:
    """Integration with the desktop. `keeps_running`: in the tray after the window is closed; `asked_to_keep`: whether
    the user was asked. `notifies` of long work that ends unseen, `notifies_with_words` including its title. `shortcut`
    opens the small window from any program, if `shortcut_on`. `lock_after_min`: idle minutes after which the lock
    closes, if there is one; 0: never.
    """

    tray: bool = True
    keeps_running: bool = False
    asked_to_keep: bool = False
    notifies: bool = True
    notifies_with_words: bool = False
    shortcut_on: bool = False
    shortcut: str = "Ctrl+Alt+Space"
    lock_after_min: int = 15


@dataclass(frozen=True)
class TrashSettings:
    """Days for which deleted items can be restored; 0: until the next start."""

    keep_days: int = 30


@dataclass(frozen=True)
class ServingSettings:
    """Access of API clients to the models, and the port for it.

    `loads_models`: load the models they name if memory allows. `lends_documents`: they may read all documents, by the
    Model Context Protocol. `origins` are web pages that may send requests, such as
    "app://obsidian.md": browsers block all others.
    """

    on: bool = False
    port: int = 8765
    loads_models: bool = True
    lends_documents: bool = False
    origins: tuple[str, ...] = ()


@dataclass(frozen=True)
class ToolSettings:
    """Tool servers and what their tools may do without asking: JSON objects, as `app.features.mcp.server_config` and
    `app.features.tools.stored_grants` write them. `rounds`: how often in turn a model may call tools for one answer.
    `folders` are those that the program's own tools may read.

    `web`: models may ask for pages of the web. `search_address`: of a search engine, with `{query}` in it.
    """

    servers: tuple[str, ...] = ()
    grants: tuple[str, ...] = ()
    rounds: int = 8
    folders: tuple[str, ...] = ()
    web: bool = False
    search_address: str = ""


@dataclass(frozen=True)
class UpdateSettings:
    """Time of the newest verified release file, in seconds since 1970; 0: none."""

    newest_issued_s: int = 0


@dataclass(frozen=True)
class HelpSettings:
    """`seen_version`: of the program that ran last; "" before the first start. `hints_shown`: how many of the hints for
    newcomers were shown.
    """

    seen_version: str = ""
    hints_shown: int = 0


@dataclass(frozen=True)
class WindowSettings:
    """State restored after a restart. `geometry` is Qt's, in base64.

    `last_folders` are lines such as "documents=/home/ada" for file dialogs. `palette_recent` holds the latest choices
    in the palette, such as "action:new" or "chat:12", newest first. `unread_files` are lines such as
    "12=/home/ada/talk.mp3" with the chat of the draft, or none for a new one: files still being read.
    `unread_summarized` and `unread_translated` are those of the tabs. `closed_sources` are the summaries whose source
    the user closed, by id, latest first.
    """

    geometry: str = ""
    sidebar_width: int = 260
    sidebar_hidden: bool = False
    inside_width: int = 0
    tab: str = "chat"
    conversation_id: int = 0
    summary_id: int = 0
    translation_id: int = 0
    page_id: int = 0
    new_chat_draft: str = ""
    unread_files: tuple[str, ...] = ()
    unread_summarized: tuple[str, ...] = ()
    unread_translated: tuple[str, ...] = ()
    closed_sources: tuple[str, ...] = ()
    last_folders: tuple[str, ...] = ()
    palette_recent: tuple[str, ...] = ()


@dataclass(frozen=True)
class Settings:
    """The whole tree. `unknown` holds keys of other versions, written back unchanged.

    `own` holds the person's own values of what an administrator has set, by dotted name: they are what is saved.
    """

    appearance: AppearanceSettings = field(default_factory=AppearanceSettings)
    chat: ChatDefaults = field(default_factory=ChatDefaults)
    composer: ComposerSettings = field(default_factory=ComposerSettings)
    voice: VoiceSettings = field(default_factory=VoiceSettings)
    engine: EngineSettings = field(default_factory=EngineSettings)
    models: ModelSettings = field(default_factory=ModelSettings)
    network: NetworkSettings = field(default_factory=NetworkSettings)
    documents: DocumentSettings = field(default_factory=DocumentSettings)
    summaries: SummarySettings = field(default_factory=SummarySettings)
    translations: TranslationSettings = field(default_factory=TranslationSettings)
    writing: WritingSettings = field(default_factory=WritingSettings)
    system: SystemSettings = field(default_factory=SystemSettings)
    trash: TrashSettings = field(default_factory=TrashSettings)
    serving: ServingSettings = field(default_factory=ServingSettings)
    tools: ToolSettings = field(default_factory=ToolSettings)
    updates: UpdateSettings = field(default_factory=UpdateSettings)
    help: HelpSettings = field(default_factory=HelpSettings)
    window: WindowSettings = field(default_factory=WindowSettings)
    unknown: dict[str, Any] = field(default_factory=dict)
    own: dict[str, Any] = field(default_factory=dict)

    def changed(self, section: str, **values: Any) -> Settings:
        """Return the settings with other values; what an administrator has set stays."""
        free = {key: value for key, value in values.items() if not self.is_locked(f"{section}.{key}")}
        return dataclasses.replace(self, **{section: dataclasses.replace(getattr(self, section), **free)})

    def is_locked(self, name: str) -> bool:
        """Return whether an administrator has set this, such as "network.proxy"."""
        return name in self.own

    def without_texts(self) -> Settings:
        """Return the settings without texts, keys, names of files and what other versions stored."""
        plain = self.changed("chat", system_prompt="").changed("summaries", instruction="")
        texts = {"chat.system_prompt": "", "summaries.instruction": ""}
        own = {name: texts.get(name, value) for name, value in self.own.items() if not name.startswith("tools.")}
        return dataclasses.replace(plain, tools=ToolSettings(), window=WindowSettings(), unknown={}, own=own)


SECTIONS: dict[str, type] = {
    field.name: type(getattr(Settings(), field.name))
    for field in dataclasses.fields(Settings)
    if field.name not in ("unknown", "own")
}
UNLOCKABLE = frozenset(("window", "updates"))
"""Sections of what the program itself remembers, which no administrator sets."""
# Beside the file, as a rename works only within one disk.
SCRATCH = ".settings-"
# What the type alone does not say; anything else is taken for the default and told.
LIMITS: dict[str, Callable[[Any], bool]] = {
    "appearance.scheme": lambda v: v in ("system", "light", "dark"),
    "appearance.zoom": lambda v: 0.5 <= v <= 3,
    "chat.temperature": lambda v: v == -1 or 0 <= v <= 5,
    "chat.max_tokens": lambda v: v == -1 or v > 0,
    "engine.context_tokens": lambda v: v >= 0,
    "engine.threads": lambda v: v >= 0,
    "engine.gpu_layers": lambda v: v >= -1,
    "engine.kv_type": lambda v: v in ("", "f16", "q8_0"),
    "engine.states_budget_mb": lambda v: v >= 0,
    "engine.unload_after_min": lambda v: v >= 0,
    "models.add_how": lambda v: v in ("", "copy", "move", "in_place"),
    "summaries.length": lambda v: v in ("short", "medium", "long"),
    "summaries.form": lambda v: v in ("paragraphs", "bullets", "sections", "actions", "questions", "own"),
    "documents.pictures": lambda v: v in ("", "tesseract", "model", "none"),
    "translations.formality": lambda v: v in ("", "formal", "informal"),
    "writing.max_tokens": lambda v: 1 <= v <= 8192,
    "writing.count": lambda v: 1 <= v <= 5,
    "updates.newest_issued_s": lambda v: v >= 0,
    "help.hints_shown": lambda v: v >= 0,
    "system.lock_after_min": lambda v: v >= 0,
    "tools.rounds": lambda v: 1 <= v <= 100,
    "trash.keep_days": lambda v: 0 <= v <= 3650,
    "tools.search_address": lambda v: not v or (v.startswith(("http://", "https://")) and "{query}" in v),
    "network.certificates": lambda v: v in ("system", "built_in"),
    "network.proxy": lambda v: not v or v.startswith(("http://", "https://", "socks5://")),
    "network.mirror": lambda v: not v or v.startswith(("http://", "https://")),
    "chat.when_full": lambda v: v in ("compact", "rolling", "ask"),
    "chat.thinking": lambda v: v in ("auto", "on", "off"),
    "chat.thinking_budget": lambda v: v >= -1,
}


def load_settings(path: Path) -> tuple[Settings, list[str]]:
    """Read the settings; return them and the dotted names of invalid values.

    A file that isn't JSON is moved aside to ``settings.json.damaged`` and reported as ``settings``. What an
    administrator has set goes before the person's own.
    """
    settings, wrong = _load_own(path)
    return _with_policy(settings, read_policy())[0], wrong


def policy_faults(policy: AdminPolicy) -> list[str]:
    """Return the dotted names in an administrator's file that are no settings, or have invalid values."""
    return _with_policy(Settings(), policy)[1]


def _load_own(path: Path) -> tuple[Settings, list[str]]:
    try:
        raw = json.loads(path.read_text("utf-8-sig"))  # Windows editors put a mark in front
    except FileNotFoundError:
        return Settings(), []
    except (OSError, ValueError, RecursionError):
        raw = None
    if not isinstance(raw, dict):
        _move_aside(path)
        return Settings(), ["settings"]
    return _from_raw(_migrate_raw(raw))


def save_settings(path: Path, settings: Settings) -> None:
    """Write the settings atomically. Raises OSError, leaving the old file."""
    try:
        _write_file(path, settings)
    # Once only: a second failure is a real one.
    except FileNotFoundError:  # a start that swept just now took it for one that was left behind
        _write_file(path, settings)


def store_settings(paths: AppPaths, settings: Settings) -> None:
    """Write the settings where they belong. Raises DiskFull or FolderNotWritable."""
    try:
        save_settings(paths.settings, settings)
    except OSError as error:
        raise disk_problem(error, paths.config) from error


def sweep_settings(path: Path) -> None:
    """Delete leftovers of killed saves: they may contain unsent text."""
    for left in path.parent.glob(f"{SCRATCH}*"):
        with contextlib.suppress(OSError):
            left.unlink()


def _write_file(path: Path, settings: Settings) -> None:
    raw: dict[str, Any] = {"schema_version": SCHEMA_VERSION, **settings.unknown}
    for name in SECTIONS:
        known = dataclasses.asdict(getattr(settings, name))
        # Unknown keys first, so that what this program knows wins.
        raw[name] = {**settings.unknown.get(name, {}), **known}
    for name, value in settings.own.items():
        section, _, key = name.partition(".")
        raw[section][key] = value
    make_folder(path.parent)
    handle, scratch = tempfile.mkstemp(prefix=SCRATCH, dir=path.parent)
    try:
        # Lone surrogates (a file name that is not UTF-8) become JSON's own escapes and come back as they were.
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            json.dump(raw, file, indent=1, ensure_ascii=False)
        place_file(Path(scratch), path)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise


def _migrate_raw(raw: dict[str, Any]) -> dict[str, Any]:
    version = raw.get("schema_version")
    # An unknown version is read as it is: its keys are looked at one by one anyway.
    if isinstance(version, int) and version > 0:
        for migration in [step for number, step in MIGRATIONS.items() if number > version]:
            raw = migration(raw)
    return raw


def _from_raw(raw: dict[str, Any]) -> tuple[Settings, list[str]]:
    wrong: list[str] = []
    unknown = {key: value for key, value in raw.items() if key not in SECTIONS and key != "schema_version"}
    version = raw.get("schema_version")
    if isinstance(version, int) and version > SCHEMA_VERSION:
        unknown["schema_version"] = version  # a newer program must not migrate its own tree again
    sections: dict[str, Any] = {}
    for name, cls in SECTIONS.items():
        given = raw.get(name, {})
        if not isinstance(given, dict):
            wrong.append(name)
            given = {}
        sections[name], extra = _read_section(name, cls, given, wrong)
        if extra:
            unknown[name] = extra
    return Settings(**sections, unknown=unknown), wrong


def _with_policy(settings: Settings, policy: AdminPolicy) -> tuple[Settings, list[str]]:
    """Put an administrator's valid values over the person's own; return the names of the others, too."""
    raw = {key: value for key, value in policy.sections.items() if key != "schema_version"}
    given, wrong = _from_raw(raw)
    wrong += [name for name in raw if name not in SECTIONS or name in UNLOCKABLE]
    own: dict[str, Any] = {}
    for section in SECTIONS.keys() & raw.keys() - UNLOCKABLE:
        keys = raw[section] if isinstance(raw[section], dict) else {}
        known = {key for key in keys if hasattr(getattr(given, section), key)}
        wrong += [f"{section}.{key}" for key in keys if key not in known]
        valid = {key: getattr(getattr(given, section), key) for key in known if f"{section}.{key}" not in wrong}
        own |= {f"{section}.{key}": getattr(getattr(settings, section), key) for key in valid}
        settings = settings.changed(section, **valid)
    return dataclasses.replace(settings, own=own), sorted(wrong)


def _read_section(name: str, cls: type, given: dict[str, Any], wrong: list[str]) -> tuple[Any, dict[str, Any]]:
    default = cls()
    values: dict[str, Any] = {}
    for key in (f.name for f in dataclasses.fields(cls)):
        if key not in given:
            continue
        value = _coerce_value(given[key], getattr(default, key))
        # One wrong value costs itself, not the whole file.
        if value is None or not LIMITS.get(f"{name}.{key}", lambda _: True)(value):
            wrong.append(f"{name}.{key}")
        else:
            values[key] = value
    return cls(**values), {key: value for key, value in given.items() if not hasattr(default, key)}


def _coerce_value(value: Any, default: Any) -> Any:
    """Return the value in the type of its default, or None when it has another type."""
    # bool is a kind of int in Python, and 1 is no answer to a yes or no.
    if isinstance(default, bool) or isinstance(value, bool):
        return value if type(value) is type(default) else None
    if isinstance(default, float):
        try:
            return float(value) if isinstance(value, int | float) else None  # 1 and 1.0 are the same in JSON
        except OverflowError:
            return None
    if isinstance(default, tuple):
        return tuple(value) if isinstance(value, list) and all(isinstance(v, str) for v in value) else None
    return value if isinstance(value, type(default)) else None


def _move_aside(path: Path) -> None:
    try:
        path.replace(path.with_name(path.name + ".damaged"))
    except OSError:
        return  # a read-only folder: the defaults serve, and saving will say so
