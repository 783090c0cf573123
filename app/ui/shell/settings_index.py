"""Index of all settings pages and rows, with names and search synonyms."""

from __future__ import annotations

from app.core.lazy_dataclasses import dataclass
from app.features.finding import fitness_with_synonyms
from app.ui.i18n import Translatable, tr
from app.ui.shared_labels import READING_SPEED


@dataclass(frozen=True)
class SettingSpec:
    """A row or section of a settings page. `label` is the English source for `tr`; `also` are search synonyms."""

    key: str
    label: Translatable
    also: Translatable = ""


@dataclass(frozen=True)
class SettingsPageSpec:
    """A settings page with its icon and its rows; pages with the same `group` follow each other under its caption."""

    name: str
    label: Translatable
    also: Translatable
    group: Translatable
    icon: str
    settings: tuple[SettingSpec, ...]


THIS_PROGRAM, MODELS, CONNECTIONS = "This program", "Models", "Connections"
"""Captions of the groups of pages."""

_ROWS: dict[str, tuple[tuple[str, Translatable, Translatable], ...]] = {
    "appearance": (
        ("scheme", "Colors", "dark mode light mode theme color colour colors scheme black white night"),
        ("high_contrast", "High contrast", "accessibility black white legible strong colors vision"),
        ("dim_pages", "Dim pages of documents", "dark mode paper white bright brightness night pdf page"),
        ("system_font", "Use the system’s font", "typeface fonts letters typography Inter"),
        ("reduce_motion", "Reduce motion", "animation animations fade slide move accessibility"),
        ("zoom", "Zoom", "text font size bigger larger smaller scale magnify dpi"),
        ("interface_language", "Language", "interface translation locale german french spanish"),
        ("translation_file", "Translation file", "PO gettext export import mend correct improve language"),
    ),
    "system": (
        ("tray", "Tray icon", "taskbar menu bar panel"),
        ("keeps_running", "Keep running when the window is closed", "background close quit minimize exit"),
        ("shortcut_on", "Open with a shortcut from any program", "quick ask hotkey global shortcut popup"),
        ("shortcut", "Keys", "hotkey keyboard shortcut quick ask"),
        ("notifies", "Notify when something is done", "notification notifications alert notify"),
        ("notifies_with_words", "Show details", "notification privacy lock screen preview"),
        (
            "passages_model",
            "Search documents by meaning",
            "embedding embeddings semantic search retrieval rag vector meaning documents",
        ),
        (
            "stay_awake",
            "Keep the computer awake during summaries and translations",
            "sleep suspend standby power battery",
        ),
        (
            "read_scans",
            "Read scanned pages as soon as a document is added",
            "ocr scan tesseract pictures text recognition pdf",
        ),
        (
            "check_claims",
            "Check summaries and answers with another model",
            "claim checker hallucination hallucinations verify facts grounded lettucedetect unsupported errors",
        ),
    ),
    "data": (
        ("export_chats", "Export chats", "save download pdf word markdown json"),
        ("import_chats", "Import chats", "chatgpt claude lm studio jan open webui migrate"),
        ("back_up", "Back up everything", "backup save copy archive sync"),
        ("restore", "Restore a backup", "backup recover move new computer"),
        ("snapshots", "Restore a daily copy", "snapshot history yesterday version recover backup"),
        ("put_back", "Undo the last restore", "undo restore backup revert"),
        ("lock", "Lock with a passphrase", "password encrypt encryption protect secret"),
        ("lock_after", "Lock when idle", "timeout minutes automatic passphrase password away"),
        ("lock_now", "Lock now", "passphrase password close hide"),
    ),
    "trash": (("keep_days", "Keep deleted items", "trash bin retention days erase remove forever"),),
    "check": (
        ("check", "Check again", "doctor diagnose problem trouble error broken repair help"),
        ("save_report", "Save report", "doctor bug report support debug diagnostics"),
    ),
    "about": (
        ("updates", "Updates", "check for updates upgrade new version release"),
        ("folder_data", "Your chats and models", "folder location path where files"),
        ("folder_settings", "Settings folder", "config configuration path file"),
        ("folder_log", "Log", "debug error folder file"),
        ("licences", "Licenses", "licences licence open source third party notices legal"),
        ("diagnostics", "Copy diagnostics", "doctor bug report support debug"),
    ),
    "chat": (
        ("system_prompt", "System prompt", "instructions role persona behaviour custom"),
        ("temperature", "Temperature", "creative creativity random randomness sampling focused"),
        ("max_tokens", "Answer limit", "max maximum tokens length limit short long"),
        ("thinking", "Thinking", "reasoning reason think chain of thought"),
        ("thinking_budget", "Thinking limit", "reasoning budget limit effort"),
        ("when_full", "When a chat is full", "context window overflow compact rolling truncate forget"),
        ("recall", "Recall earlier messages", "forgotten turns remember history retrieval"),
        ("titles", "Models write titles", "automatic name chat rename"),
        ("check_spelling", "Check spelling", "spell checker typo dictionary hunspell language"),
        ("dictation_language", "Language of dictation", "speech microphone speak recognition dictate"),
        ("reading_speed", READING_SPEED, "read aloud faster slower rate tts"),
        ("reading_voice", "Voice for reading aloud", "voice speech read aloud speaker text to speech tts"),
    ),
    "memories": (
        ("use_memories", "Use memories", "memory facts about me remember profile"),
        ("suggest_memories", "Suggest memories", "memory facts remember offer ask automatic"),
    ),
    "engine": (
        ("device", "Device", "gpu cpu graphics card vulkan metal cuda accelerator hardware"),
        ("gpu_layers", "Layers on the GPU", "offload ngl vram graphics"),
        ("experts_on_cpu", "Keep experts on the CPU", "moe mixture of experts offload"),
        ("projector_on_cpu", "Process pictures on the CPU", "vision projector mmproj image"),
        ("threads", "Threads", "cores processor cpu"),
        ("context_tokens", "Context", "context length window tokens n_ctx size"),
        ("drafts", "Faster copying", "prompt lookup speculative decoding drafts speed quote edit guess"),
        ("kv_type", "Context precision", "kv cache quantization 8 bit 16 bit memory"),
        ("tuning", "Speed", "tune tuning benchmark fast slow threads ubatch flash attention performance"),
        ("llama_cpp", "llama.cpp", "engine library own build newer model custom folder"),
        ("memory", "Sleep when memory is low", "unload free ram memory"),
        ("unload_after", "Sleep when idle", "unload idle timeout keep alive minutes"),
        ("states", "Storage limit", "saved states cache disk space prompt cache"),
    ),
    "tools": (
        ("tool_servers", "Added tools", "mcp model context protocol server plugins extensions agents claude jan"),
        ("tool_folders", "Folders for tools", "read files file access permission grant"),
        ("tool_rounds", "Tool calls in turn", "rounds loop steps limit function calling"),
        ("tool_grants", "What you allowed tools", "permissions grants allow always never revoke consent"),
    ),
    "network": (
        ("allow_network", "Allow the network", "offline airplane online internet privacy"),
        ("allow_internet", "Allow the internet", "offline online lan local only"),
        ("web_pages", "Let models open web pages", "browse browsing fetch web internet tools website url"),
        ("search_engine", "Web search", "search engine duckduckgo searxng google internet tools"),
        ("search_address", "Search address", "searxng searx search engine url json"),
        ("protection", "Protection", "security sandbox cage isolation privacy safe process landlock seccomp"),
        ("proxy", "Proxy", "socks http company firewall pac script"),
        ("proxy_sign_in", "Sign in to the proxy", "user name password authentication 407 company"),
        ("trusted_certificates", "Trusted certificates", "tls ssl https authority system built-in mozilla store"),
        ("certificates", "Certificates", "tls ssl https authority ca pem company interception root trust"),
        ("mirror", "Mirror of the Hub", "hugging face huggingface hub endpoint"),
        ("access_token", "Access token", "hugging face huggingface login sign in account gated key password"),
        ("network_test", "Network test", "doctor diagnose check reach hosts refused proxy certificate connection"),
        ("connections_made", "Connection history", "connections log traffic ledger telemetry tracking"),
    ),
    "connections": (
        ("servers", "Models on a server", "remote model server openai api ollama vllm lm studio cloud"),
        ("computers", "Memory of other computers", "lend borrow rpc cluster several machines distributed"),
        ("lending", "Lend to other computers", "lend share memory rpc cluster"),
        ("programs", "Let other programs use the model", "local server api serve openai share editor key"),
        ("port", "Port", "server address localhost"),
        ("loads_models", "Load models that programs ask for by name", "server second model"),
        ("lends_documents", "Let other programs read your documents", "mcp model context protocol server tools share"),
    ),
}
"""Key, label and synonyms of each row, by its page."""
_PAGES: tuple[tuple[str, Translatable, Translatable, Translatable, str], ...] = (
    ("appearance", "Appearance", "look design display interface", THIS_PROGRAM, "palette"),
    ("system", "System", "desktop general background notifications documents", THIS_PROGRAM, "desktop"),
    ("data", "Your data", "files storage", THIS_PROGRAM, "database"),
    ("trash", "Trash", "deleted recycle bin undo undelete recover", THIS_PROGRAM, "trash"),
    (
        "check",
        "Check this computer",
        "doctor diagnose problem trouble failure health report",
        THIS_PROGRAM,
        "heartbeat",
    ),
    ("about", "About", "version build info help", THIS_PROGRAM, "info"),
    ("chat", "Chat", "conversation answers defaults", MODELS, "chat-circle"),
    (
        "memories",
        "Memories",
        "memory facts about me remember personal personalization profile",
        MODELS,
        "bookmark-simple",
    ),
    ("engine", "Performance", "engine hardware model memory speed fast slow", MODELS, "gauge"),
    ("network", "Network", "internet connection online offline privacy", CONNECTIONS, "globe"),
    ("connections", "Servers and sharing", "connections remote network api share", CONNECTIONS, "share-network"),
    ("tools", "Tools", "mcp function calling agents plugins", CONNECTIONS, "wrench"),
)
PAGES = tuple(SettingsPageSpec(*page, settings=tuple(SettingSpec(*row) for row in _ROWS[page[0]])) for page in _PAGES)

