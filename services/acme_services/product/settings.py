"""This service's own knobs; fixed until somebody needs them otherwise."""

from datetime import timedelta

# How long a repeated request still gets the first answer; a day is what callers of such keys know elsewhere.
CLAIM_LIFETIME = timedelta(days=1)
# How often expired claims are deleted, in seconds.
CLAIM_SWEEP_SECONDS = 3600.0
# The name of the dependency that holds the products.
DATABASE = "db"
