DROP TABLE api_tokens;
DROP TABLE principals;
DROP TABLE flag_assessments;
DROP TABLE flags;
DROP TABLE job_runs;
