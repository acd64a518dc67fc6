-- A complaint is looked for by the number that another register gave it, also by who does not say which register that is.
CREATE INDEX complaint_sources_by_reference ON complaint_sources (reference);
