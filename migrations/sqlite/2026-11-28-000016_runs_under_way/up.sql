-- A run that is under way is in the chain of states from here on. The program takes those into it that are when it
-- migrates the database: their hashes cannot be computed in SQL.
SELECT 1;
