-- Whether what somebody is shown leaves the house: its groups have to be larger.
ALTER TABLE principals ADD COLUMN outside boolean NOT NULL DEFAULT false;
