//! Brands and values that several product lines use.

use crate::product_line::Attribute;

pub(super) const COLOURS: Attribute =
    Attribute::OneOf(&["black", "white", "grey", "navy", "red", "green", "sand", "teal"]);
pub(super) const ELECTRONICS: &[&str] =
    &["Halden", "Orvika", "Tessuno", "Brightmoor", "Kestrel Audio", "Nordlys"];
pub(super) const KITCHEN: &[&str] =
    &["Tetsuya Works", "Maple & Iron", "Cucinella", "Hearthline", "Sable & Stone"];
pub(super) const OUTDOOR: &[&str] = &["Fjellvik", "Ridgeway", "Tall Pine", "Kamoshika", "Drumlin"];
pub(super) const BOOKS: &[&str] = &["Lantern House", "Quillford Press", "Paper Heron", "Harbour & Sons"];
pub(super) const HOME: &[&str] = &["Linnea Home", "Oakhollow", "Komorebi", "Casa Brisa", "Northfold"];
