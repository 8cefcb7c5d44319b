"""Words: the three kinds as types. Everything else is built from them; this room imports nothing of ours."""
