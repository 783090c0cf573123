"""What to write into the settings of other programs, so that they find the models here."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """One program: where its settings are, and what belongs there. `write` takes address, key and a model's name."""

    name: str
    where: str
    write: Callable[[str, str, str], str]


def _json(value: object) -> str:
    return json.dumps(value, indent=2)


def _root(address: str) -> str:
    return address.removesuffix("/v1")


RECIPES = (
    Recipe(
        "curl",
        "In a terminal",
        lambda address, key, model: (
            f"curl {address}/chat/completions \\\n"
            f'  -H "Authorization: Bearer {key}" -H "Content-Type: application/json" \\\n'
            f"""  -d '{json.dumps({"model": model, "messages": [{"role": "user", "content": "Hello"}]})}'"""
        ),
    ),
    Recipe(
        "Continue",
        "In its config.yaml",
        lambda address, key, model: (
            f"models:\n  - name: {model}\n    provider: openai\n    model: {model}\n"
            f"    apiBase: {address}\n    apiKey: {key}\n    roles: [chat, edit, autocomplete]"
        ),
    ),
    Recipe(
        "Cline",
        "In its settings, provider “OpenAI Compatible”",
        lambda address, key, model: f"Base URL: {address}\nAPI Key: {key}\nModel ID: {model}",
    ),
    Recipe(
        "Zed",
        "In its settings.json; the key is asked for in the agent’s panel",
        lambda address, _key, model: _json(
            {
                "language_models": {
                    "openai_compatible": {
                        "Fireside": {
                            "api_url": address,
                            "available_models": [{"name": model, "display_name": model, "max_tokens": 8192}],
                        }
                    }
                }
            }
        ),
    ),
    Recipe(
        "VS Code",
        "Manage models, Custom endpoint",
        lambda address, key, model: f"URL: {address}/chat/completions\nAPI key: {key}\nModel: {model}",
    ),
    Recipe(
        "Open WebUI",
        "Admin settings, Connections, OpenAI",
        lambda address, key, _model: f"URL: {address}\nKey: {key}",
    ),
    Recipe(
        "Obsidian Copilot",
        "Add a custom model, provider “OpenAI Format”; name app://obsidian.md as a page that may ask, below",
        lambda address, key, model: f"Model name: {model}\nBase URL: {address}\nAPI key: {key}",
    ),
    Recipe(
        "Claude Code",
        "In the terminal, before it is started",
        lambda address, key, model: (
            f"export ANTHROPIC_BASE_URL={_root(address)}\nexport ANTHROPIC_AUTH_TOKEN={key}\n"
            f"export ANTHROPIC_MODEL={model}\nclaude"
        ),
    ),
    Recipe(
        "Codex",
        "In ~/.codex/config.toml, with the key in FIRESIDE_KEY",
        lambda address, _key, model: (
            f'model = "{model}"\nmodel_provider = "fireside"\n\n[model_providers.fireside]\nname = "Fireside"\n'
            f'base_url = "{address}"\nenv_key = "FIRESIDE_KEY"\nwire_api = "responses"'
        ),
    ),
)
