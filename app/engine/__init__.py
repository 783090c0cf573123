"""The engine, behind a process boundary: client on this side, worker on the other."""
