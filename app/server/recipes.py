"""Settings to copy into other programs so that they use the models here."""

from __future__ import annotations

import json
from collections.abc import Callable

from app.core.catalogue import Translatable
from app.core.lazy_dataclasses import dataclass, field
from app.features.models.model_messages import MessageTemplate

# For agents: a small computer takes minutes to read their first prompt.
HOUR_MS = 3_600_000


@dataclass(frozen=True)
class ConnectionOffer:
    """Values for a program's settings: the server's address and key, and one of its models."""

    address: str
    key: str = field(repr=False)
    model: str
    context_tokens: int = 8192
    sees: bool = False
    largest_tokens: int = 0
    """The largest context that a request can get by itself; 0: not known."""

    @property
    def root(self) -> str:
        """The address without `/v1`, for programs that add the path."""
        return self.address.removesuffix("/v1")

    @property
    def room_tokens(self) -> int:
        """Largest context a conversation can get."""
        # Loaded again with more when a longer request comes, so programs may plan with that.
        return max(self.context_tokens, self.largest_tokens)


@dataclass(frozen=True)
class ClientRecipe:
    """A program: where its settings are, and what to write there."""

    name: str
    where: Translatable
    write: Callable[[ConnectionOffer], str]
    needs_tokens: int = 0
    """Approximate length of its first prompt, if that exceeds the usual context."""

    uses_model: bool = True
    """False for one that only reads documents."""

    def context_words(self, offer: ConnectionOffer) -> MessageTemplate:
        """Return a line on the context's size and whether it is enough for the program; "" without a model."""
        if not self.uses_model:
            return MessageTemplate("")
        values = {"needed": f"{self.needs_tokens:,}", "now": f"{offer.context_tokens:,}"}
        values["most"] = f"{offer.room_tokens:,}"
        if self.needs_tokens > offer.room_tokens:
            text = (
                "Needs a context of about {needed} tokens, but only {most} fit here. "
                "Use a smaller model, or raise Context in Settings, Performance."
            )
            return MessageTemplate(text, values)
        if self.needs_tokens > offer.context_tokens:
            text = (
                "Needs a context of about {needed} tokens. The model reloads with up to {most} when a request needs it."
            )
            return MessageTemplate(text, values)
        if offer.room_tokens > offer.context_tokens:
            return MessageTemplate("Context: {now} tokens, up to {most} when a request needs it.", values)
        return MessageTemplate("Context: {now} tokens.", values)


def _format_json(value: object) -> str:
    return json.dumps(value, indent=2)


def _curl_recipe(offer: ConnectionOffer) -> str:
    asked = json.dumps({"model": offer.model, "messages": [{"role": "user", "content": "Hello"}]})
    return (
        f"curl {offer.address}/chat/completions \\\n"
        f'  -H "Authorization: Bearer {offer.key}" -H "Content-Type: application/json" \\\n'
        f"  -d '{asked}'"
    )


def _zed_recipe(offer: ConnectionOffer) -> str:
    able = {"tools": True, "images": offer.sees, "parallel_tool_calls": True, "prompt_cache_key": False}
    model = {"name": offer.model, "display_name": offer.model, "max_tokens": offer.room_tokens, "capabilities": able}
    place = {"api_url": offer.address, "available_models": [model]}
    return _format_json({"language_models": {"openai_compatible": {"Fireside": place}}})


def _vs_code(offer: ConnectionOffer) -> str:
    # VS Code wants the room divided: a quarter for the answer leaves it most of the conversation.
    written = offer.room_tokens // 4
    model = {
        "id": offer.model,
        "name": offer.model,
        "url": f"{offer.address}/chat/completions",
        "toolCalling": True,
        "vision": offer.sees,
        "maxInputTokens": offer.room_tokens - written,
        "maxOutputTokens": written,
    }
    place = {"name": "Fireside", "vendor": "customendpoint", "apiKey": offer.key, "apiType": "chat-completions"}
    return _format_json([place | {"models": [model]}])


