"""HANDS: makes a cluster match manifests. Knows manifests and no Acme kind, and never decides what is wanted."""
