"""Index of all settings pages and rows, with names and search synonyms."""

from __future__ import annotations

from dataclasses import dataclass

from app.features.finding import fitness_with_synonyms
from app.ui.i18n import tr


@dataclass(frozen=True)
class SettingSpec:
    """A row or section of a settings page. `label` is the English source for `tr`; `also` are search synonyms."""

    key: str
    label: str
    also: str = ""


@dataclass(frozen=True)
class SettingsPageSpec:
    """A settings page with its icon and its rows; pages with the same `group` follow each other under its caption."""

    name: str
    label: str
    also: str
    group: str
    icon: str
    settings: tuple[SettingSpec, ...]


THIS_PROGRAM, MODELS, CONNECTIONS = "This program", "Models", "Connections"
"""Captions of the groups of pages."""

PAGES: tuple[SettingsPageSpec, ...] = (
    SettingsPageSpec(
        "appearance",
        "Appearance",
        "look design display interface",
        THIS_PROGRAM,
        "palette",
        (
            SettingSpec("scheme", "Colors", "dark mode light mode theme color colour colors scheme black white night"),
            SettingSpec(
                "dim_pages", "Dim pages of documents", "dark mode paper white bright brightness night pdf page"
            ),
            SettingSpec("system_font", "Use the system’s font", "typeface fonts letters typography Inter"),
            SettingSpec("reduce_motion", "Reduce motion", "animation animations fade slide move accessibility"),
            SettingSpec("zoom", "Zoom", "text font size bigger larger smaller scale magnify dpi"),
            SettingSpec("interface_language", "Language", "interface translation locale german french spanish"),
        ),
    ),
    SettingsPageSpec(
        "system",
        "System",
        "desktop general background notifications documents",
        THIS_PROGRAM,
        "desktop",
        (
            SettingSpec("tray", "Tray icon", "taskbar menu bar panel"),
            SettingSpec(
                "keeps_running", "Keep running when the window is closed", "background close quit minimize exit"
            ),
            SettingSpec(
                "shortcut_on", "Open with a shortcut from any program", "quick ask hotkey global shortcut popup"
            ),
            SettingSpec("shortcut", "Keys", "hotkey keyboard shortcut quick ask"),
            SettingSpec("notifies", "Notify when something is done", "notification notifications alert notify"),
            SettingSpec("notifies_with_words", "Show details", "notification privacy lock screen preview"),
            SettingSpec(
                "passages_model",
                "Search documents by meaning",
                "embedding embeddings semantic search retrieval rag vector meaning documents",
            ),
            SettingSpec(
                "stay_awake",
                "Keep the computer awake during summaries and translations",
                "sleep suspend standby power battery",
            ),
            SettingSpec(
                "read_scans",
                "Read scanned pages as soon as a document is added",
                "ocr scan tesseract pictures text recognition pdf",
            ),
            SettingSpec(
                "check_claims",
                "Check summaries and answers with another model",
                "claim checker hallucination hallucinations verify facts grounded lettucedetect unsupported errors",
            ),
        ),
    ),
    SettingsPageSpec(
        "data",
        "Your data",
        "files storage",
        THIS_PROGRAM,
        "database",
        (
            SettingSpec("export_chats", "Export chats", "save download pdf word markdown json"),
            SettingSpec("import_chats", "Import chats", "chatgpt claude lm studio jan open webui migrate"),
            SettingSpec("back_up", "Back up everything", "backup save copy archive sync"),
            SettingSpec("restore", "Restore a backup", "backup recover move new computer"),
            SettingSpec("snapshots", "Restore a daily copy", "snapshot history yesterday version recover backup"),
            SettingSpec("put_back", "Undo the last restore", "undo restore backup revert"),
        ),
    ),
    SettingsPageSpec(
        "trash",
        "Trash",
        "deleted recycle bin undo undelete recover",
        THIS_PROGRAM,
        "trash",
        (SettingSpec("keep_days", "Keep deleted items", "trash bin retention days erase remove forever"),),
    ),
    SettingsPageSpec(
        "about",
        "About",
        "version build info help",
        THIS_PROGRAM,
        "info",
        (
            SettingSpec("updates", "Updates", "check for updates upgrade new version release"),
            SettingSpec("folder_data", "Your chats and models", "folder location path where files"),
            SettingSpec("folder_settings", "Settings folder", "config configuration path file"),
            SettingSpec("folder_log", "Log", "debug error folder file"),
            SettingSpec("licences", "Licenses", "licences licence open source third party notices legal"),
            SettingSpec("diagnostics", "Copy diagnostics", "doctor bug report support debug"),
        ),
    ),
    SettingsPageSpec(
        "chat",
        "Chat",
        "conversation answers defaults",
        MODELS,
        "chat-circle",
        (
            SettingSpec("system_prompt", "System prompt", "instructions role persona behaviour custom"),
            SettingSpec("temperature", "Temperature", "creative creativity random randomness sampling focused"),
            SettingSpec("max_tokens", "Answer limit", "max maximum tokens length limit short long"),
            SettingSpec("thinking", "Thinking", "reasoning reason think chain of thought"),
            SettingSpec("thinking_budget", "Thinking limit", "reasoning budget limit effort"),
            SettingSpec("when_full", "When a chat is full", "context window overflow compact rolling truncate forget"),
            SettingSpec("recall", "Recall earlier messages", "forgotten turns remember history retrieval"),
            SettingSpec("titles", "Models write titles", "automatic name chat rename"),
            SettingSpec("check_spelling", "Check spelling", "spell checker typo dictionary hunspell language"),
        ),
    ),
    SettingsPageSpec(
        "memories",
        "Memories",
        "memory facts about me remember personal personalization profile",
        MODELS,
        "bookmark-simple",
        (SettingSpec("use_memories", "Use memories", "memory facts about me remember profile"),),
    ),
    SettingsPageSpec(
        "engine",
        "Performance",
        "engine hardware model memory speed fast slow",
        MODELS,
        "gauge",
        (
            SettingSpec("device", "Device", "gpu cpu graphics card vulkan metal cuda accelerator hardware"),
            SettingSpec("gpu_layers", "Layers on the GPU", "offload ngl vram graphics"),
            SettingSpec("experts_on_cpu", "Keep experts on the CPU", "moe mixture of experts offload"),
            SettingSpec("projector_on_cpu", "Process pictures on the CPU", "vision projector mmproj image"),
            SettingSpec("threads", "Threads", "cores processor cpu"),
            SettingSpec("context_tokens", "Context", "context length window tokens n_ctx size"),
            SettingSpec("kv_type", "Context precision", "kv cache quantization 8 bit 16 bit memory"),
            SettingSpec("memory", "Sleep when memory is low", "unload free ram memory"),
            SettingSpec("unload_after", "Sleep when idle", "unload idle timeout keep alive minutes"),
            SettingSpec("states", "Storage limit", "saved states cache disk space prompt cache"),
        ),
    ),
    SettingsPageSpec(
        "network",
        "Network",
        "internet connection online offline privacy",
        CONNECTIONS,
        "globe",
        (
            SettingSpec("allow_network", "Allow the network", "offline airplane online internet privacy"),
            SettingSpec("allow_internet", "Allow the internet", "offline online lan local only"),
            SettingSpec("proxy", "Proxy", "socks http company firewall"),
            SettingSpec("mirror", "Mirror of the Hub", "hugging face huggingface hub endpoint"),
            SettingSpec(
                "access_token", "Access token", "hugging face huggingface login sign in account gated key password"
            ),
            SettingSpec("connections_made", "Connection history", "connections log traffic ledger telemetry tracking"),
        ),
    ),
    SettingsPageSpec(
        "connections",
        "Servers and sharing",
        "connections remote network api share",
        CONNECTIONS,
        "share-network",
        (
            SettingSpec("servers", "Models on a server", "remote model server openai api ollama vllm lm studio cloud"),
            SettingSpec(
                "computers", "Memory of other computers", "lend borrow rpc cluster several machines distributed"
            ),
            SettingSpec("lending", "Lend to other computers", "lend share memory rpc cluster"),
            SettingSpec(
                "programs", "Let other programs use the model", "local server api serve openai share editor key"
            ),
            SettingSpec("port", "Port", "server address localhost"),
            SettingSpec("loads_models", "Load models that programs ask for by name", "server second model"),
        ),
    ),
)

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
    """Return every page, then every row."""
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
        rank = fitness_with_synonyms(hit.title, hit.also, hit.page, words)
        if rank is not None:
            ranked.append((rank, hit))
    # A stable sort: among equals, pages stay before rows.
    ranked.sort(key=lambda pair: pair[0])
    return [hit for _, hit in ranked]
