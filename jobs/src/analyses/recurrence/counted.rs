//! The rows that count, in the order in which episodes are formed.

use super::{AnonymousRule, Rules, subject_column, with_campaigns};
use crate::facts::frames::Frames;
use polars::prelude::*;
use polars::series::IsSorted;
use schema::enums::SubjectKind;

/// The columns of `counted`.
const COUNTED: [&str; 11] = [
    "subject",
    "complaint",
    "day",
    "enterprise",
    "anonymous",
    "serious",
    "serious_confirmed",
    "confirmed",
    "not_sustained",
    "group",
    "text",
];

/// One row for each (subject, complaint) that counts (docs/statistics.md, "What is counted"), sorted by (subject,
/// enterprise, day, complaint).
///
/// Columns: `subject`, `complaint` (u32), `day` (i32, days since 1970), `enterprise` (u32?, null: does not
/// count as one), `anonymous`, `serious`, `serious_confirmed`, `confirmed`, `not_sustained` (bool), `group`
/// (i32) and `text` (u32?).
///
/// A row counts if the complaint is about conduct and not void, and at least one allegation against the
/// subject was not found UNFOUNDED or EXONERATED.
///
/// # Errors
/// If polars fails.
pub(super) fn counted(frames: &Frames, kind: SubjectKind, rules: &Rules) -> PolarsResult<DataFrame> {
    let subject = subject_column(kind);
    // A complaint concerns the branch whichever of its officers is meant, so its attribution is never in doubt.
    let confirmed = match kind {
        SubjectKind::Officer => col("confirmed"),
        SubjectKind::Branch => lit(true),
    };
    let own = u32::try_from(frames.enterprises.len()).unwrap_or(u32::MAX);
    let enterprise = match rules.anonymous {
        AnonymousRule::NotCounted => col("enterprise"),
        // Numbers above those of the known enterprises.
        AnonymousRule::OwnEnterprise => {
            when(col("enterprise").is_null()).then(col("complaint") + lit(own)).otherwise(col("enterprise"))
        }
    };
    let counts = col(subject).is_not_null().and(col("conduct")).and(col("void").not()).and(col("cleared").not());
    // Shares most columns with the frame: a filter would copy them, and the sort below copies them once more.
    let rows = frames
        .allegations
        .clone()
        .lazy()
        .with_columns([
            counts.alias("counts"),
            col(subject).alias("subject"),
            col("enterprise").is_null().alias("anonymous"),
            confirmed.alias("confirmed"),
            // A serious allegation with an unconfirmed attribution must not lead to a suspension review.
            col("serious").and(col("confirmed")).alias("serious_confirmed"),
        ])
        .with_column(enterprise.alias("enterprise"))
        .select(COUNTED.into_iter().chain(["counts"]).map(col).collect::<Vec<_>>())
        .collect()?;
    let kept: Vec<u32> = (0u32..)
        .zip(rows.column("counts")?.bool()?.iter())
        .filter_map(|(row, counts)| (counts == Some(true)).then_some(row))
        .collect();
    let rows = rows.drop("counts")?;
    if is_unique(&rows, &kept)? {
        return in_order(&rows, kept);
    }
    let rows = rows
        .take(&IdxCa::from_vec("".into(), kept))?
        .lazy()
        .group_by([col("subject"), col("complaint")])
        .agg([
            col("day").first(),
            col("enterprise").first(),
            col("anonymous").first(),
            col("serious").any(true),
            col("serious_confirmed").any(true),
            col("confirmed").any(true),
            col("not_sustained").all(true),
            // One complaint may name an officer at branches of two peer groups.
            col("group").min(),
            col("text").first(),
        ])
        .collect()?;
    all_in_order(&rows)
}

/// The rows of [`counted`] with campaigns, in the same order: adds `campaign` (u32?, as in [`with_campaigns`]) and
/// `own` (u32?, the enterprise itself). `enterprise` is one number for all rows of a campaign.
///
/// # Errors
/// If polars fails.
pub(super) fn combined(frames: &Frames, kind: SubjectKind, rules: &Rules) -> PolarsResult<DataFrame> {
    let rows = with_campaigns(&counted(frames, kind, rules)?, &frames.sketches, rules)?;
    if rows.column("campaign")?.null_count() == rows.height() {
        return rows.lazy().with_column(col("enterprise").alias("own")).collect();
    }
    // Numbers above those of enterprises, and of anonymous complaints that count as one.
    let first = u32::try_from(frames.enterprises.len() + frames.complaints.len()).unwrap_or(u32::MAX);
    let enterprise = when(col("campaign").is_not_null())
        .then(col("campaign") + lit(first).cast(DataType::UInt32))
        .otherwise(col("enterprise"));
    let rows = rows
        .lazy()
        .with_column(col("enterprise").alias("own"))
        .with_column(enterprise.cast(DataType::UInt32).alias("enterprise"))
        .collect()?;
    all_in_order(&rows)
}

