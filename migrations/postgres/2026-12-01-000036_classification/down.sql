DROP INDEX complaints_received;
DROP TABLE category_suggestions;
DROP TABLE classifications;
DROP TABLE classifier_weights;
DROP TABLE classifier_models;
