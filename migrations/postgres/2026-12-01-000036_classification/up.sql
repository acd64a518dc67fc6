-- Versions of the classifier of complaints, and what classifiers suggest.
CREATE TABLE classifier_models (
    id uuid NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    trained_at timestamptz NOT NULL,
    as_of date NOT NULL,
    position bigint NOT NULL,
    seed bigint NOT NULL,
    examples integer NOT NULL,
    hash text COLLATE "C" NOT NULL,
    metrics jsonb NOT NULL,
    code_version text COLLATE "C" NOT NULL,
    actor text COLLATE "C" NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (version)
);

-- The SHA-256 hash of the weights stands in classifier_models.
CREATE TABLE classifier_weights (
    model_id uuid NOT NULL REFERENCES classifier_models (id),
    weights bytea NOT NULL,
    PRIMARY KEY (model_id)
);

-- What a classifier last made of a complaint. A complaint without suggestions has a margin of 0.
CREATE TABLE classifications (
    complaint_id uuid NOT NULL REFERENCES complaints (id),
    complaint_version integer NOT NULL,
    classifier text COLLATE "C" NOT NULL,
    margin double precision NOT NULL CHECK (margin >= 0 AND margin <= 1),
    suggested_at timestamptz NOT NULL,
    PRIMARY KEY (complaint_id)
);

CREATE TABLE category_suggestions (
    complaint_id uuid NOT NULL REFERENCES classifications (complaint_id),
    rank integer NOT NULL CHECK (rank > 0),
    category_id uuid NOT NULL REFERENCES issue_categories (id),
    confidence double precision NOT NULL CHECK (confidence >= 0 AND confidence <= 1),
    PRIMARY KEY (complaint_id, rank)
);

CREATE INDEX classifications_by_margin_complaint_id ON classifications (margin, complaint_id);
-- Few complaints wait for a classification, however many there are.
CREATE INDEX complaints_received ON complaints (id) WHERE state = 'RECEIVED';
