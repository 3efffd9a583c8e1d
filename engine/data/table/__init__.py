"""The stages of reading a table: bytes, text, rows, columns, target and inputs."""
