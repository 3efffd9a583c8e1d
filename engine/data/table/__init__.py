"""Tables, stage by stage: bytes, text, rows, columns, target and inputs."""
