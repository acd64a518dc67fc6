nav-alerts = Alerts
alerts-title = Alerts
alerts-caption = Alerts, the latest first
alerts-about = What people should know at once, looked for every five minutes. Each subject is told at most once a day.
alerts-total = { $count ->
    [one] { $count } alert
   *[other] { $count } alerts
    }
alerts-subject = About
alerts-subject-code = Code of a unit, name of a job, or id
alerts-kind = Kind
alerts-raised = Raised at
alerts-cleared = Over at
alerts-details = Details
alerts-stands = Stands
alerts-state = State
alerts-state-STANDING = Stands
alerts-state-CLEARED = Over
alerts-from = Raised from
alerts-until = Raised until
alerts-kind-SUSPENSION_REVIEW = Gravest flag that nobody has taken up
alerts-kind-TECHNICAL_BURST = Burst of technical complaints
alerts-kind-JOB_FAILED = A job failed
alerts-kind-JOB_MISSED = A job did not run
alerts-kind-DIGEST_UNDELIVERED = A digest was not delivered
alerts-details-SUSPENSION_REVIEW = A flag proposes a suspension review, and nobody has taken it up.
alerts-details-TECHNICAL_BURST = { $complaints } technical complaints from { $from } to { $to }; { $expected } are usual. The threshold bounds what chance raises to { $falseAlarmsPerMonth } false alarms a month.
alerts-details-JOB_FAILED = The scheduled run of { $scheduledAt } failed; attempts: { $attempts }.
alerts-details-JOB_MISSED = It should have run at { $scheduledAt }.
alerts-details-DIGEST_UNDELIVERED = The digest until { $asOf }: recipients that have not got it: { $deliveries }.
alerts-again = It was over and began again that day.
alerts-a-flag = A flag
alerts-all-units = All units
alerts-digest = Digest
alerts-digest-of-board = Digest of the Board
