"""Files of data: tables in plain text, catalogues of messages, JSON and YAML."""