/// Whether each (subject, complaint) of the rows `kept` occurs once. One scan of rows sorted by complaint, as the
/// register delivers them; false if they are not sorted, where the answer is unknown. Grouping ten million
/// pairs to find each of them unique would cost more than everything else.
fn is_unique(rows: &DataFrame, kept: &[u32]) -> PolarsResult<bool> {
    let (complaints, subjects) = (rows.column("complaint")?.u32()?, rows.column("subject")?.u32()?);
    let mut at = None;
    let mut seen: Vec<Option<u32>> = Vec::new();
    for row in kept {
        let (complaint, subject) = (complaints.get(*row as usize), subjects.get(*row as usize));
        if complaint < at {
            return Ok(false);
        }
        if complaint != at {
            at = complaint;
            seen.clear();
        }
        if seen.contains(&subject) {
            return Ok(false);
        }
        seen.push(subject);
    }
    Ok(true)
}

fn all_in_order(rows: &DataFrame) -> PolarsResult<DataFrame> {
    in_order(rows, (0u32..).take(rows.height()).collect())
}

/// The rows `kept`, sorted by (subject, enterprise, day, complaint) with nulls first: the order in which episodes
/// are formed. No two rows have the same subject and complaint, so that there is only one such order.
///
/// Subjects are places, so that rows are counted out by subject, in the order of complaints; each subject's are
/// then sorted by one number of enterprise and day. All columns are copied once, at the end.
fn in_order(rows: &DataFrame, mut kept: Vec<u32>) -> PolarsResult<DataFrame> {
    let (subjects, enterprises) = (rows.column("subject")?.u32()?, rows.column("enterprise")?.u32()?);
    let (days, complaints) = (rows.column("day")?.i32()?, rows.column("complaint")?.u32()?);
    let complaint = |row: &u32| complaints.get(*row as usize);
    if !kept.is_sorted_by_key(complaint) {
        kept.sort_by_key(complaint);
    }
    // Each subject has two bins: the first is for rows without an enterprise.
    let bin_of = |row: &u32| {
        let row = *row as usize;
        2 * subjects.get(row).map_or(0, |index| index as usize) + usize::from(enterprises.get(row).is_some())
    };
    let bin_of_each: Vec<usize> = kept.iter().map(bin_of).collect();
    let bins = bin_of_each.iter().max().map_or(0, |last| last + 1);
    // Where each bin begins; then, as it fills, where it ends.
    let mut ends = vec![0usize; bins + 1];
    for bin in &bin_of_each {
        ends[bin + 1] += 1;
    }
    for at in 0..bins {
        ends[at + 1] += ends[at];
    }
    let mut binned = vec![(0u64, 0u32); kept.len()];
    for (row, bin) in kept.iter().zip(&bin_of_each) {
        let enterprise = enterprises.get(*row as usize).unwrap_or(0);
        // With the sign bit flipped, unsigned numbers sort as the signed days do.
        let day = days.get(*row as usize).unwrap_or(i32::MIN).cast_unsigned() ^ (1 << 31);
        let next = &mut ends[*bin];
        binned[*next] = ((u64::from(enterprise) << 32) | u64::from(day), *row);
        *next += 1;
    }
    drop((kept, bin_of_each));
    let mut begin = 0;
    for end in ends.into_iter().take(bins) {
        // Stable: rows of one day stay in the order of complaints.
        binned[begin..end].sort_by_key(|(key, _)| *key);
        begin = end;
    }
    let order: Vec<u32> = binned.iter().map(|(_, row)| *row).collect();
    drop(binned);
    let mut rows = rows.clone();
    // A column of nulls, such as that of the texts that were not read, needs no memory.
    if rows.column("text")?.null_count() == rows.height() {
        rows.with_column(Column::full_null("text".into(), rows.height(), &DataType::UInt32))?;
    }
    let mut sorted = rows.take(&IdxCa::from_vec("".into(), order))?;
    sorted.apply("subject", |column| {
        let mut column = column.clone();
        column.set_sorted_flag(IsSorted::Ascending);
        column
    })?;
    Ok(sorted)
}
