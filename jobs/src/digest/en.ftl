mark = Demonstration data: every unit, officer and enterprise in this digest is invented.
mark-short = [DEMONSTRATION]
title = Digest of enterprises’ complaints
subject = Complaints up to { $day }: { $flags ->
        [one] { $flags } new flag
       *[other] { $flags } new flags
    }, { $overdue } overdue
board = Project Board
analysts = Data team
subject-analysts = Complaints up to { $day }: { $overdue } overdue
up-to = As of the end of { $day }.
since = Compared with the digest of { $day }.
first = This is the first digest: every flag that stands counts as new.
stale = The results on { $job } go only to { $day }.
monthly = “{ $source }” gives months without days: { $count ->
        [one] { $count } complaint
       *[other] { $count } complaints
    } in a year. Windows shorter than 90 days are left out for whom they are about, and numbers of 30 days below have whole months of it, or none.
job-recurrence = flags
job-timeliness = answers in time
job-trends = rising categories
job-escalate-overdue = overdue complaints
not-guilt = A flag proposes a review. It says nothing of guilt; what follows is decided by a competent person.

flags = Flags on officers and branches
flags-total = { $total ->
        [one] { $total } flag stands
       *[other] { $total } flags stand
    }: { $suspension } proposed for review of suspension, { $inspection } for inspection of a branch, { $review } for review, { $watch } to watch.
flags-count = Flags
flags-all = All together
flags-none = No flag is new, raised, lowered or ended.
flags-gone = No longer flagged ({ $count })
flags-dismissed = Dismissed by the Board ({ $count })
flags-retracted = Retracted: evidence was corrected away ({ $count })
flags-gone-why = As of { $day } no rule is met any more: complaints have left the time that the rules look at, or do not count any more.
flags-dismissed-why = The Board has dismissed it.
flags-retracted-why = Without the evidence that was corrected no rule is met.
because = Reason: { $reason }
last-reason = When it was last flagged: { $reason }
others = The others: { $codes }
standing = All flags that stand
more = … and { $count ->
        [one] { $count } other
       *[other] { $count } others
    }: the system has the whole list.
OFFICER = Officer
BRANCH = Branch
WATCH = Watch
REVIEW = Review
SUSPENSION_REVIEW = Suspension review
INSPECTION = Inspection of the branch
was = before: { $tier }

measures = Measures about officers
measures-new = New or changed ({ $count })
measure-until = { $kind }, decided on { $decided }, from { $from } to { $to } ({ $state }).
measure-open = { $kind }, decided on { $decided }, from { $from } on ({ $state }).
measure-ground = Ground: { $ground }.
measure-REASSIGNMENT = Reassignment
measure-DISCIPLINE = Discipline
measure-SUSPENSION = Suspension
measure-FORMAL_REVIEW = Formal review
measure-UPCOMING = not begun
measure-IN_FORCE = in force
measure-EXTENDED = in force, extended
measure-LAPSED = lapsed
measure-LIFTED = lifted early
measure-VOID = void, recorded by mistake
ground-MORAL_CONDUCT = conduct that harms the standing of the service
ground-HARASSMENT_OF_ENTERPRISES = harassment of people, enterprises or organisations
ground-EVASION_OF_DUTY = evasion of the officer’s own work
ground-HINDERS_DISCIPLINE = hindering a disciplinary proceeding
ground-PARTY_DISCIPLINE = discipline by the Party, with the decision about the office pending
ground-REQUESTED_BY_AUTHORITY = request of an authority
ground-OTHER_BY_LAW = another case that a law names

overdue = Overdue responses
overdue-total = { $count ->
        [one] { $count } complaint has
       *[other] { $count } complaints have
    } not been answered although the deadline has passed.
overdue-older = Of them { $count } came more than { $days } days ago: the unit’s numbers of { $days } days leave those out.
overdue-list = The overdue complaints:
escalated-to = Heads who have to see to newly escalated complaints:
unit = Unit
escalated = Newly escalated
escalated-1 = To the level above the responsible unit
escalated-2 = To the level above that
escalated-none = No complaint was newly escalated to a higher level.
responsible-unit = Responsible unit
branch = Branch
count = Complaints
oldest = Longest overdue
days = { $count ->
        [one] { $count } day
       *[other] { $count } days
    }

