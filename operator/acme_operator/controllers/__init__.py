"""Thread: per kind, gather → check → render → apply → observe → status. Level-based, and no kopf."""
