-- The function phananh_plain is given to each connection.
SELECT 1;
