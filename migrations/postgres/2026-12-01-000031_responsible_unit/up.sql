-- The unit that has to answer a complaint, beside the unit that it is about. Complaints that are here already are
-- routed to the owner of the category, else to the branch, the department or the unit complained about: there are no
-- other rules yet. schema::register::first_routing records one event for all of them, and undoes earlier assignments.
ALTER TABLE complaints ADD COLUMN responsible_unit_id uuid REFERENCES units (id);
UPDATE complaints SET responsible_unit_id = COALESCE(
    (
        SELECT COALESCE(own.owner_unit_id, above.owner_unit_id)
        FROM issue_categories AS own LEFT JOIN issue_categories AS above ON above.id = own.parent_id
        WHERE own.id = complaints.category_id
    ),
    branch_id, department_id, unit_id
);
CREATE INDEX complaints_by_responsible_unit_id_received_at_id ON complaints (responsible_unit_id, received_at, id);
-- Complaints that another unit answers than one that they are about. A head's page reads all others by another index,
-- in their order. schema::queries::answered_elsewhere repeats the condition.
CREATE INDEX complaints_answered_elsewhere ON complaints (responsible_unit_id, received_at, id)
WHERE responsible_unit_id IS NOT NULL
AND (unit_id IS NULL OR responsible_unit_id <> unit_id)
AND (team_id IS NULL OR responsible_unit_id <> team_id)
AND (branch_id IS NULL OR responsible_unit_id <> branch_id)
AND (department_id IS NULL OR responsible_unit_id <> department_id);

-- Which unit answers complaints of a category, of a kind, or about a unit and those below it. Without a responsible
-- unit it is the branch complained about, whoever owns the category.
CREATE TABLE routing_rules (
    id uuid NOT NULL,
    category_id uuid REFERENCES issue_categories (id),
    kind text COLLATE "C" CHECK (kind IN ('PROFICIENCY', 'PROCEDURE', 'RIGID_HANDLING', 'TECHNICAL', 'CONDUCT')),
    unit_id uuid REFERENCES units (id),
    responsible_unit_id uuid REFERENCES units (id),
    valid_from date NOT NULL,
    valid_to date,
    PRIMARY KEY (id)
);

-- True of what a unit says that is complained about but need not answer: it is no answer. Null otherwise.
ALTER TABLE unit_responses ADD COLUMN statement boolean;
