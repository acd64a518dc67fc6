//! Lists and indexes whose copies share what was not written since: a snapshot with one more enterprise copies a few
//! kilobytes, and not the names of all.

use std::hash::{BuildHasher, Hash, RandomState};
use std::num::NonZeroU32;
use std::sync::Arc;

/// Items of a block of a list, which a write copies.
const BLOCK: usize = 1_024;
/// Parts of an index, of which a write copies one.
const PARTS: usize = 256;
/// Bytes of a block of texts.
const TEXT_BLOCK: usize = 1 << 16;

/// A list that grows at its end.
#[derive(Debug, Clone)]
pub(super) struct SharedList<T> {
    /// All but the last are full.
    blocks: Vec<Arc<Vec<T>>>,
}

impl<T> Default for SharedList<T> {
    fn default() -> Self {
        Self { blocks: Vec::new() }
    }
}

impl<T: Clone> SharedList<T> {
    pub fn len(&self) -> usize {
        self.blocks.last().map_or(0, |last| (self.blocks.len() - 1) * BLOCK + last.len())
    }

    pub fn get(&self, at: usize) -> Option<&T> {
        self.blocks.get(at / BLOCK)?.get(at % BLOCK)
    }

    /// An item to be changed, in a block of its own.
    pub fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        Arc::make_mut(self.blocks.get_mut(at / BLOCK)?).get_mut(at % BLOCK)
    }

    pub fn push(&mut self, item: T) {
        match self.blocks.last_mut() {
            Some(last) if last.len() < BLOCK => Arc::make_mut(last).push(item),
            _ => self.blocks.push(Arc::new(vec![item])),
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.blocks.iter().flat_map(|block| block.iter())
    }
}

/// Finds numbers by keys. It holds the numbers and not the keys: a map of all tax codes and ids would take more memory
/// than the rows that it leads to, which have them already.
#[derive(Debug, Clone)]
pub(super) struct SharedIndex {
    parts: Vec<Arc<Part>>,
    hasher: RandomState,
}

/// The search for a key begins at the slot that its hash gives, and goes on to the next free one.
#[derive(Debug, Clone, Default)]
struct Part {
    slots: Vec<Option<Slot>>,
    taken: usize,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    hash: NonZeroU32,
    number: u32,
}

impl Default for SharedIndex {
    fn default() -> Self {
        Self { parts: vec![Arc::default(); PARTS], hasher: RandomState::new() }
    }
}

impl SharedIndex {
    /// The number of a key; `is_of_key` tells whether a number is that of the key.
    pub fn get<Q: Hash + ?Sized>(&self, key: &Q, is_of_key: impl Fn(u32) -> bool) -> Option<u32> {
        let (part, hash) = self.place(key);
        self.parts.get(part)?.get(hash, is_of_key)
    }

    /// Adds the number of a key, which must have none yet.
    pub fn insert<Q: Hash + ?Sized>(&mut self, key: &Q, number: u32) {
        let (part, hash) = self.place(key);
        Arc::make_mut(&mut self.parts[part]).insert(Slot { hash, number });
    }

    /// The part of a key, and its hash there.
    fn place<Q: Hash + ?Sized>(&self, key: &Q) -> (usize, NonZeroU32) {
        let hash = self.hasher.hash_one(key);
        (hash as usize % PARTS, NonZeroU32::MIN | (hash >> 32) as u32)
    }
}

impl Part {
    fn get(&self, hash: NonZeroU32, is_of_key: impl Fn(u32) -> bool) -> Option<u32> {
        let first = self.first(hash);
        let slots = self.slots.get(first..)?.iter().chain(self.slots.get(..first)?);
        // A free slot ends the search: no slot becomes free again.
        let found = slots.map_while(|slot| *slot).find(|slot| slot.hash == hash && is_of_key(slot.number))?;
        Some(found.number)
    }

    fn insert(&mut self, slot: Slot) {
        // At most four of five slots are taken, so that a search is short.
        if self.taken * 5 >= self.slots.len() * 4 {
            let room = self.slots.len() * 5 / 4 + 8;
            let slots = std::mem::replace(&mut self.slots, vec![None; room]);
            slots.into_iter().flatten().for_each(|slot| self.put(slot));
        }
        self.put(slot);
        self.taken += 1;
    }

    /// Puts a slot into the first free place.
    fn put(&mut self, slot: Slot) {
        let first = self.first(slot.hash);
        let (before, after) = self.slots.split_at_mut(first);
        if let Some(free) = after.iter_mut().chain(before).find(|place| place.is_none()) {
            *free = Some(slot);
        }
    }

    /// Slot at which the search for a hash begins: the hash's share of all slots.
    fn first(&self, hash: NonZeroU32) -> usize {
        ((u64::from(hash.get()) * self.slots.len() as u64) >> 32) as usize
    }
}

