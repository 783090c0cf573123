"""The parts of translating: languages, prompts, checks, glossary, stored work; `translate` joins them."""
