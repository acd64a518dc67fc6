-- SQLite's function is part of the program.
SELECT 1;
