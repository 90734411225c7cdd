//! Turns the fields of a JSON record into cells with the roles of a mapping, and fields without a role into attributes.

use std::borrow::Cow;
use std::collections::HashSet;

use domain::CategoryPath;
use domain::input::RawObject;
use indexmap::{IndexMap, IndexSet};
use serde_json::value::RawValue;

use crate::columns::{REPEATED, is_cost_name};
use crate::covered::Covered;
use crate::json::{is_empty, text_json};
use crate::product::publication_of;
use crate::table::{Role, TableMapping, is_code_name};

/// Depth limit of objects in objects.
const MAX_NESTING: usize = 8;

/// A field with a role.
#[derive(Debug)]
pub(super) struct Cell {
    pub(super) path: String,
    pub(super) role: Role,
    pub(super) text: String,
    pub(super) is_list: bool,
}

/// The fields of a record.
#[derive(Debug, Default)]
pub(super) struct Cells {
    pub(super) cells: Vec<Cell>,
    /// Attributes as JSON.
    pub(super) attributes: IndexMap<String, String>,
    /// Paths of lists of which only the first object is read.
    pub(super) shortened: IndexSet<String>,
    /// The fields that the record has without a value.
    pub(super) covered: Covered,
}

/// Gives fields their roles.
pub(super) struct Roles<'a> {
    pub(super) mapping: &'a TableMapping,
    /// Fields with the names of their roles, from the command line.
    pub(super) given: &'a [(String, String)],
    /// Path of the list that the record is in: `variants`.
    pub(super) prefix: &'a str,
}

impl Roles<'_> {
    fn role(&self, path: &str) -> Option<Role> {
        let full = format!("{}.{path}", self.prefix);
        let names = [full.as_str(), path];
        let names = &names[usize::from(self.prefix.is_empty())..];
        let given = self.given.iter().find(|(field, _)| names.contains(&field.as_str()));
        let given = given.and_then(|(_, role)| Role::parse(role, ""));
        given.or_else(|| names.iter().find_map(|name| self.mapping.role_of(name)))
    }

    /// Returns true if the mapping names fields of an object.
    fn has_fields_of(&self, path: &str) -> bool {
        let starts = [format!("{path}."), format!("{}.{path}.", self.prefix)];
        let mut names = self.mapping.columns.keys().chain(self.given.iter().map(|(field, _)| field));
        names.any(|name| starts.iter().any(|start| name.starts_with(start)))
    }
}

impl Cells {
    /// Reads a record, without the field `except`.
    pub(super) fn read(record: &RawObject<'_>, roles: &Roles<'_>, except: Option<&str>) -> Self {
        let mut cells = Self::default();
        for (key, raw) in record.0.iter().filter(|(key, _)| Some(key.as_ref()) != except) {
            cells.add(key, raw, roles, 0, MAX_NESTING);
        }
        cells.keep_lists_of_levels_apart();
        cells
    }

    /// If other fields give the levels of categories, turns lists that may be such levels into attributes, and drops lists that add
    /// nothing.
    fn keep_lists_of_levels_apart(&mut self) {
        let paths = self.cells.iter().filter(|cell| cell.role == Role::CategoryLevel);
        let levels: HashSet<String> =
            paths.flat_map(|cell| cell.text.split('>').map(|level| level.trim().to_owned())).collect();
        if levels.is_empty() {
            return;
        }
        self.cells.retain_mut(|cell| {
            if cell.role != Role::Category || !cell.is_list {
                return true;
            }
            let texts: Vec<&str> = cell.text.split(CategoryPath::SEPARATOR).collect();
            let says_more = texts.iter().any(|text| !levels.contains(*text));
            cell.text = format!("{}={}", cell.path, texts.join("|"));
            cell.role = Role::PackedAttributes;
            says_more
        });
    }

