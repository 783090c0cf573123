"""What to write into the settings of other programs, so that they find the models here."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Offer:
    """What a program is to use: a server's address and key, and one of its models."""

    address: str
    key: str = field(repr=False)
    model: str
    context_tokens: int = 8192
    sees: bool = False

    @property
    def root(self) -> str:
        """The address for those who know the rest of the path."""
        return self.address.removesuffix("/v1")


@dataclass(frozen=True)
class Recipe:
    """One program: where its settings are, and what belongs there."""

    name: str
    where: str
    write: Callable[[Offer], str]


def _json(value: object) -> str:
    return json.dumps(value, indent=2)


def _curl(offer: Offer) -> str:
    asked = json.dumps({"model": offer.model, "messages": [{"role": "user", "content": "Hello"}]})
    return (
        f"curl {offer.address}/chat/completions \\\n"
        f'  -H "Authorization: Bearer {offer.key}" -H "Content-Type: application/json" \\\n'
        f"  -d '{asked}'"
    )


def _zed(offer: Offer) -> str:
    able = {"tools": True, "images": offer.sees, "parallel_tool_calls": True, "prompt_cache_key": False}
    model = {"name": offer.model, "display_name": offer.model, "max_tokens": offer.context_tokens, "capabilities": able}
    place = {"api_url": offer.address, "available_models": [model]}
    return _json({"language_models": {"openai_compatible": {"Fireside": place}}})


def _vs_code(offer: Offer) -> str:
    written = offer.context_tokens // 4
    model = {
        "id": offer.model,
        "name": offer.model,
        "url": f"{offer.address}/chat/completions",
        "toolCalling": True,
        "vision": offer.sees,
        "maxInputTokens": offer.context_tokens - written,
        "maxOutputTokens": written,
    }
    place = {"name": "Fireside", "vendor": "customendpoint", "apiKey": offer.key, "apiType": "chat-completions"}
    return _json([place | {"models": [model]}])


RECIPES = (
    Recipe("curl", "In a terminal", _curl),
    Recipe(
        "Continue",
        "In its config.yaml",
        lambda offer: (
            f"models:\n  - name: {offer.model}\n    provider: openai\n    model: {offer.model}\n"
            f"    apiBase: {offer.address}\n    apiKey: {offer.key}\n    roles: [chat, edit, autocomplete]"
        ),
    ),
    Recipe(
        "Cline",
        "In its settings, provider “OpenAI Compatible”",
        lambda offer: (
            f"Base URL: {offer.address}\nAPI Key: {offer.key}\nModel ID: {offer.model}\n"
            f"Context Window Size: {offer.context_tokens}"
        ),
    ),
    Recipe("Zed", "In its settings.json; the key is asked for in the agent’s panel", _zed),
    Recipe(
        "VS Code",
        "Command “Chat: Manage Language Models”, Add, Custom Endpoint; then in the file that opens",
        _vs_code,
    ),
    Recipe(
        "Open WebUI",
        "Admin settings, Connections, OpenAI",
        lambda offer: f"URL: {offer.address}\nKey: {offer.key}",
    ),
    Recipe(
        "Obsidian Copilot",
        "Add a custom model, provider “OpenAI Format”; name app://obsidian.md as a page that may ask, below",
        lambda offer: f"Model name: {offer.model}\nBase URL: {offer.address}\nAPI key: {offer.key}",
    ),
    Recipe(
        "Claude Code",
        "In the terminal, before it is started",
        lambda offer: (
            f"export ANTHROPIC_BASE_URL={offer.root}\nexport ANTHROPIC_AUTH_TOKEN={offer.key}\n"
            f"export ANTHROPIC_MODEL={offer.model}\nclaude"
        ),
    ),
    Recipe(
        "Codex",
        "In ~/.codex/config.toml, with the key in FIRESIDE_KEY",
        lambda offer: (
            f'model = "{offer.model}"\nmodel_provider = "fireside"\n\n[model_providers.fireside]\nname = "Fireside"\n'
            f'base_url = "{offer.address}"\nenv_key = "FIRESIDE_KEY"\nwire_api = "responses"'
        ),
    ),
)
