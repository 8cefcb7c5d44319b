"""The catalogue: products that can be made, read, listed, changed and removed."""
