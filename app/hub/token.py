"""The access token for the Hub, in the system's keyring: one for each host, so that a mirror never gets the Hub's."""

from __future__ import annotations

import logging

from app import APP_ID
from app.core.errors import TokenNotKept

log = logging.getLogger(__name__)

HUB_HOST = "huggingface.co"


class Token:
    """Reading and writing may take a moment and wait for the person, so they belong off the window's thread."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def load(self, host: str = HUB_HOST) -> str:
        """The token for a host; "" when there is none, or no keyring."""
        if host not in self._texts:
            self._texts[host] = _read(host)
        return self._texts[host]

    def save(self, text: str, host: str = HUB_HOST) -> None:
        """Keeps a token, or forgets it with "". Raises TokenNotKept when it holds until the program's end only."""
        import keyring  # heavy, and not needed by most people
        from keyring.errors import KeyringError, PasswordDeleteError

        text = self._texts[host] = text.strip()
        try:
            if text:
                keyring.set_password(APP_ID, host, text)
            else:
                keyring.delete_password(APP_ID, host)
        except PasswordDeleteError:
            return  # there was none
        except (KeyringError, OSError, RuntimeError) as error:
            log.info("the keyring cannot be used: %s", type(error).__name__)
            if text:
                raise TokenNotKept from error


def _read(host: str) -> str:
    import keyring
    from keyring.errors import KeyringError

    try:
        return keyring.get_password(APP_ID, host) or ""
    except (KeyringError, OSError, RuntimeError) as error:
        log.info("the keyring cannot be read: %s", type(error).__name__)
        return ""
