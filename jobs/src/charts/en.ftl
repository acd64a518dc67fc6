no-data = There are no data to draw.
and-more = { $labels } and { $count } more
others = { $count ->
        [one] { $count } other
       *[other] { $count } others
    }
millions = { $number } million
billions = { $number } billion
trillions = { $number } trillion
month = Month
week = Week from
day = Day
observed = Observed
expected = Expected
ratio = Observed / expected
cumulative = Cumulative
yes = yes
usual = as usual
more-than-usual = more than chance explains
less-than-usual = less than chance explains

trend-none = { $what }: no month has a number
trend-alone = { $what }, { $month }: { $value }
trend-year-before = { $what }, { $month }: { $value }, a year before { $before }
trend-usual = { $what }, { $month }: { $value }, within the usual range of { $low } to { $high }
trend-high = { $what }, { $month }: { $value }, more than the usual { $low } to { $high }
trend-low = { $what }, { $month }: { $value }, less than the usual { $low } to { $high }
trend-value = This year
trend-before = A year before
trend-range = Usual range
trend-alt = { $count ->
        [one] { $count } month
       *[other] { $count } months
    } with numbers: the highest is { $highest } in { $highest-month }, the lowest { $lowest } in { $lowest-month }.
trend-alt-unusual = Outside of the usual range: { $months }.

pareto-none = { $what }: nothing was counted
pareto-title = { $few } of { $all } { $groups } make up { $share } of { $what }
pareto-few = together at least { $share }
pareto-rest = the rest
pareto-alt = In all { $total } { $what }. The most frequent: { $labels }.

funnel-none = No { $units } with an expected number of { $what }
funnel-usual = No difference between { $all } { $units } is more than chance explains
funnel-title = Of { $all } { $units }, { $high ->
        [one] { $high } has
       *[other] { $high } have
    } more and { $low } fewer { $what } than chance explains
funnel-ratio = { $what }: observed / expected
funnel-expected = { $what }: expected
funnel-near = between both limits
funnel-limit = limits of { $share }
funnel-dispersion = The limits allow for units that differ { $times } times as much as by chance alone.
funnel-alt-high = More than chance explains: { $labels }.
funnel-alt-low = Fewer than chance explains: { $labels }.

cusum-none = { $label }: no week has a number
cusum-usual = { $label }: the sum has stayed below the limit
cusum-title = { $label }: { $count ->
        [one] { $count } signal
       *[other] { $count } signals
    }, the last in the week from { $day }
cusum-axis = Sum of what exceeds the expectation (CUSUM)
cusum-sum = Sum
cusum-limit = limit h = { $limit }
cusum-signal = Signal
cusum-alt = { $weeks ->
        [one] { $weeks } week
       *[other] { $weeks } weeks
    }; the limit is { $limit }, the highest sum { $highest }.
cusum-alt-signals = Signals in the weeks from { $days }.

waiting-none = No { $what } to measure waiting times of
waiting-title = { $label }: { $share } of { $what } still wait after { $days } days
waiting-axis = { $what } that still wait
waiting-days = Days since received
waiting-due = deadline: { $days } days
waiting-after = Waiting after { $days } days
waiting-half = Days until half are answered
waiting-open = Still waiting
waiting-curve = { $label } ({ $count })
waiting-note = A short stroke marks complaints that still wait: each is known to wait at least as long.
waiting-median = { $label }: half are answered within { $days } days.
waiting-no-median = { $label }: less than half are answered.
curve = Curve

peers-high = { $label }: { $share } { $what }, more than most of { $count } comparable units ({ $low } to { $high })
peers-low = { $label }: { $share } { $what }, less than most of { $count } comparable units ({ $low } to { $high })
peers-usual = { $label }: { $share } { $what }, as most of { $count } comparable units ({ $low } to { $high })
peers-chance = { $label }: { $share } { $what }; most of { $count } comparable units reach { $low } to { $high }, a difference which chance can explain
peers-most = eight in ten of { $count } comparable units
peers-half = half of them reach it
peers-who = Who
peers-range = From – to
peers-alt = Its 95% limits are { $lower } to { $upper }. Half of those units reach { $half } or more.

timeline-title = { $label }: { $count ->
        [one] { $count } episode
       *[other] { $count } episodes
    }, { $confirmed } confirmed; now: { $tier }
timeline-episodes = Episodes
timeline-measures = Measures
timeline-confirmed = confirmed episode
timeline-not-confirmed = episode, not confirmed
timeline-tier = tier of the flag
timeline-measure = measure
timeline-what = What
timeline-detail = Detail
timeline-until = until { $day }
timeline-alt = From { $from } to { $to }: { $tiers ->
        [one] { $tiers } change
       *[other] { $tiers } changes
    } of the tier, { $measures ->
        [one] { $measures } measure
       *[other] { $measures } measures
    }.
tier-none = no flag
tier-WATCH = watch
tier-REVIEW = review
tier-SUSPENSION_REVIEW = suspension review
tier-INSPECTION = inspection of the branch

map-none = { $what }: no area has a number
map-usual = { $what }: no difference between { $all } { $areas } is more than chance explains
map-title = Of { $all } { $areas }, { $high ->
        [one] { $high } has
       *[other] { $high } have
    } more and { $low } fewer { $what } than chance explains
map-hoangsa = Hoàng Sa Islands
map-truongsa = Trường Sa Islands
map-no-data = no data
map-unusual = Against chance
map-source = Map: Stephen Truong, svg-maps, CC BY 4.0, simplified.
map-alt-high = More than chance explains: { $labels }.
map-alt-low = Fewer than chance explains: { $labels }.
