"""A model that marks which parts of a text its source does not support; see `checker`."""