STORED_AS: dict[str, str] = {
    **{key: f"appearance.{key}" for key in ("scheme", "dim_pages", "system_font", "reduce_motion", "zoom")},
    "interface_language": "appearance.language",
    **{
        key: f"system.{key}"
        for key in ("tray", "keeps_running", "shortcut_on", "shortcut", "notifies", "notifies_with_words")
    },
    "passages_model": "models.passages_path",
    "stay_awake": "summaries.stay_awake",
    "read_scans": "documents.pictures",
    "check_claims": "models.checker_path",
    "lock_after": "system.lock_after_min",
    "keep_days": "trash.keep_days",
    **{
        key: f"chat.{key}"
        for key in (
            *("system_prompt", "temperature", "max_tokens", "thinking", "thinking_budget"),
            *("when_full", "recall", "titles", "suggest_memories"),
        )
    },
    "check_spelling": "composer.check_spelling",
    "use_memories": "chat.memory",
    **{
        key: f"engine.{key}"
        for key in (
            *("gpu_layers", "experts_on_cpu", "projector_on_cpu", "threads"),
            *("context_tokens", "drafts", "kv_type"),
        )
    },
    "device": "engine.devices",
    "llama_cpp": "engine.library_folder",
    "memory": "engine.unload_when_memory_short",
    "unload_after": "engine.unload_after_min",
    "states": "engine.states_budget_mb",
    "computers": "engine.machines",
    "tool_servers": "tools.servers",
    "tool_folders": "tools.folders",
    "tool_rounds": "tools.rounds",
    "allow_network": "network.allowed",
    "allow_internet": "network.internet",
    "web_pages": "tools.web",
    "search_engine": "tools.search_address",
    "search_address": "tools.search_address",
    "proxy": "network.proxy",
    "trusted_certificates": "network.certificates",
    "certificates": "network.authorities_file",
    "mirror": "network.mirror",
    "programs": "serving.on",
    "port": "serving.port",
    "loads_models": "serving.loads_models",
    "lends_documents": "serving.lends_documents",
}
"""Dotted name of the stored setting that a row changes, which an administrator may set instead."""