    /// Adds a field; `at` is the position of its object in a list.
    fn add(&mut self, path: &str, raw: &RawValue, roles: &Roles<'_>, at: usize, nesting: usize) {
        let json = raw.get();
        if is_empty(raw) {
            match roles.role(path) {
                Some(role @ Role::PublishedAt) if json == "null" => {
                    self.push(path, role, json.to_owned(), false)
                }
                None if json == "null" && publication_of(path, json).is_some() => {
                    self.push(path, Role::PublishedAt, json.to_owned(), false);
                }
                Some(role) => self.covered.add_role(&role),
                None => self.covered.add_attribute(path),
            }
            return;
        }
        match json.as_bytes().first() {
            Some(b'{') if nesting > 0 && roles.has_fields_of(path) => {
                let Ok(object) = serde_json::from_str::<RawObject<'_>>(json) else { return };
                for (key, raw) in &object.0 {
                    self.add(&format!("{path}.{key}"), raw, roles, at, nesting - 1);
                }
            }
            Some(b'[') if nesting > 0 => self.add_list(path, raw, roles, nesting),
            Some(b'{') => self.add_attribute(path, json, roles),
            _ => self.add_text(path, raw, roles, at),
        }
    }

    fn add_list(&mut self, path: &str, raw: &RawValue, roles: &Roles<'_>, nesting: usize) {
        let Ok(elements) = serde_json::from_str::<Vec<&RawValue>>(raw.get()) else { return };
        if elements.iter().any(|element| element.get().starts_with('{')) && roles.has_fields_of(path) {
            for (at, element) in elements.iter().enumerate() {
                self.add(path, element, roles, at, nesting - 1);
            }
            return;
        }
        let texts: Option<Vec<String>> = elements.iter().map(|element| text(element)).collect();
        let (Some(role), Some(texts)) = (roles.role(path), texts) else {
            return self.add_attribute(path, raw.get(), roles);
        };
        let texts = texts.into_iter().filter(|text| !text.trim().is_empty());
        match role {
            Role::Attribute(_) => self.add_attribute(path, raw.get(), roles),
            Role::CategoryLevel => texts.for_each(|text| self.push(path, role.clone(), text, false)),
            Role::Category if elements.iter().any(|element| element.get().contains('>')) => {
                texts.for_each(|text| self.push(path, role.clone(), text, false));
            }
            Role::Category => {
                let levels: Vec<String> = texts.map(|text| text.replace('>', "/")).collect();
                self.push(path, role, levels.join(CategoryPath::SEPARATOR), true);
            }
            Role::List(_) | Role::Images => {
                let texts: Vec<String> = texts.collect();
                self.push(path, role, texts.join(&REPEATED.to_string()), true);
            }
            _ => {
                let mut texts = texts;
                if let Some(text) = texts.next() {
                    self.push(path, role, text, false);
                }
                if texts.next().is_some() {
                    self.shorten(path);
                }
            }
        }
    }

    fn add_text(&mut self, path: &str, raw: &RawValue, roles: &Roles<'_>, at: usize) {
        let role = match roles.role(path) {
            Some(Role::OptionName(_)) => Some(Role::OptionName((at + 1).to_string())),
            role => role,
        };
        let is_first = at == 0 || matches!(role, Some(Role::Images | Role::OptionName(_) | Role::List(_)));
        match (role, text(raw)) {
            (Some(Role::Ignored), _) => {}
            _ if !is_first => self.shorten(path.split('.').next().unwrap_or(path)),
            (Some(role), Some(text)) if !matches!(role, Role::Attribute(_)) => {
                self.push(path, role, text, false)
            }
            _ => self.add_attribute(path, raw.get(), roles),
        }
    }

    fn push(&mut self, path: &str, role: Role, text: String, is_list: bool) {
        self.cells.push(Cell { path: path.to_owned(), role, text, is_list });
    }

    fn add_attribute(&mut self, path: &str, json: &str, roles: &Roles<'_>) {
        let key = match roles.role(path) {
            Some(Role::Ignored) => return,
            Some(Role::Attribute(key)) => key,
            _ if is_cost_name(path) => return,
            _ => path.to_owned(),
        };
        let is_number = json.starts_with(|c: char| c == '-' || c.is_ascii_digit());
        let json = if is_number && is_code_name(&key) { text_json(json) } else { json.to_owned() };
        self.attributes.entry(key).or_insert(json);
    }

    fn shorten(&mut self, path: &str) {
        self.shortened.insert(path.to_owned());
    }
}

/// Returns a text, or a number or flag as it is written.
pub(super) fn text(raw: &RawValue) -> Option<String> {
    match raw.get().as_bytes().first()? {
        b'"' => serde_json::from_str::<Cow<'_, str>>(raw.get()).ok().map(Cow::into_owned),
        b'[' | b'{' => None,
        b'n' => Some(String::new()),
        _ => Some(raw.get().to_owned()),
    }
}
