nav-explore = Explore
explore-title = Explore the numbers
explore-by = Group by
explore-and = And by
explore-nothing-else = Nothing else
explore-measure = Measure
explore-from = From the month
explore-until = Up to the month
explore-month-help = Year-month, such as 2026-03
explore-until-before-from = The last month must not be before the first.
explore-unit = Code of a unit (with those below it)
explore-category = Code of a category
explore-kind = Kind of category
explore-channel = Channel
explore-state = State
explore-more-filters = More filters
explore-day-from = Received from the day
explore-day-until = Received up to the day
explore-answered-from = Answered from the day
explore-answered-until = Answered up to the day
explore-as-of = As of the end of the day
explore-as-of-help = A past day: counts what had been received, answered and decided by its end
explore-concerning = Code of a unit that it concerns
explore-concerning-help = Complaints about the unit, and those that it has to answer, with the units below it
explore-responsible = Code of the unit that has to answer (with those below it)
explore-responsible-alone = Code of the unit that has to answer (it alone)
explore-confidential = Confidential
explore-count = { $count ->
    [one] { $count } group
   *[other] { $count } groups
    }
explore-noise = Your role reads numbers with noise, of whole months; small groups are withheld.
explore-withheld = { $count ->
    [one] { $count } group is too small to be shown.
   *[other] { $count } groups are too small to be shown.
    }
explore-caption = { $measure }, as of { $time }
explore-all = All
explore-groups = groups
explore-without = (none)
explore-first = To the beginning
explore-query = The GraphQL behind this table is at the end of the page
explore-by-CATEGORY = Category
explore-by-CATEGORY_GROUP = First-level category
explore-by-KIND = Kind of category
explore-by-DEPARTMENT = Local department
explore-by-BRANCH = Branch
explore-by-TEAM = Team
explore-by-UNIT = Unit complained about
explore-by-RESPONSIBLE_UNIT = Unit that has to answer
explore-by-PEER_GROUP = Peer group
explore-by-CHANNEL = Channel
explore-by-STATE = State
explore-by-LEGAL_FORM = Legal form
explore-by-FINDING = Finding
explore-by-YEAR = Year
explore-by-QUARTER = Quarter
explore-by-MONTH = Month
explore-by-WEEK = Week from
explore-by-DAY = Day
explore-by-OFFICER = Officer
explore-by-ENTERPRISE = Enterprise
explore-no-group = No group meets these conditions. Remove some filters or choose a longer period.
