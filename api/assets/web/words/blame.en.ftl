nav-blame = Blame check
blame-title = Who blames the system
blame-caption = Officers and branches that blamed the system
blame-what = Complaints in which the officer blamed the system, against the incidents of the system that are recorded for the day and the place.
blame-code = Code of an officer or a branch
blame-never = The check has not run yet.
blame-total = { $blamed ->
    [one] { $blamed } complaint
   *[other] { $blamed } complaints
    } in the { $days } days to { $day } blamed the system; for { $without } of them no incident is recorded.
blame-subject = Officer or branch
blame-kind = Kind
blame-kind-OFFICER = Officer
blame-kind-BRANCH = Branch
blame-blamed = Blamed the system
blame-without = Without an incident
blame-share = Share without
blame-limits = 95% limits
blame-others = Share of all others
blame-chance = Chance
blame-once-in = less than once in { $once }
blame-note = A mark means that chance hardly explains the share. It proposes to look at the complaints, and says nothing of guilt.