def _claude_code(offer: ConnectionOffer) -> str:
    """Return the environment variables that point Claude Code here."""
    values = {
        "ANTHROPIC_BASE_URL": offer.root,
        "ANTHROPIC_AUTH_TOKEN": offer.key,
        "ANTHROPIC_MODEL": offer.model,
        # Its small jobs, such as titles, and its helpers would ask for models of Anthropic's by name.
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": offer.model,
        "CLAUDE_CODE_SUBAGENT_MODEL": offer.model,
        # Otherwise it shortens a conversation at the window of Anthropic's models, which is far larger.
        "CLAUDE_CODE_AUTO_COMPACT_WINDOW": str(offer.room_tokens),
        # Updates, statistics and the like, which would go to Anthropic.
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "API_TIMEOUT_MS": str(HOUR_MS),
        "CLAUDE_STREAM_IDLE_TIMEOUT_MS": str(HOUR_MS),  # or it asks again after five minutes without a word
    }
    return "\n".join([*(f"export {name}={value}" for name, value in values.items()), "claude"])


def _codex_recipe(offer: ConnectionOffer) -> str:
    return (
        f'model = "{offer.model}"\nmodel_provider = "fireside"\nmodel_context_window = {offer.room_tokens}\n\n'
        f'[model_providers.fireside]\nname = "Fireside"\nbase_url = "{offer.address}"\nenv_key = "FIRESIDE_KEY"\n'
        f'wire_api = "responses"\nstream_idle_timeout_ms = {HOUR_MS}'
    )


def _opencode_recipe(offer: ConnectionOffer) -> str:
    # As with VS Code, a quarter for the answer.
    limits = {"context": offer.room_tokens, "output": offer.room_tokens // 4}
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "Fireside",
        # Its own limit of five minutes would end the reading of a first prompt.
        "options": {"baseURL": offer.address, "apiKey": offer.key, "timeout": False},
        "models": {offer.model: {"name": offer.model, "limit": limits}},
    }
    # opencode can publish conversations; nothing of this computer's leaves it.
    return _format_json({"model": f"fireside/{offer.model}", "share": "disabled", "provider": {"fireside": provider}})


def _mcp_recipe(offer: ConnectionOffer) -> str:
    place = {"type": "http", "url": f"{offer.root}/mcp", "headers": {"Authorization": f"Bearer {offer.key}"}}
    return _format_json({"mcpServers": {"fireside": place}})


RECIPES = (
    ClientRecipe("curl", "In a terminal", _curl_recipe),
    ClientRecipe(
        "Continue",
        "In its config.yaml",
        lambda offer: (
            f"models:\n  - name: {offer.model}\n    provider: openai\n    model: {offer.model}\n"
            f"    apiBase: {offer.address}\n    apiKey: {offer.key}\n    roles: [chat, edit, autocomplete]"
        ),
    ),
    ClientRecipe(
        "Cline",
        "In its settings, provider “OpenAI Compatible”",
        lambda offer: (
            f"Base URL: {offer.address}\nAPI Key: {offer.key}\nModel ID: {offer.model}\n"
            f"Context Window Size: {offer.room_tokens}"
        ),
    ),
    ClientRecipe("Zed", "In its settings.json; enter the key in the agent panel", _zed_recipe),
    ClientRecipe(
        "VS Code",
        "Command “Chat: Manage Language Models”, Add, Custom Endpoint; then in the file that opens",
        _vs_code,
    ),
    ClientRecipe(
        "Open WebUI",
        "Admin settings, Connections, OpenAI",
        lambda offer: f"URL: {offer.address}\nKey: {offer.key}",
    ),
    ClientRecipe(
        "Obsidian Copilot",
        "Add a custom model, provider “OpenAI Format”; add app://obsidian.md to the allowed web pages below",
        lambda offer: f"Model name: {offer.model}\nBase URL: {offer.address}\nAPI key: {offer.key}",
    ),
    # About what their first prompts were measured to have: Claude Code's, 18,774 tokens.
    ClientRecipe("Claude Code", "In the terminal, before you start it", _claude_code, needs_tokens=20_000),
    ClientRecipe("Codex", "In ~/.codex/config.toml, with the key in FIRESIDE_KEY", _codex_recipe, needs_tokens=11_000),
    ClientRecipe("opencode", "In ~/.config/opencode/opencode.json", _opencode_recipe, needs_tokens=9_000),
    ClientRecipe(
        "Documents by MCP",
        "In the program’s list of MCP servers, such as mcp.json; let other programs read your documents, above",
        _mcp_recipe,
        uses_model=False,
    ),
)
