//! Tables: CSV and its relatives, read twice. The first reading decides what each column means and how ambiguous cells are
//! read; the second returns the products.

mod bigcommerce_rows;
#[cfg(test)]
mod broken_tests;
mod category_list;
mod cell_values;
mod column_names;
mod coverage;
mod currency_signs;
mod families;
mod family_row;
#[cfg(test)]
mod family_tests;
mod localized;
mod mapping_file;
mod merged_cells;
mod notes;
mod numbers;
mod options;
mod plan;
mod prices;
mod product_row;
mod product_writer;
mod reader;
mod report;
mod role;
mod row_neighbours;
mod row_parser;
mod row_splitter;
mod sheet;
mod sheet_limits;
mod sheet_row;
mod sheet_values;
mod source;
mod spool;
mod survey;
mod table_start;
#[cfg(test)]
mod tests;
mod watched;
mod xml_elements;
mod xml_rows;

pub(crate) use currency_signs::{NamedCurrency, currency_in};
pub use mapping_file::embedded_mapping;
pub(crate) use mapping_file::{TableMapping, form_of_record, other_form, recognise_record};
pub(crate) use notes::Notes;
pub use numbers::Mark;
pub(crate) use numbers::{Reading, read_number};
pub use options::TableOptions;
pub(crate) use plan::{Column, Plan};
pub(crate) use product_row::ProductRow;
pub(crate) use reader::TableReader;
pub use report::{ColumnReport, TableReport};
pub(crate) use report::{NO_PRICE, near_field};
pub(crate) use role::{Role, is_code_name};
pub(crate) use sheet::spool_workbook;
pub(crate) use source::Source;
pub(crate) use survey::example_of;
pub(crate) use xml_rows::spool_xml;
