"""The parts of translating: languages, prompts, checks, glossary, stored work. `app.features.translate` joins them."""
