"""The models of this computer: suggested, found, fetched, estimated, kept, and why one would not fit."""
