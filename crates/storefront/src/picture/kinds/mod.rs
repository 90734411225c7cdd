//! The pictures and the words that name what they show.

mod clothes;
mod electronics;
mod garden;
mod home;
mod kitchen;
mod leisure;

use super::kind::Kind;

/// The drawings of all kinds, in groups.
pub(super) const KINDS: [&[Kind]; 6] =
    [clothes::KINDS, electronics::KINDS, garden::KINDS, home::KINDS, kitchen::KINDS, leisure::KINDS];
