DROP TABLE measures;
DROP TABLE proposal_units;
DROP TABLE proposal_categories;
DROP TABLE proposals;
DROP TABLE guidance_opinions;
DROP TABLE guidance_documents;
