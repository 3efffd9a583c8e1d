"""The server: sessions, the frame channel, the limits of both, and health checks."""