/// Texts in few buffers: an allocation for each would cost more memory than the text.
#[derive(Debug, Clone, Default)]
pub(super) struct Texts {
    blocks: Vec<Arc<String>>,
}

/// The position of a text: its block × [`TEXT_BLOCK`] + where it begins there, in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text {
    from: u32,
    length: u32,
}

/// The length that marks a missing text.
const NONE: u32 = u32::MAX;

impl Texts {
    pub fn add(&mut self, text: Option<&str>) -> Text {
        let Some(text) = text else { return Text { from: 0, length: NONE } };
        let is_full = |last: &Arc<String>| last.len() + text.len() >= TEXT_BLOCK;
        // A text of more than a block has one of its own.
        if self.blocks.last().is_none_or(is_full) {
            // A text that grows would have room for up to twice its length at its end.
            self.blocks.push(Arc::new(String::with_capacity(TEXT_BLOCK.max(text.len()))));
        }
        let block = self.blocks.len() - 1;
        let texts = Arc::make_mut(&mut self.blocks[block]);
        let from = u32::try_from(block * TEXT_BLOCK + texts.len()).unwrap_or(u32::MAX);
        texts.push_str(text);
        Text { from, length: u32::try_from(text.len()).unwrap_or(0) }
    }

    pub fn get(&self, text: Text) -> Option<&str> {
        if text.length == NONE {
            return None;
        }
        let (block, from) = (text.from as usize / TEXT_BLOCK, text.from as usize % TEXT_BLOCK);
        let found = self.blocks.get(block).and_then(|texts| texts.get(from..from + text.length as usize));
        Some(found.unwrap_or_default())
    }

    pub fn owned(&self, text: Text) -> String {
        self.get(text).unwrap_or_default().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_shares_the_blocks_of_a_list_that_were_not_written() {
        let mut list = SharedList::default();
        (0..3 * BLOCK + 5).for_each(|item| list.push(item));
        let mut copy = list.clone();
        *copy.get_mut(BLOCK).expect("an item") = 7;
        copy.push(8);
        assert_eq!((list.len(), copy.len()), (3 * BLOCK + 5, 3 * BLOCK + 6));
        assert!(list.iter().copied().eq(0..3 * BLOCK + 5));
        assert_eq!((copy.get(BLOCK), copy.get(3 * BLOCK + 5), copy.get(3 * BLOCK + 6)), (Some(&7), Some(&8), None));
        let shared: Vec<bool> = list.blocks.iter().zip(&copy.blocks).map(|(a, b)| Arc::ptr_eq(a, b)).collect();
        assert_eq!(shared, [true, false, true, false]);
    }

    #[test]
    fn a_copy_of_an_index_shares_all_parts_but_one() {
        let mut names: Vec<String> = (0..5_000u32).map(|number| number.to_string()).collect();
        let mut index = SharedIndex::default();
        (0u32..).zip(&names).for_each(|(number, name)| index.insert(name.as_str(), number));
        let mut copy = index.clone();
        names.push("new".into());
        copy.insert("new", 5_000);
        let of = |index: &SharedIndex, key: &str| index.get(key, |number| names[number as usize] == key);
        assert_eq!((of(&index, "new"), of(&copy, "new"), of(&copy, "5001")), (None, Some(5_000), None));
        assert!((0..5_000).all(|number| of(&copy, &names[number as usize]) == Some(number)));
        assert_eq!(index.parts.iter().zip(&copy.parts).filter(|(a, b)| !Arc::ptr_eq(a, b)).count(), 1);
    }

    #[test]
    fn keys_of_one_hash_are_told_apart_and_few_slots_are_free() {
        let mut part = Part::default();
        let hash = |number: u32| NonZeroU32::MIN | ((number % 3) << 30);
        (0..999).for_each(|number| part.insert(Slot { hash: hash(number), number }));
        assert!((0..999).all(|number| part.get(hash(number), |found| found == number) == Some(number)));
        assert_eq!(part.get(hash(0), |found| found == 999), None);
        assert!(part.slots.len() < 999 * 2, "{} slots", part.slots.len());
        assert_eq!(size_of::<Option<Slot>>(), 8);
    }

    #[test]
    fn texts_are_found_whatever_their_length() {
        let mut texts = Texts::default();
        let words: Vec<Option<String>> = (0..200usize)
            .map(|n| (n % 7 != 3).then(|| "đ".repeat([0, 1, 300, TEXT_BLOCK / 2, 2, TEXT_BLOCK, 40][n % 7] + n)))
            .collect();
        let places: Vec<Text> = words.iter().map(|word| texts.add(word.as_deref())).collect();
        let copy = texts.clone();
        texts.add(Some("more"));
        for (word, place) in words.iter().zip(places) {
            assert!(texts.get(place) == word.as_deref() && copy.get(place) == word.as_deref());
        }
    }
}
