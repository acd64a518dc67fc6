mark = Demonstration data: every unit, officer and enterprise in this digest is invented.
mark-short = [DEMONSTRATION]
title = Digest of enterprises’ complaints
subject = Complaints up to { $day }: { $flags ->
        [one] { $flags } new flag
       *[other] { $flags } new flags
    }, { $overdue } overdue
board = Project Board
up-to = As of the end of { $day }.
since = Compared with the digest of { $day }.
first = This is the first digest: every flag that stands counts as new.
stale = The results of “{ $job }” go only to { $day }.
monthly = “{ $source }” gives months without days: { $count ->
        [one] { $count } complaint
       *[other] { $count } complaints
    } in a year. Windows shorter than 90 days are left out for whom they are about, and numbers of 30 days below have whole months of it, or none.
not-guilt = A flag proposes a review. It says nothing of guilt; what follows is decided by a competent person.

flags = Flags on officers and branches
flags-total = { $total ->
        [one] { $total } flag stands
       *[other] { $total } flags stand
    }: { $suspension } proposed for review of suspension, { $inspection } for inspection of a branch, { $review } for review, { $watch } to watch.
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
escalated-to = Heads who have to see to these complaints (the list is in `escalations`):
unit = Unit
escalated = Newly escalated: { $department } to the level above the responsible unit, { $top } to the level above that.
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
rising-note = The last { $recent } days against the { $before } days before them; only rises that chance hardly explains.
rising-young = The register is too young to say what rises: it takes 60 days.
category = Category
recent = Recent
expected = Usual

cost = Cost and delay
cost-line = In { $days } days: { $count ->
        [one] { $count } complaint
       *[other] { $count } complaints
    }, a cost of { $cost }, a delay of { $hours } hours.
cost-before = The { $days } days before: { $count ->
        [one] { $count } complaint
       *[other] { $count } complaints
    }, a cost of { $cost }, a delay of { $hours } hours.

answers = Units that answer best and worst
answers-note = Share answered in time within { $days } days, of complaints whose deadline has passed; open ones count as they stood on the day. Only units with { $least } or more such complaints are ranked.
answers-all = All units: { $share } in time; half of the complaints are answered within { $median }.
answers-all-no-median = All units: { $share } in time; less than half of the complaints are answered.
answers-none = No unit has enough complaints to be ranked.
best = Best
worst = Worst
share = In time
median = Median
never = less than half

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

numbers = The last days in numbers
number = Number
number-received = Complaints received
number-answered = Complaints answered
number-overdue = Overdue at the end
number-cost = Cost stated
recent-days = Last { $days } days
period-before = The period before
usual-range = Usual
usual-low = Usual from
usual-high = Usual to
usual-note = Usual is the mean of up to twelve earlier periods of { $days } days, less and plus two standard deviations. What is within varies by itself.
received = Complaints
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
scorecard-own = In { $days } days: { $count ->
        [one] { $count } complaint
       *[other] { $count } complaints
    } to answer, { $open } open, { $overdue } overdue.
scorecard-share = Answered in time: { $share }.
scorecard-peers = Half of { $count } comparable units reach { $share } or more; eight in ten lie from { $low } to { $high }.
complaint = Complaint
due-on = Deadline
late = Overdue complaints
overdue-by = Overdue by
escalated-here = Newly escalated to this unit or one below it
footer-head = It has only what its reader may see in the system.

measure-outcome = { $kind } from { $from }: { $before } complaints in the { $days } days before, { $after } in the { $days } days from then on.
proposals = Proposals of the Board
proposal-PROPOSED = proposed
proposal-ACCEPTED = accepted
proposal-REJECTED = rejected
proposal-IMPLEMENTED = in force
proposal-WITHDRAWN = withdrawn
proposal-effect = { $before } complaints in the { $daysBefore } days before, { $after } in the { $daysAfter } days from then on.
proposal-ratio = That is { $ratio } times the rate before; all other complaints: { $elsewhere } times. This shows no cause.
blame = Who blames the system
blame-line = { $kind } { $code }: of { $blamed } complaints that it answered by blaming the system, { $without } ({ $share }) have no recorded incident; for all others it is { $peers }.
footer = Position of the register: { $position }. This digest was made of stored results.
seal = Newest seal: { $name }

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
notice-SUSPENSION_REVIEW = A new flag proposes to review a suspension or to inspect a branch (flag { $subject }).
notice-TECHNICAL_BURST = Unusually many technical complaints ({ $subject }): { $count } from { $from } to { $to }, where about { $expected } are usual.
notice-JOB_FAILED = The job { $subject } of { $at } failed and is not tried again.
notice-JOB_MISSED = The job { $subject } was due at { $at } and has not run.
notice-DIGEST_UNDELIVERED = The digest up to { $day } did not reach { $count } of its recipients.
notice-why = This mail names no person. Those who may see more find it in the system.
