"""The optional lock: everything a person wrote, encrypted with a passphrase."""
