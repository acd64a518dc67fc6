//! Lists and maps whose copies share what was not written since: a snapshot with one more enterprise copies a few
//! kilobytes, and not the names of all.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// Items of a block of a list, which a write copies.
const BLOCK: usize = 1_024;
/// Parts of a map, of which a write copies one.
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

/// A map from keys to numbers.
#[derive(Debug, Clone)]
pub(super) struct SharedMap<K> {
    parts: Vec<Arc<HashMap<K, u32>>>,
}

impl<K> Default for SharedMap<K> {
    fn default() -> Self {
        Self { parts: vec![Arc::default(); PARTS] }
    }
}

fn part_of<Q: Hash + ?Sized>(key: &Q) -> usize {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish() as usize % PARTS
}

impl<K: Hash + Eq + Clone> SharedMap<K> {
    pub fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<u32>
    where
        K: Borrow<Q>,
    {
        self.parts.get(part_of(key))?.get(key).copied()
    }

    pub fn insert(&mut self, key: K, number: u32) {
        let part = part_of(&key);
        Arc::make_mut(&mut self.parts[part]).insert(key, number);
    }

    /// The number of a key, which is `number` if it has none yet.
    pub fn get_or_insert(&mut self, key: K, number: u32) -> u32 {
        if let Some(found) = self.get(&key) {
            return found;
        }
        self.insert(key, number);
        number
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
            self.blocks.push(Arc::default());
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
    fn a_copy_of_a_map_shares_all_parts_but_one() {
        let mut map: SharedMap<Box<str>> = SharedMap::default();
        (0..5_000u32).for_each(|number| map.insert(number.to_string().into(), number));
        let mut copy = map.clone();
        assert_eq!((copy.get_or_insert("17".into(), 9), copy.get_or_insert("new".into(), 9)), (17, 9));
        assert_eq!((map.get("new"), copy.get("new"), copy.get("4999")), (None, Some(9), Some(4_999)));
        assert_eq!(map.parts.iter().zip(&copy.parts).filter(|(a, b)| !Arc::ptr_eq(a, b)).count(), 1);
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
