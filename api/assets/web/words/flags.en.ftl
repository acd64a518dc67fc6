flags-title = Flags
flags-caption = Flags on officers and branches
flags-total = { $count ->
        [one] { $count } flag
       *[other] { $count } flags
    }
flags-waiting = Waiting for a decision
flags-all-states = All states
flags-standing = Standing (also upheld)
flags-of-run = Id of a run
flags-of-run-help = Only flags that this run was the last one to find
flags-chosen = These are the flags that a digest counts.
flags-show-all = Show all
flags-kind = Subject
flags-kind-OFFICER = Officers
flags-kind-BRANCH = Branches
flags-order = Order
flags-order-tier = Gravest first
flags-order-opened = Latest opened first
flags-order-changed = Latest changed first
flags-search = Name or code
flags-unit-code = Code of a unit (with those below it)
flags-changed-since = Changed since
flags-subject = Subject
flags-tier = Tier
flags-proposed = Proposed
flags-proposed-WATCH = Watch
flags-proposed-REVIEW = Review
flags-proposed-SUSPENSION_REVIEW = Review whether to suspend
flags-proposed-INSPECTION = Inspection of the branch
flags-state = State
flags-opened = Opened on
flags-changed = Changed on
flags-rank = Rank
flags-posting = Posting
flags-times = Times as many
flags-least = At least times as many (probability 95%)
flags-enterprises = Enterprises
flags-days = Days
flags-complaints = Complaints
flags-episodes = Episodes
flags-expected = Expected
flags-limits = 95% limits
flags-chance = By chance
flags-once-in = less than once in { $once }
flags-serious = Serious
flags-anonymous = Anonymous
flags-one-title = Flag: { $subject }
flags-back = To the list of flags
flags-sentence-officer = { $enterprises ->
        [one] One enterprise
       *[other] { $enterprises } different enterprises
    } complained about { $subject } in { $days } days: { $times } times as many episodes as colleagues with the same work. Chance explains this less than once in { $once }.
flags-sentence-branch = { $enterprises ->
        [one] One enterprise
       *[other] { $enterprises } different enterprises
    } complained about { $subject } in { $days } days: { $times } times as many episodes as other branches with the same work. Chance explains this less than once in { $once }.
flags-sentence-unadjusted = { $enterprises ->
        [one] One enterprise
       *[other] { $enterprises } different enterprises
    } made { $complaints } { $complaints ->
        [one] complaint
       *[other] complaints
    } about { $subject } in { $days } days. No workload is recorded to compare with.
flags-no-numbers = You do not see every complaint, so this page does not show the numbers of the flag.
flags-not-guilt = A flag proposes a review. It says nothing about guilt.
flags-decide = Decide
flags-step-ACKNOWLEDGED = Acknowledge
flags-step-UNDER_REVIEW = Start the review
flags-step-UPHELD = Uphold
flags-step-DISMISSED = Dismiss
flags-step-EXPLAINED = Record the explanation
flags-reason = Grounds
flags-reason-help = Required to dismiss or uphold.
flags-notified = Day on which the officer was told
flags-notified-help = Required to uphold, unless it is recorded already.
flags-explanation = Explanation of the officer
flags-explanation-help = Write what the officer said, or that the officer said nothing.
flags-explain = Record the officer's explanation
flags-when = What happened when
flags-numbers = The numbers
flags-numbers-caption = Numbers by window
flags-unadjusted = The numbers are not adjusted for workload.
flags-limits-title = { $times } times as many episodes as expected in { $days } days
flags-limits-rows = Window
flags-limits-axis = Observed / expected
flags-limits-all = { $days } days
flags-limits-confirmed = { $days } days, confirmed complaints alone
flags-without = Without some of the complaints
flags-without-note = The result is more reliable if it holds without any one enterprise.
flags-without-caption = The result if only some are counted
flags-counted = What is counted
flags-with-all = All
flags-without-this = Without { $enterprise } ({ $episodes ->
        [one] { $episodes } episode
       *[other] { $episodes } episodes
    })
