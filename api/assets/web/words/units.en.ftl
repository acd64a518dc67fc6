nav-units = Units
units-title = Units
units-search = Search names and codes
units-months = Period
units-months-choice = Last { $months } whole months
units-kind-filter = Kind of category
units-with-ended = With units that have ended
units-rates = Which units differ from what is usual
units-rates-note = Episodes against what the workload lets expect, in { $days } days up to { $day }. Only what chance hardly explains is marked.
units-episodes = episodes
units-branches = branches
units-provinces = provinces
units-elsewhere = { $count ->
    [one] { $count } branch lies in no province that the map knows. The setting web.places_file can name it.
   *[other] { $count } branches lie in no province that the map knows. The setting web.places_file can name them.
    }
units-rates-nothing = No map and no funnel: the job recurrence has not run yet, the register knows no work to compare branches by, or you are an officer whom complaints may name. An administrator imports the work with phananh import workload, or the postings of officers; the next run compares the branches.
units-tree = The units: { $count }
units-tree-note = Complaints about each unit and those below it in the last { $months } whole months.
units-complaints = { $count ->
    [one] { $count } complaint
   *[other] { $count } complaints
    }
units-in-time = { $share } in time
units-ended = ended on { $day }
units-below = { $count ->
    [one] { $count } unit below
   *[other] { $count } units below
    }
units-table = The units as a table
units-unit = Unit
units-code = Code
units-kind = Level
units-above = Unit above
units-caption = The units with their numbers of the last { $months } whole months
units-back = All units
units-days = Period
units-days-choice = Last { $days } days
units-fact-kind = Level
units-fact-above = Below
units-fact-peers = Compared with
units-fact-field = Field
units-fact-from = From
units-fact-until = Until
units-fact-successor = Successor
units-fact-list = Complaints
units-list-link = Complaints about this unit
units-flag = The flag on this unit:
units-card = Scorecard
units-card-caption = Complaints received in the last { $days } days that this unit and those below it have to answer
units-card-number = Number
units-card-value = Value
units-card-complaints = Complaints received
units-card-distinctEnterprises = Enterprises that complained
units-card-episodes = Episodes about conduct
units-card-due = Deadline has passed
units-card-answeredInTime = Of these answered in time
units-card-shareAnsweredInTime = Share answered in time
units-card-medianDaysToResponse = Median days to the answer
units-card-open = Open
units-card-overdue = Overdue
units-card-costVnd = Cost stated by enterprises (VND)
units-card-delayHours = Delay stated (hours)
units-peers = Beside its peers
units-peers-sentence = This unit answered { $own } in time; all { $count } units of its group: { $all }.
units-peers-note = By code, and not by rank: chance explains most differences. A mark says that the 95% limits of a unit leave out the share of all.
units-peer-caption = The units of the group that you may see, in the last { $days } days
units-peer-unit = Unit
units-peer-complaints = Complaints
units-peer-due = Due
units-peer-share = In time
units-peer-limits = 95% limits
units-peer-against = Against all
units-peer-median = Median days
units-peer-open = Open
units-peer-overdue = Overdue
units-peer-own = { $unit } – this unit
units-peer-more = in time more often
units-peer-less = in time less often
units-about = Complaints about this unit
units-categories = Complaints by category from { $from } to { $until }
units-category-column = Category
units-complaints-column = Complaints
units-enterprises-column = Enterprises
units-cusum = Cumulative sum by week (CUSUM)
units-cusum-note = It adds up what exceeds the expectation. Above the limit it gives a signal and begins again at 0. A unit at its expectation gives one signal in five years.
units-over = Overdue: { $count ->
    [one] { $count } complaint
   *[other] { $count } complaints
    }
units-over-caption = Overdue complaints that this unit has to answer, the longest overdue first
units-over-all = All overdue complaints of this unit and those below it
units-over-complaint = Complaint
units-over-due = Due
units-over-days = Days overdue
units-over-state = State
units-over-category = Category
units-over-about = Unit complained about
units-history = History of the unit
units-history-recorded = Recorded
units-history-effective = In force from
units-history-who = Who
units-history-what = What changed
units-history-withheld = { $field }: changed; you may not read the values
units-actor-COMMAND = Command line
units-actor-COMPLAINANT = Complainant
units-actor-IMPORT = Import
units-actor-JOB = Job
units-actor-PROGRAM = Program
units-actor-TOKEN = Token
units-nothing = No unit meets these conditions. An administrator imports the units with phananh import units.
