"""The formats of documents, a folder for each family: how its files are read, and written back translated."""
