//! The fields that the columns of a table fill.

use super::plan::Plan;
use super::role::Role;
use crate::covered::Covered;

impl Covered {
    /// Returns the fields and attributes of all columns. Those whose names are in cells, such as options, are not known. A status is
    /// not cleared: without one a draft would go live.
    pub(crate) fn of_plan(plan: &Plan) -> Self {
        let mut covered = Self::default();
        for column in &plan.columns {
            covered.add_role(&column.role);
        }
        if plan.mapping.image_prefix.is_some() && plan.has(|role| *role == Role::Images) {
            covered.add_attribute("image_paths");
        }
        covered
    }

    /// Adds what a role fills.
    pub(crate) fn add_role(&mut self, role: &Role) {
        match role {
            Role::Text("id" | "status")
            | Role::Publication
            | Role::PublishedAt
            | Role::Deletion
            | Role::Ignored => {}
            Role::OptionName(_) | Role::OptionValue(_) | Role::NamedOptions | Role::PackedAttributes => {}
            Role::SaleFrom | Role::SaleTo | Role::SaleDates => {}
            Role::Text(field) => self.add_field(field),
            Role::ShortDescription => self.add_field("description"),
            Role::List("categories") | Role::Category | Role::CategoryLevel => {
                self.add_field("category");
                self.add_field("categories");
                self.add_attribute("categories");
            }
            Role::List(field) => {
                self.add_field(field);
                self.add_attribute(field);
            }
            Role::Images => self.add_field("images"),
            Role::Price => {
                self.add_field("price");
                self.add_attribute("regular_price");
            }
            Role::SalePrice => {
                self.add_attribute("regular_price");
                self.add_attribute("sale_price");
            }
            Role::CompareAtPrice => self.add_attribute("compare_at_price"),
            Role::Stock => self.add_field("stock"),
            Role::Availability => {
                self.add_field("stock");
                self.add_attribute("availability");
            }
            Role::Group => self.add_attribute("item_group_id"),
            Role::Attribute(key) => self.add_attribute(key),
        }
    }
}
