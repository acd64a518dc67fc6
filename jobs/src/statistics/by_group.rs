//! Values sorted by group, and work on all groups in parallel.

/// Values sorted by group with a stable counting sort. Those of group `g` are
/// `values[starts[g]..starts[g + 1]]`.
pub struct ByGroup {
    starts: Vec<u32>,
    values: Vec<u32>,
}

impl ByGroup {
    pub fn new(pairs: impl Iterator<Item = (u32, u32)> + Clone, number: usize) -> Self {
        let mut starts = vec![0u32; number + 1];
        let mut all = 0;
        for (group, _) in pairs.clone() {
            starts[group as usize + 1] += 1;
            all += 1;
        }
        for at in 0..number {
            starts[at + 1] += starts[at];
        }
        let mut next = starts.clone();
        let mut values = vec![0u32; all];
        for (group, value) in pairs {
            let index = &mut next[group as usize];
            values[*index as usize] = value;
            *index += 1;
        }
        Self { starts, values }
    }

    pub fn values_of(&self, group: usize) -> &[u32] {
        &self.values[self.starts[group] as usize..self.starts[group + 1] as usize]
    }
}

/// Runs `work` on parts of the groups in parallel, on up to 8 threads. `work` gets the index of the first
/// group of its part.
pub fn each_part<T: Send>(groups: &mut [T], work: impl Fn(usize, &mut [T]) + Sync) {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(8);
    // Few groups take less time than starting a thread.
    if groups.len() < 256 || threads == 1 {
        return work(0, groups);
    }
    let size = groups.len().div_ceil(threads);
    std::thread::scope(|scope| {
        for (nth, part) in groups.chunks_mut(size).enumerate() {
            let work = &work;
            scope.spawn(move || work(nth * size, part));
        }
    });
}

/// The number of distinct values.
pub fn distinct(buffer: &mut Vec<u32>, values: impl Iterator<Item = u32>) -> u32 {
    buffer.clear();
    buffer.extend(values);
    buffer.sort_unstable();
    buffer.dedup();
    u32::try_from(buffer.len()).unwrap_or(u32::MAX)
}
