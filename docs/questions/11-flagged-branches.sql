-- How far are flagged branches above what their work lets expect, with exact 95 % limits?
SELECT f.unit, f.tier, n.window_days, n.observed, n.expected, n.ratio, n.ratio_lower, n.ratio_upper
FROM flags f JOIN flag_numbers n ON n.flag = f.flag
WHERE f.unit IS NOT NULL AND n.observed IS NOT NULL
ORDER BY f.unit, n.window_days
