"""Access tokens in the system's keyring: one for each host, so that a mirror never gets the Hub's."""

from __future__ import annotations

import logging

from app import APP_ID
from app.core.errors.hub_errors import TokenNotKept

log = logging.getLogger(__name__)


HUB_HOST = "huggingface.co"


class HubToken:
    """Reading and writing may take a moment and wait for the person, so they belong off the window's thread."""

    def __init__(self) -> None:
        # Kept while the program runs: a keyring may ask the person each time.
        self._texts: dict[str, str] = {}

    def load(self, host: str = HUB_HOST) -> str:
        """Return the token for a host; "" when there is none, or no keyring."""
        if host not in self._texts:
            self._texts[host] = _read_keyring(host)
        return self._texts[host]

    def save(self, text: str, host: str = HUB_HOST) -> None:
        """Save a token in the keyring; "" deletes it. Raises TokenNotKept if it lasts until the program ends only."""
        import keyring  # heavy, and not needed by most people
        from keyring.errors import KeyringError, PasswordDeleteError

        # In memory first, so that a token that can't be kept still works until the program ends.
        text = self._texts[host] = text.strip()
        try:
            if text:
                keyring.set_password(APP_ID, host, text)
            else:
                keyring.delete_password(APP_ID, host)
        except PasswordDeleteError:
            return  # there was none
        # A system without a keyring raises any of these.
        except (KeyringError, OSError, RuntimeError) as error:
            log.info("the keyring cannot be used: %s", type(error).__name__)
            if text:
                raise TokenNotKept from error


def _read_keyring(host: str) -> str:
    import keyring
    from keyring.errors import KeyringError

    try:
        return keyring.get_password(APP_ID, host) or ""
    except (KeyringError, OSError, RuntimeError) as error:
        log.info("the keyring cannot be read: %s", type(error).__name__)
        return ""