rising = Rising categories
rising-none = No category rises clearly.
rising-note = The last { $recent } days against the { $before } days before them; only rises that can hardly be chance.
rising-young = The register is too young to say what rises: it takes 60 days.
category = Category
recent = Recent
expected = Usual

answers = Units that answer best and worst
answers-note = In time: of the complaints of { $days } days whose deadline has passed, those answered by it; open ones count as late. Only units with { $least } or more such complaints are ranked.
answers-all = All units
answers-none = No unit has enough complaints to be ranked.
best = Best
worst = Worst
share = In time
median = Half are answered within
never = fewer than half answered

register = Changes in the register
RECEIVED = { $count ->
        [one] { $count } complaint recorded
       *[other] { $count } complaints recorded
    }
UPDATED = { $count ->
        [one] { $count } correction
       *[other] { $count } corrections
    }
STATE_CHANGED = { $count ->
        [one] { $count } change of state
       *[other] { $count } changes of state
    }
RESPONDED = { $count ->
        [one] { $count } response
       *[other] { $count } responses
    }
UNIT_TREE_CORRECTED = { $count ->
        [one] { $count } complaint put below another unit
       *[other] { $count } complaints put below other units
    }
CORRECTED = { $count ->
        [one] { $count } correction by the Board
       *[other] { $count } corrections by the Board
    }
subject-unit = Complaints at { $unit } up to { $day }: { $flags ->
        [one] { $flags } new flag
       *[other] { $flags } new flags
    }, { $overdue } overdue
test-mail = [TEST]

news = New since the last digest
news-overdue = Newly overdue
news-other = Other complaints recorded, or with an answer recorded, since then
numbers = The last days in numbers
numbers-heading = The last { $days } days in numbers
number = Number
number-received = Complaints received
number-answered = Complaints answered
number-overdue = Overdue at the end
number-cost = Cost stated
number-delay = Delay stated (hours)
recent-days = Last { $days } days
period-before = The period before
usual-range = Usual
usual-low = Usual from
usual-high = Usual to
usual-note = Usual is the range in which about 19 of 20 periods lie, by the mean and the spread of up to twelve earlier periods of { $days } days. A number within it is no news.
received = Complaints
complaints = complaints
months = Months
month = Month
year-before = The year before
categories = Categories
kind = Kind
code = Code
name = Name
unit-code = Unit code
tier = { $tier } ({ $count })
tier-column = Proposal
change = Change
reason = Reason
oldest-days = Longest overdue (days)
overdue-days = Overdue by (days)
median-days = Median (days)
due = Deadline passed
mark-flags-new = new
mark-flags-raised = raised
mark-flags-lowered = lowered
plain-enterprises = { $count ->
        [one] { $count } enterprise
       *[other] { $count } enterprises
    } complained in { $days } days.
plain-ratio-OFFICER = { $ratio } times as many as colleagues with the same work; chance explains this less than once in { $times }.
plain-ratio-BRANCH = { $ratio } times as many as branches with the same work; chance explains this less than once in { $times }.

scorecard = How the unit answers
scorecard-complaints = Complaints to answer
scorecard-open = Of them open
scorecard-overdue = Of them overdue
scorecard-share = Answered in time
scorecard-peers = Half of { $count } comparable units reach { $share } or more; eight in ten lie from { $low } to { $high }.
complaint = Complaint
due-on = Deadline
late = Overdue complaints
overdue-by = Overdue by
escalated-here = Newly escalated to this unit or one below it
footer-head = It has only what its reader may see in the system.

