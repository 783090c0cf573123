"""Fireside: talk to language models that run on this computer."""

APP_NAME = "Fireside"
APP_ID = "fireside"
__version__ = "0.1.0"
