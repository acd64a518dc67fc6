DROP TABLE complaint_matters;
