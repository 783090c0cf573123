"""The key of locked data in a small file that only the passphrase opens; SQLCipher does both.

The passphrase encrypts nothing but that key, so that changing it rewrites one page and none of the chats.
"""

from __future__ import annotations

import hashlib
import os
import unicodedata
from contextlib import closing
from pathlib import Path
from typing import Any

from app.core.errors.lock_errors import WrongPassphrase
from app.core.paths import private_opener
from app.core.synced_files import place_file
from app.store import sqlite_access
from app.store.sqlite_access import KEY_BYTES, load_sqlcipher, silence_log

ROUNDS = 600_000
"""Of PBKDF2 with SHA-512, by which SQLCipher makes a key of a passphrase: more than its own 256,000, as this is done
once a start.
"""


def new_key() -> bytes:
    return os.urandom(KEY_BYTES)


def write_lock(path: Path, passphrase: str, key: bytes) -> None:
    """Write or replace the file: it has the old content or the new one at any moment. Raises OSError."""
    scratch = path.with_name(path.name + ".new")
    scratch.unlink(missing_ok=True)
    open(scratch, "wb", opener=private_opener).close()
    with closing(load_sqlcipher().connect(str(scratch), isolation_level=None)) as connection:
        _give_passphrase(connection, passphrase)
        connection.execute("PRAGMA journal_mode = MEMORY")
        connection.execute("CREATE TABLE keys (key BLOB NOT NULL)")
        connection.execute("INSERT INTO keys VALUES (?)", (key,))
    place_file(scratch, path)


def read_lock(path: Path, passphrase: str) -> bytes:
    """Return the key of the data. Raises WrongPassphrase, also for a damaged file: they look the same."""
    sqlcipher = load_sqlcipher()
    try:
        with closing(sqlcipher.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            _give_passphrase(connection, passphrase)
            return bytes(connection.execute("SELECT key FROM keys").fetchone()[0])
    except sqlite_access.DATABASE_ERRORS as error:
        raise WrongPassphrase from error


def _give_passphrase(connection: Any, passphrase: str) -> None:
    # Typed on another keyboard, one letter may come as two characters. Its hash needs no quoting, whatever is typed.
    digest = hashlib.sha256(unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogatepass"))
    execute = connection.execute
    silence_log(connection)
    execute(f"PRAGMA key = '{digest.hexdigest()}'")
    execute(f"PRAGMA kdf_iter = {ROUNDS}")