flags-without-largest = Without the enterprise with the most episodes ({ $episodes })
flags-leave-out = Numbers without this enterprise
flags-left-out-title = Without { $enterprise }
flags-left-out-sentence = { $enterprises ->
        [0] No enterprise remains
        [one] One enterprise remains
       *[other] { $enterprises } different enterprises remain
    } in { $days } days, with { $complaints ->
        [one] { $complaints } complaint
       *[other] { $complaints } complaints
    }.
flags-left-out-adjusted = There are { $times } times as many episodes as expected. By chance there are so many once in { $once }.
flags-left-out-holds = The limits of this tier are met without this enterprise, too.
flags-left-out-fails = The limits of this tier are not met without this enterprise: the tier depends on it.
flags-left-out-caption = Numbers by window without { $enterprise }
flags-left-out-complaints = Left out
flags-left-out-late = Computing the numbers without this enterprise took too long and was stopped. The rest of this page is complete.
flags-left-out-again = Try again
flags-left-out-back = Count this enterprise again
flags-left-out-unknown = No complaint of the evidence is by this enterprise. Choose an enterprise from the evidence below.
flags-without-anonymous = Without anonymous complaints
flags-confirmed-only = Only where it is confirmed that it was this officer
flags-campaigns-apart = Each enterprise of a campaign counted
flags-without-not-sustained = Without complaints found not sustained
flags-enterprises-caption = Enterprises, counted in other ways
flags-evidence = Evidence
flags-evidence-title = Evidence: { $count ->
        [one] { $count } complaint
       *[other] { $count } complaints
    }
flags-hidden = { $count } more are not shown here: this page shows the latest ones.
flags-new-evidence = new since the last decision
flags-no-text = The register has no text of this complaint.
flags-anonymous-complaint = Anonymous
flags-reference = Reference
flags-day = Received
flags-unit = Unit
flags-enterprise = Enterprise
flags-category = Category
flags-attribution = Confirmed
flags-attribution-ASSERTED = Asserted by the enterprise, not confirmed
flags-attribution-CONFIRMED = Confirmed that it was this officer
flags-finding = Finding
flags-finding-PENDING = No finding yet
flags-finding-SUSTAINED = Sustained
flags-finding-NOT_SUSTAINED = Not sustained
flags-finding-EXONERATED = Exonerated
flags-finding-UNFOUNDED = Unfounded
flags-text = Text
flags-reviews = Decisions
flags-decided = When
flags-actor = Recorded by
flags-from-state = From
flags-to-state = To
flags-explanations = What the officer said
flags-explained = Told on { $day }, recorded { $time }.
flags-run = The run
flags-run-of = As of { $day }, computed at { $time }.
flags-run-position = Position of the register: { $position }.
flags-run-code = Version of the program: { $version }.
flags-run-hash = Hash of inputs and results:
flags-run-rules = The rules of this run
flags-derive = Derive again
flags-derive-how = The server computes the run again from the register as it stood for the run, and compares. Nothing is stored.
flags-derive-button = Derive the run again
flags-derive-equal = Equal: the register still gives what the run found.
flags-derive-differs = Not equal. The first difference:
flags-derive-recorded = Hash of the run:
flags-derive-derived = Hash of what was derived:
flags-derive-command = On the command line:
flags-record-measure = Record a measure about this officer
flags-measure-REASSIGNMENT = Reassignment
flags-measure-DISCIPLINE = Discipline
flags-measure-SUSPENSION = Suspension
flags-measure-FORMAL_REVIEW = Formal review
flags-reason-missing = Write the grounds of the decision.
flags-notified-missing = Write the day on which the officer was told.
flags-explanation-missing = Write what the officer said, or that the officer said nothing.
nav-flags = Flags
done-flags-acknowledged = The flag is acknowledged.
done-flags-under-review = The review has begun.
done-flags-upheld = The flag is upheld.
done-flags-dismissed = The flag is dismissed.
done-flags-explained = The explanation is recorded.
flags-nothing = No flag meets these conditions. Remove some filters. Flags are made every day from complaints about officers and branches, once enough different enterprises complain.
