//! The weights of the parts of a product in one shop.

use std::fmt::{self, Display, Formatter};

use crate::product::{PART_COUNT, Part};

/// The names of the parts in the rules file.
pub const PART_NAMES: [(&str, Part); PART_COUNT] = [
    ("name", Part::Name),
    ("sku", Part::Sku),
    ("brand", Part::Brand),
    ("labels", Part::Labels),
    ("attributes", Part::Attributes),
    ("description", Part::Description),
];

/// Multipliers of the built-in weights of the parts. They take effect when a product is indexed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FieldWeights([f32; PART_COUNT]);

impl FieldWeights {
    /// The highest multiplier.
    pub const MAX: f32 = 10.0;

    /// Returns the weights with another multiplier for this part. With 0, words of the part get the lowest possible weight,
    /// but are still found.
    ///
    /// # Errors
    /// Fails if the weight is not from 0 to [`FieldWeights::MAX`]. The message follows the name of the weight: `must be …`.
    pub fn with(mut self, part: Part, weight: f32) -> Result<Self, String> {
        if !(0.0..=Self::MAX).contains(&weight) {
            return Err(format!("must be a number from 0 to {}", Self::MAX));
        }
        self.0[part as usize] = weight;
        Ok(self)
    }

    /// Returns the multiplier of a part.
    pub fn get(&self, part: Part) -> f32 {
        self.0[part as usize]
    }

    /// Returns the multipliers indexed by [`Part`].
    pub(crate) fn by_part(&self) -> &[f32; PART_COUNT] {
        &self.0
    }
}

/// Writes a text that is equal only for equal weights: an index stores it to know which weights it was built with.
impl Display for FieldWeights {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (at, (name, part)) in PART_NAMES.into_iter().enumerate() {
            let space = if at == 0 { "" } else { " " };
            write!(f, "{space}{name}={}", self.get(part))?;
        }
        Ok(())
    }
}

/// Returns 1 for every part, which keeps the built-in weights.
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
