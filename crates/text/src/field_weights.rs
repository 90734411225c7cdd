//! How much the parts of a product count in one shop.

use std::fmt::{self, Display, Formatter};

use crate::product::{PART_COUNT, Part};

/// What people call the parts when they weigh them.
pub const PART_NAMES: [(&str, Part); PART_COUNT] = [
    ("name", Part::Name),
    ("sku", Part::Sku),
    ("brand", Part::Brand),
    ("labels", Part::Labels),
    ("attributes", Part::Attributes),
    ("description", Part::Description),
];

/// By what the weight of each part is multiplied. They act when a product is indexed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FieldWeights([f32; PART_COUNT]);

impl FieldWeights {
    /// The most that a weight is multiplied by.
    pub const MAX: f32 = 10.0;

    /// The same weights with another one for this part, from 0 to [`FieldWeights::MAX`]: 0 is worth as little as a word
    /// can be, but it is found all the same. The error ends a sentence.
    pub fn with(mut self, part: Part, weight: f32) -> Result<Self, String> {
        if !(0.0..=Self::MAX).contains(&weight) {
            return Err(format!("must be a number from 0 to {}", Self::MAX));
        }
        self.0[part as usize] = weight;
        Ok(self)
    }

    /// What the weight of this part is multiplied by.
    pub fn get(&self, part: Part) -> f32 {
        self.0[part as usize]
    }

    /// The same of all parts, by their numbers.
    pub(crate) fn by_part(&self) -> &[f32; PART_COUNT] {
        &self.0
    }
}

/// Equal weights have equal texts, others have not: an index keeps the text to tell later what it was made with.
impl Display for FieldWeights {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (at, (name, part)) in PART_NAMES.into_iter().enumerate() {
            let space = if at == 0 { "" } else { " " };
            write!(f, "{space}{name}={}", self.get(part))?;
        }
        Ok(())
    }
}

/// Every part counts what it counts by itself.
impl Default for FieldWeights {
    fn default() -> Self {
        Self([1.0; PART_COUNT])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_tells_weights_apart() {
        let weights = FieldWeights::default().with(Part::Brand, 2.5).unwrap();
        assert_eq!(weights.to_string(), "name=1 sku=1 brand=2.5 labels=1 attributes=1 description=1");
        let slightly_more = weights.with(Part::Brand, 2.5_f32.next_up()).unwrap();
        assert_ne!(slightly_more.to_string(), weights.to_string());
    }

    #[test]
    fn a_weight_is_set_within_its_bounds() {
        let weights = FieldWeights::default().with(Part::Name, 2.5).unwrap();
        assert_eq!((weights.get(Part::Name), weights.get(Part::Sku)), (2.5, 1.0));
        for wrong in [-0.1, 10.1, f32::NAN, f32::INFINITY] {
            assert!(weights.with(Part::Brand, wrong).is_err(), "{wrong}");
        }
    }
}
