-- Versions of the classifier of complaints, and what classifiers suggest.
CREATE TABLE classifier_models (
    id BLOB NOT NULL,
    version INTEGER NOT NULL CHECK (version > 0),
    trained_at INTEGER NOT NULL,
    as_of DATE NOT NULL,
    position BIGINT NOT NULL,
    seed BIGINT NOT NULL,
    examples INTEGER NOT NULL,
    hash TEXT NOT NULL,
    metrics TEXT NOT NULL,
    code_version TEXT NOT NULL,
    actor TEXT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (version)
);

-- The SHA-256 hash of the weights stands in classifier_models.
CREATE TABLE classifier_weights (
    model_id BLOB NOT NULL REFERENCES classifier_models (id),
    weights BLOB NOT NULL,
    PRIMARY KEY (model_id)
);

-- What a classifier last made of a complaint. A complaint without suggestions has a margin of 0.
CREATE TABLE classifications (
    complaint_id BLOB NOT NULL REFERENCES complaints (id),
    complaint_version INTEGER NOT NULL,
    classifier TEXT NOT NULL,
    margin DOUBLE NOT NULL CHECK (margin >= 0 AND margin <= 1),
    suggested_at INTEGER NOT NULL,
    PRIMARY KEY (complaint_id)
);

CREATE TABLE category_suggestions (
    complaint_id BLOB NOT NULL REFERENCES classifications (complaint_id),
    rank INTEGER NOT NULL CHECK (rank > 0),
    category_id BLOB NOT NULL REFERENCES issue_categories (id),
    confidence DOUBLE NOT NULL CHECK (confidence >= 0 AND confidence <= 1),
    PRIMARY KEY (complaint_id, rank)
);

CREATE INDEX classifications_by_margin_complaint_id ON classifications (margin, complaint_id);
-- Few complaints wait for a classification, however many there are.
CREATE INDEX complaints_received ON complaints (id) WHERE state = 'RECEIVED';
