//! Keys of pieces: numbers that ascend with the pieces, and that a piece keeps while others come and go.

/// The distance of keys that are given out at first.
const APART: u64 = 1 << 12;

/// A key for each piece. `kept` has the earlier key of each piece that was there before, and `earlier` all earlier
/// keys, in order. A new piece takes the key of one that has gone where it can, else one between those of its
/// neighbours.
pub(super) fn keys(kept: &[Option<u32>], earlier: &[u32]) -> Vec<u32> {
    let mut found: Vec<u32> = Vec::with_capacity(kept.len());
    let mut at = 0;
    while at < kept.len() {
        if let Some(key) = kept[at] {
            found.push(key);
            at += 1;
            continue;
        }
        let end = kept[at..].iter().position(Option::is_some).map_or(kept.len(), |index| at + index);
        let number = end - at;
        let low = found.last().copied();
        let high = kept.get(end).copied().flatten();
        let gone = earlier
            .iter()
            .copied()
            .filter(|key| low.is_none_or(|low| *key > low) && high.is_none_or(|high| *key < high));
        let gone: Vec<u32> = gone.take(number).collect();
        if gone.len() == number {
            found.extend(gone);
        } else {
            match between(low, high, number) {
                Some(new) => found.extend(new),
                None => return anew(kept.len()),
            }
        }
        at = end;
    }
    found
}

/// `number` keys strictly between `low` and `high`; None if the gap is too small.
fn between(low: Option<u32>, high: Option<u32>, number: usize) -> Option<Vec<u32>> {
    let number = u64::try_from(number).ok()?;
    // Keys begin with 0.
    let low = low.map_or(0, |low| u64::from(low) + 1);
    let apart = match high {
        Some(high) => (u64::from(high).checked_sub(low)? / number).min(APART),
        None => APART,
    };
    if apart == 0 {
        return None;
    }
    // Each key is as far as possible from the one below it.
    (1..=number).map(|nth| u32::try_from(low + nth * apart - 1).ok()).collect()
}

/// Keys for pieces that all get a new one.
fn anew(pieces: usize) -> Vec<u32> {
    let number = u64::try_from(pieces).unwrap_or(u64::MAX).max(1);
    let apart = (u64::from(u32::MAX) / number).clamp(1, APART);
    (1..=number).take(pieces).map(|nth| u32::try_from(nth * apart - 1).unwrap_or(u32::MAX)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_ascend_and_stay() {
        let first = keys(&[None, None, None], &[]);
        assert!(first.is_sorted_by(|a, b| a < b), "{first:?}");
        let [a, b, c] = [first[0], first[1], first[2]];
        assert_eq!(keys(&[Some(a), None, Some(c)], &first), [a, b, c], "a piece that replaces another takes its key");
        let split = keys(&[Some(a), None, None, Some(c)], &first);
        assert!(split[0] == a && split[3] == c && split.is_sorted_by(|a, b| a < b), "{split:?}");
        let more = keys(&[Some(a), Some(b), Some(c), None], &first);
        assert!(more[..3] == first[..] && more[3] > c, "{more:?}");
        let joined = keys(&[None, Some(c)], &first);
        assert_eq!(joined, [a, c]);
        let crowded = keys(&[Some(4), None, Some(5)], &[4, 5]);
        assert!(crowded.len() == 3 && crowded.is_sorted_by(|a, b| a < b), "{crowded:?}");
        let before = keys(&[None, Some(0)], &[0]);
        assert!(before.len() == 2 && before[0] < before[1], "{before:?}");
    }
}
