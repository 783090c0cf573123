"""What Orca says of the program. Every test of this folder is marked `orca` and runs by `make test-orca`."""
