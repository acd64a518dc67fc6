//! The rows of the access table for statistics of complaints.

use super::Audited::{AsCondition, No, Part, Root, Word};
use super::TableRow;
use crate::access::roles::{ANALYSTS, BOARD_AND_DATA_TEAM, PEOPLE, SEES_ALL, STATISTICS};

/// The measures that a DASHBOARD sees, with noise.
const SHOWN_MEASURES: &str =
    "complaints distinctEnterprises costVnd delayHours shareAnsweredInTime medianDaysToResponse";

/// The reason why the log records nothing of a statistic.
const OF_GROUPS: &str = "numbers of groups; people have fields of their own";

pub(super) const STATISTICS_ROWS: &[TableRow] = &[
    ("Query", "complaintStatistics", STATISTICS, Root),
    ("ComplaintStatistics", "* endCursor", STATISTICS, No("numbers of groups")),
    ("SqlSource", "REGISTER", STATISTICS, Word),
    // The noise of a DASHBOARD's numbers follows from the ids of complaints, which the lake does not hold.
    ("SqlSource", "LAKE", ANALYSTS, Word),
    // `*` is for analysts: a new measure, dimension or filter is withheld from a DASHBOARD until a row names it, which
    // needs noise in `jobs::statistics::disclosure` first.
    ("ComplaintStatisticsRow", "department branch team unit category kind channel state", STATISTICS, No(OF_GROUPS)),
    ("ComplaintStatisticsRow", "categoryGroup", STATISTICS, No(OF_GROUPS)),
    ("ComplaintStatisticsRow", "month quarter year suppressed isOther previous", STATISTICS, No(OF_GROUPS)),
    ("ComplaintStatisticsRow StatisticsMeasures StatisticsHaving", SHOWN_MEASURES, STATISTICS, No(OF_GROUPS)),
    ("ComplaintStatisticsRow StatisticsMeasures StatisticsHaving", "episodes", SEES_ALL, No(OF_GROUPS)),
    ("ComplaintStatisticsRow", "enterprise", BOARD_AND_DATA_TEAM, No(OF_GROUPS)),
    ("ComplaintStatisticsRow StatisticsMeasures StatisticsHaving", "*", ANALYSTS, No(OF_GROUPS)),
    ("StatisticsHaving", "and or not", STATISTICS, No(OF_GROUPS)),
    ("ComplaintStatisticsFilter", "unitWithin categoryIn kindIn channelIn stateIn", STATISTICS, No("of no person")),
    ("ComplaintStatisticsFilter", "category kind channel state", STATISTICS, No("of no person")),
    ("ComplaintStatisticsFilter", "receivedFrom receivedBefore", STATISTICS, No("of no person")),
    ("ComplaintStatisticsFilter", "enterpriseIn officerIn", PEOPLE, AsCondition),
    ("ComplaintStatisticsFilter", "* responsibleUnitWithin", ANALYSTS, No("of no person")),
    ("StatisticsDimension", "DEPARTMENT BRANCH TEAM UNIT CATEGORY KIND CHANNEL STATE", STATISTICS, Word),
    ("StatisticsDimension", "CATEGORY_GROUP MONTH QUARTER YEAR", STATISTICS, Word),
    ("StatisticsDimension", "ENTERPRISE", BOARD_AND_DATA_TEAM, AsCondition),
    ("StatisticsDimension", "OFFICER", ANALYSTS, AsCondition),
    ("StatisticsDimension", "*", ANALYSTS, Word),
    ("StatisticsMeasure", "COMPLAINTS DISTINCT_ENTERPRISES COST_VND DELAY_HOURS", STATISTICS, Word),
    ("StatisticsMeasure", "SHARE_ANSWERED_IN_TIME MEDIAN_DAYS_TO_RESPONSE", STATISTICS, Word),
    ("StatisticsMeasure", "EPISODES", SEES_ALL, Word),
    ("StatisticsMeasure", "*", ANALYSTS, Word),
    ("StatisticsComparison", "*", STATISTICS, Word),
    ("StatisticsOrder", "*", STATISTICS, Part),
];
