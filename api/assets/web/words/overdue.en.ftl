nav-overdue = Overdue
overdue-title = Overdue complaints
overdue-total = { $count ->
    [one] { $count } overdue complaint
   *[other] { $count } overdue complaints
    }
overdue-total-beyond = More than { $count } overdue complaints
overdue-unit-code = Code of the unit that has to answer (with those below it)
overdue-at-least = Overdue by at least (days)
overdue-units = The units for which most overdue complaints wait
overdue-complaints = Overdue complaints, the longest first
overdue-no-unit = No unit yet
overdue-not-visible = Not visible to you
overdue-escalations-title = Escalations
overdue-escalations = Escalations, the latest first
overdue-escalations-what = A complaint that is overdue is escalated to the unit above, and to the one above that after twice the time allowed. Where there is none, the Board acts.
overdue-escalations-total = { $count ->
    [one] { $count } escalation
   *[other] { $count } escalations
    }
overdue-escalated-unit-code = Code of the unit escalated to (with those below it)
overdue-named-unit-code = Code of the unit that it names (it alone)
overdue-from = Escalated from
overdue-until = Escalated until
overdue-confidential = Confidential
overdue-also-done = Also complaints that are done
overdue-level-1 = 1: the unit above
overdue-level-2 = 2: the level above that
overdue-column-unit = Unit
overdue-column-overdue = Overdue
overdue-column-open = Open
overdue-column-escalated = Escalated
overdue-column-complaint = Complaint
overdue-column-due = Due
overdue-column-days = Days overdue
overdue-column-responsible = Unit that has to answer
overdue-column-escalated-to = Escalated to
overdue-column-category = Category
overdue-column-state = State
overdue-column-escalated-at = Escalated at
overdue-column-level = Level
overdue-column-round = Round
overdue-nothing = No complaint is overdue under these conditions. The page Complaints, ordered by deadline, has those that are due soon.
overdue-escalations-nothing = No escalation meets these conditions. Overdue complaints are escalated automatically every hour.
