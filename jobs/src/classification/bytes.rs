//! The bytes of a model: what is stored, and hashed to tell versions apart. All numbers are little-endian.
//!
//! `PHC1`; the number of labels (u32) and each as its length (u32) and UTF-8; the number of features (u32); their
//! buckets (u32); their inverse document frequencies (f32); the weights and the biases (f32); the temperature (f64).

use super::features::Features;
use super::model::Model;

const MAGIC: &[u8; 4] = b"PHC1";

impl Model {
    /// The model as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes();
        bytes.extend(count(self.labels.len()));
        for label in &self.labels {
            bytes.extend(count(label.len()));
            bytes.extend(label.as_bytes());
        }
        bytes.extend(count(self.features.buckets.len()));
        bytes.extend(self.features.buckets.iter().flat_map(|bucket| bucket.to_le_bytes()));
        for numbers in [&self.features.idf, &self.weights, &self.biases] {
            bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        }
        bytes.extend(self.temperature.to_le_bytes());
        bytes
    }

    /// The model of these bytes; None if they are not those of a model.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(MAGIC)?;
        let number = count(&mut rest)?;
        let labels = (0..number)
            .map(|_| {
                let length = count(&mut rest)?;
                String::from_utf8(take(&mut rest, length)?.to_vec()).ok()
            })
            .collect::<Option<Vec<String>>>()?;
        let number = count(&mut rest)?;
        let buckets = take(&mut rest, number.checked_mul(4)?)?;
        let buckets = buckets.as_chunks::<4>().0.iter().map(|four| u32::from_le_bytes(*four)).collect();
        let idf = floats(&mut rest, number)?;
        let weights = floats(&mut rest, number.checked_mul(labels.len())?)?;
        let biases = floats(&mut rest, labels.len())?;
        let temperature = f64::from_le_bytes(rest.try_into().ok()?);
        let usable = temperature.is_finite() && temperature > 0.0 && !labels.is_empty();
        usable.then_some(Self { labels, features: Features { buckets, idf }, weights, biases, temperature })
    }
}

/// The next bytes.
fn take<'b>(rest: &mut &'b [u8], number: usize) -> Option<&'b [u8]> {
    let (first, others) = rest.split_at_checked(number)?;
    *rest = others;
    Some(first)
}

fn count(rest: &mut &[u8]) -> Option<usize> {
    let four: [u8; 4] = take(rest, 4)?.try_into().ok()?;
    usize::try_from(u32::from_le_bytes(four)).ok()
}

fn floats(rest: &mut &[u8], number: usize) -> Option<Vec<f32>> {
    let bytes = take(rest, number.checked_mul(4)?)?;
    Some(bytes.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_read_back_and_other_bytes_are_refused() {
        let model = Model {
            labels: vec!["TD1".to_owned(), "HT".to_owned()],
            features: Features { buckets: vec![3, 17, 400], idf: vec![1.5, 2.0, 1.25] },
            weights: vec![0.5, -0.5, 1.0, 2.0, 0.0, 3.5],
            biases: vec![0.25, -0.25],
            temperature: 1.75,
        };
        let bytes = model.to_bytes();
        assert_eq!(Model::from_bytes(&bytes), Some(model));
        for cut in [0, 3, 4, 9, bytes.len() - 1] {
            assert_eq!(Model::from_bytes(&bytes[..cut]), None, "{cut}");
        }
        assert_eq!(Model::from_bytes(&[&bytes[..], &[0]].concat()), None);
    }
}