measure-outcome = { $kind } from { $from }: { $before } complaints in the { $days } days before, { $after } in the { $days } days from then on.
measure-outcomes = Complaints before and after measures
measure = Measure
measure-from = { $kind }, from { $from }
days-compared = Days compared
before-it = Before
after-it = From then on
proposals = Proposals of the Board
proposal-PROPOSED = proposed
proposal-ACCEPTED = accepted
proposal-REJECTED = rejected
proposal-IMPLEMENTED = in force
proposal-WITHDRAWN = withdrawn
proposal-effect = { $before } complaints in the { $daysBefore } days before, { $after } in the { $daysAfter } days from then on.
proposal-ratio = That is { $ratio } times as many a day as before; of all other complaints there are { $elsewhere } times as many. This shows no cause.
blame = Who blames the system
blame-note = Complaints in which the officer blamed the system, and for which of them no incident of the system is recorded. It is a reason to look at them, and no finding.
blame-subject = Officer or branch
blame-blamed = Blamed the system
blame-without = Without an incident
blame-others = Share of all others
blame-new = New since the last digest.
blame-line = { $kind } { $code }: in { $blamed } complaints the system was blamed; for { $without } of them ({ $share }) no incident is recorded. For all others it is { $peers }.
outcomes = Before and after measures
decided-on = Decided on
starts-on = From
ends-on = Until
state-column = State
ground-column = Ground
proposal = Proposal
in-force-on = In force from
days-before = Days before
days-after = Days from then on
ratio-column = Times as many a day
ratio-elsewhere = All other complaints (times)
without-share = Share without an incident
footer = This digest has what the register held after its change number { $position }.
seal = Newest seal: { $name }

# The pictures of what is unusual, and their tables.
funnel = Branches against chance
episodes = episodes
branches = branches
observed = Observed
expectation = Expected
ratio = Observed / expected
lower-95 = 95% limit, lower
upper-95 = 95% limit, upper
lower-998 = 99.8% limit, lower
upper-998 = 99.8% limit, upper
against-chance = Against chance
chance-high = more than chance explains
chance-low = less than chance explains
map = Provinces against chance
province = Province
provinces = provinces with branches
gravest = The gravest flag
gravest-title = { $who }: { $times } times as many episodes as expected in { $days } days
window = Window
days-confirmed = { $count } days, confirmed complaints alone
limits-95 = 95% limits
timeline = Time line of a flag
day = Day
event = Event
detail = Detail
episode = Episode: number of complaints
episode-confirmed = Confirmed episode: number of complaints
cusum = Weeks of a branch
week-from = Week from
cusum-sum = Sum (CUSUM)
cusum-limit = Limit
cusum-signal = Signal
yes = yes
waiting = Waiting times
waited-days = Days since received
still-waiting = Share still waiting
value = Value
peers-count = Comparable units
peers-half = Half of them reach
peers-low = Eight in ten lie from
peers-high = Eight in ten lie up to
more-rows = The attached workbook has all rows.
rising-new = { $category }: rises anew

# Immediate mails.
notice-alert-raised = Complaints: { $count ->
        [one] 1 new alert
       *[other] { $count } new alerts
    }
notice-alert-cleared = Complaints: { $count ->
        [one] 1 alert is over
       *[other] { $count } alerts are over
    }
notice-webhook-test = Complaints: a test
notice-SUSPENSION_REVIEW = A new flag proposes a review for suspension, or an inspection of a branch (flag { $subject }).
notice-TECHNICAL_BURST = Unusually many technical complaints ({ $subject }): { $count } from { $from } to { $to }, where about { $expected } are usual. Chance alone would raise such an alert at most { $chance } times a month.
notice-JOB_FAILED = The job { $subject } of { $at } failed and is not tried again.
notice-JOB_MISSED = The job { $subject } was due at { $at } and has not run.
notice-DIGEST_UNDELIVERED = The digest up to { $day } did not reach { $count } of its recipients.
notice-digest-not-made = A digest was due to its reader at { $at } and has not been made.
notice-COMPLAINT_ESCALATED = The complaint { $complaint } is overdue since { $due } and was escalated to the unit { $unit }.
notice-why = This mail names no person. Those who may see more find it in the system.
