DROP TABLE trusted_operations;