_BY_KEY = {setting.key: (page, setting) for page in PAGES for setting in page.settings}


def label_of(key: str) -> str:
    return tr(_BY_KEY[key][1].label)


def page_label(name: str) -> str:
    return next(tr(page.label) for page in PAGES if page.name == name)


@dataclass(frozen=True)
class SettingHit:
    """A page or row that was found; `name` is the address for `Navigation.open_settings`: "page" or "page/row"."""

    name: str
    title: str
    page: str
    """Label of the row's page; "" for a page itself."""
    also: str


def all_settings() -> list[SettingHit]:
    pages = [SettingHit(page.name, tr(page.label), "", tr(page.also)) for page in PAGES]
    return pages + [
        SettingHit(f"{page.name}/{setting.key}", tr(setting.label), tr(page.label), tr(setting.also))
        for page in PAGES
        for setting in page.settings
    ]


def search_settings(words: str) -> list[SettingHit]:
    """Return the matching pages and rows, best first: by label, then by synonyms."""
    ranked = []
    for hit in all_settings():
        if (rank := fitness_with_synonyms(hit.title, hit.also, hit.page, words)) is not None:
            ranked.append((rank, hit))
    # A stable sort: among equals, pages stay before rows.
    ranked.sort(key=lambda pair: pair[0])
    return [hit for _, hit in ranked]
