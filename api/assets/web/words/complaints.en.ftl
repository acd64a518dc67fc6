complaints-title = Complaints
complaints-caption = Complaints, the latest first
complaints-total = { $count ->
    [one] { $count } complaint
   *[other] { $count } complaints
    }
complaints-reference = Reference
complaints-received = Received
complaints-state = State
complaints-unit = Unit complained about
complaints-category = Category
complaints-due = Due
complaints-overdue = { $day }, overdue
complaints-search = Search the text
complaints-unit-code = Code of a unit (with those below it)
complaints-from = Received from
complaints-until = Received until
complaints-only-overdue = Overdue only
