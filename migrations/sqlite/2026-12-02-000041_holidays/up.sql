-- The years of public holidays that the register has itself: they replace those of the configuration and of the program.
-- A year whose days are null is left to these again. `days_worked` are Saturdays and Sundays worked in exchange.
CREATE TABLE holiday_years (
    id BLOB NOT NULL,
    year INTEGER NOT NULL UNIQUE CHECK (year BETWEEN 1970 AND 2199),
    days_off TEXT,
    days_worked TEXT,
    reason TEXT NOT NULL,
    PRIMARY KEY (id)
);
