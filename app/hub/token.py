"""The access token for the Hub, in the system's keyring."""

from __future__ import annotations

import logging

from app import APP_ID
from app.core.errors import TokenNotKept

log = logging.getLogger(__name__)

NAME = "huggingface.co"


class Token:
    """Reading and writing may take a moment and wait for the person, so they belong off the window's thread."""

    def __init__(self) -> None:
        self._text: str | None = None

    def load(self) -> str:
        """The token; "" when there is none, or no keyring."""
        if self._text is None:
            self._text = _read()
        return self._text

    def save(self, text: str) -> None:
        """Keeps a token, or forgets it with "". Raises TokenNotKept when it holds until the program's end only."""
        import keyring  # heavy, and not needed by most people
        from keyring.errors import KeyringError, PasswordDeleteError

        self._text = text.strip()
        try:
            if self._text:
                keyring.set_password(APP_ID, NAME, self._text)
            else:
                keyring.delete_password(APP_ID, NAME)
        except PasswordDeleteError:
            return  # there was none
        except (KeyringError, OSError, RuntimeError) as error:
            log.info("the keyring cannot be used: %s", type(error).__name__)
            if self._text:
                raise TokenNotKept from error


def _read() -> str:
    import keyring
    from keyring.errors import KeyringError

    try:
        return keyring.get_password(APP_ID, NAME) or ""
    except (KeyringError, OSError, RuntimeError) as error:
        log.info("the keyring cannot be read: %s", type(error).__name__)
        return ""
