"""The server: sessions, the frame channel, and what bounds and watches them."""
