-- How exactly it is known when a complaint was received, where that is less exact than a day.
ALTER TABLE complaints ADD COLUMN received_precision TEXT CHECK (received_precision IN ('MONTH'));
