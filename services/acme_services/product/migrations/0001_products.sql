-- Every statement stands being run again: a process may die after a step and before the step is noted.
CREATE TABLE IF NOT EXISTS products (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    description text NOT NULL CHECK (char_length(description) <= 5000),
    price_minor_units bigint NOT NULL CHECK (price_minor_units >= 0),
    price_currency text NOT NULL CHECK (price_currency ~ '^[A-Z]{3}$'),
    version bigint NOT NULL CHECK (version >= 1),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE IF NOT EXISTS idempotency_claims (
    key text PRIMARY KEY CHECK (char_length(key) BETWEEN 1 AND 128),
    fingerprint text NOT NULL,
    product jsonb NOT NULL,
    claimed_at timestamptz NOT NULL
);

CREATE INDEX IF NOT EXISTS idempotency_claims_by_age ON idempotency_claims (claimed_at);
