//! The dependencies between the modules of one crate, and the circles among them.
//!
//! A module depends on another if its code names something of it, outside of tests. A re-export is no dependency of the
//! module that re-exports, and importing a re-export is a dependency on the module that it comes from.

use std::collections::{BTreeMap, BTreeSet};

use super::source::Source;

/// A module: the path from the root of its crate; empty for `lib.rs`.
type Path = Vec<String>;

/// The modules of a crate.
pub(super) struct Modules {
    modules: BTreeMap<Path, Module>,
}

/// The items that a module declares, and the names that its code uses.
#[derive(Default)]
struct Module {
    /// The names of the items that the module defines, child modules included.
    items: BTreeSet<String>,
    imports: Vec<Import>,
    /// Paths in code.
    paths: Vec<Path>,
    /// Identifiers outside of imports.
    words: BTreeSet<String>,
}

/// One name that a `use` brings in.
struct Import {
    path: Path,
    /// The name in this module; `*` for all names.
    name: String,
    is_public: bool,
}

/// Modules that depend on each other, with the dependencies among them.
#[derive(Debug, PartialEq)]
pub(super) struct Circle {
    pub(super) modules: Vec<String>,
    /// Pairs of a module and one that it depends on.
    pub(super) edges: Vec<(String, String)>,
}

impl Modules {
    /// Reads the sources of one crate, whose paths begin with `folder`.
    pub(super) fn new<'a>(folder: &str, sources: impl Iterator<Item = &'a Source>) -> Self {
        let modules = sources.filter_map(|source| {
            let file = source.path.strip_prefix(folder)?.strip_prefix('/')?.strip_suffix(".rs")?;
            let mut path: Path = file.split('/').map(str::to_owned).collect();
            if matches!(path.last().map(String::as_str), Some("mod" | "lib")) {
                path.pop();
            }
            Some((path, Module::read(&source.code)))
        });
        Self { modules: modules.collect() }
    }

    /// Returns the circles: the strongly connected components of more than one module.
    pub(super) fn circles(&self) -> Vec<Circle> {
        let edges: BTreeMap<&Path, BTreeSet<Path>> =
            self.modules.iter().map(|(path, module)| (path, self.dependencies(path, module))).collect();
        let reached: BTreeMap<&Path, BTreeSet<&Path>> =
            edges.keys().map(|path| (*path, reachable(path, &edges))).collect();
        let mut circles = Vec::new();
        let mut seen = BTreeSet::new();
        for path in edges.keys() {
            let component: BTreeSet<&Path> =
                reached[*path].iter().copied().filter(|other| reached[*other].contains(*path)).collect();
            if component.len() < 2 || !seen.insert(component.clone()) {
                continue;
            }
            let edges = component.iter().flat_map(|from| {
                let to = edges[*from].iter().filter(|to| component.contains(to));
                to.map(|to| (name(from), name(to)))
            });
            circles.push(Circle {
                edges: edges.collect(),
                modules: component.iter().map(|path| name(path)).collect(),
            });
        }
        circles
    }

    fn dependencies(&self, path: &Path, module: &Module) -> BTreeSet<Path> {
        let is_used = |import: &&Import| !import.is_public || module.words.contains(&import.name);
        let imports = module.imports.iter().filter(is_used).map(|import| &import.path);
        let named = imports.chain(&module.paths).filter_map(|named| self.absolute(path, named));
        let mut dependencies: BTreeSet<Path> = named.map(|named| self.origin(&named, 0)).collect();
        dependencies.remove(path);
        dependencies
    }

    /// Returns a path from the root of the crate, or `None` for a path into another crate or to a local name.
    fn absolute(&self, module: &Path, named: &[String]) -> Option<Path> {
        let first = named.first()?.as_str();
        let mut absolute = match first {
            "crate" => Path::new(),
            "self" | "super" => module.clone(),
            child => {
                let child = [&module[..], &[child.to_owned()]].concat();
                self.modules.contains_key(&child).then(|| module.clone())?
            }
        };
        for segment in named {
            match segment.as_str() {
                "crate" | "self" => {}
                "super" => _ = absolute.pop(),
                segment => absolute.push(segment.to_owned()),
            }
        }
        Some(absolute)
    }

    /// Returns the module that defines what is at a path, following re-exports.
    fn origin(&self, absolute: &[String], depth: usize) -> Path {
        let length =
            (0..=absolute.len()).rev().find(|length| self.modules.contains_key(&absolute[..*length]));
        let (path, rest) = absolute.split_at(length.unwrap_or(0));
        let path = path.to_vec();
        let (Some(item), Some(module)) = (rest.first(), self.modules.get(&path)) else { return path };
        if module.items.contains(item) || depth > 8 {
            return path;
        }
        for import in &module.imports {
            let Some(mut target) = self.absolute(&path, &import.path) else { continue };
            if import.name == "*" {
                let origin = self.origin(&[&target[..], std::slice::from_ref(item)].concat(), depth + 1);
                if self.modules.get(&origin).is_some_and(|module| module.items.contains(item)) {
                    return origin;
                }
            } else if import.name == *item {
                target.extend_from_slice(&rest[1..]);
                return self.origin(&target, depth + 1);
            }
        }
        path
    }
}

fn reachable<'a>(from: &Path, edges: &'a BTreeMap<&Path, BTreeSet<Path>>) -> BTreeSet<&'a Path> {
    let (mut reached, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(path) = open.pop() {
        for next in edges.get(path).into_iter().flatten() {
            if reached.insert(next) {
                open.push(next);
            }
        }
    }
    reached
}

fn name(path: &Path) -> String {
    if path.is_empty() { "crate".to_owned() } else { path.join("::") }
}

// ------------------------------------------------------------------------------------------------ reading

impl Module {
    fn read(code: &str) -> Self {
        let tokens = tokens(code);
        let mut module = Self::default();
        let mut at = 0;
        while at < tokens.len() {
            let (token, next) = (tokens[at], tokens.get(at + 1).copied().unwrap_or_default());
            let before = at.checked_sub(1).map_or("", |before| tokens[before]);
            if token == "use" && next != "<" {
                let is_public = matches!(before, "pub" | ")");
                at += 1;
                module.read_import(&tokens, &mut at, &mut Path::new(), is_public);
                continue;
            }
            if matches!(
                token,
                "fn" | "struct" | "enum" | "union" | "trait" | "type" | "const" | "static" | "mod"
            ) {
                module.items.insert(next.to_owned());
            }
            if token == "macro_rules" {
                module.items.insert(tokens.get(at + 2).copied().unwrap_or_default().to_owned());
            }
            if is_word(token) {
                module.words.insert(token.to_owned());
                if next == "::" && before != "::" {
                    module.paths.push(path_at(&tokens, at));
                }
            }
            at += 1;
        }
        module
    }

    /// Reads a tree of imports that begins at `at` and leaves `at` at the token after it.
    fn read_import(&mut self, tokens: &[&str], at: &mut usize, path: &mut Path, is_public: bool) {
        let length = path.len();
        while let Some(token) = tokens.get(*at) {
            match *token {
                "::" => *at += 1,
                "{" => {
                    *at += 1;
                    while tokens.get(*at).is_some_and(|token| *token != "}") {
                        self.read_import(tokens, at, path, is_public);
                        if tokens.get(*at) == Some(&",") {
                            *at += 1;
                        }
                    }
                    *at += 1;
                    break;
                }
                "*" => {
                    *at += 1;
                    self.imports.push(Import { path: path.clone(), name: "*".to_owned(), is_public });
                    break;
                }
                word if is_word(word) => {
                    path.push(word.to_owned());
                    *at += 1;
                    if tokens.get(*at) == Some(&"::") {
                        continue;
                    }
                    let mut name = word;
                    if tokens.get(*at) == Some(&"as") {
                        name = tokens.get(*at + 1).copied().unwrap_or_default();
                        *at += 2;
                    }
                    if word == "self" {
                        path.pop();
                        name = if name == "self" { path.last().map_or("", String::as_str) } else { name };
                    }
                    self.imports.push(Import { name: name.to_owned(), path: path.clone(), is_public });
                    break;
                }
                _ => break,
            }
        }
        path.truncate(length);
        if length == 0 && tokens.get(*at) == Some(&";") {
            *at += 1;
        }
    }
}

fn path_at(tokens: &[&str], at: usize) -> Path {
    let mut path = vec![tokens[at].to_owned()];
    let rest = tokens[at + 1..].chunks_exact(2);
    for pair in rest.take_while(|pair| pair[0] == "::" && is_word(pair[1])) {
        path.push(pair[1].to_owned());
    }
    path
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Splits code into words, `::` and single characters.
fn tokens(code: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if first.is_alphanumeric() || first == '_' {
            rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        tokens.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    fn circles(files: &[(&str, &str)]) -> Vec<Vec<String>> {
        let sources: Vec<Source> = files
            .iter()
            .map(|(file, text)| Source::new(format!("x/src/{file}"), (*text).to_owned()))
            .collect();
        let circles = Modules::new("x/src", sources.iter()).circles();
        circles.into_iter().map(|circle| circle.modules).collect()
    }

    #[test]
    fn a_circle_is_found_through_imports_paths_and_parents() {
        let a = ("a.rs", "use crate::b::{self, c::{D as _, E}};");
        assert_eq!(circles(&[a, ("b.rs", "fn f() { super::a::g(); }")]), [["a", "b"]]);
        assert_eq!(circles(&[a, ("b.rs", ""), ("b/c.rs", "fn f() { crate::a::g() }")]), [["a", "b::c"]]);
        assert_eq!(
            circles(&[("a/mod.rs", "mod b; fn f() { b::g() }"), ("a/b.rs", "use super::f;")]),
            [["a", "a::b"]]
        );
        assert_eq!(
            circles(&[("lib.rs", "mod a; struct S; use a::T;"), ("a.rs", "use crate::S;")]),
            [["crate", "a"]]
        );
    }

    #[test]
    fn a_re_export_stands_for_its_origin() {
        let lib = ("lib.rs", "mod a; mod b; pub use a::{A, X as Y}; pub use b::*;");
        assert!(circles(&[lib, ("a.rs", "use crate::B; struct A;"), ("b.rs", "struct B;")]).is_empty());
        let both = [lib, ("a.rs", "use crate::B; struct A;"), ("b.rs", "struct B; use crate::Y;")];
        assert_eq!(circles(&both), [["a", "b"]]);
    }

    #[test]
    fn tests_and_other_crates_do_not_count() {
        let a = ("a.rs", "use crate::b::X; // crate::c");
        let b = ("b.rs", "use a::B; use std::fmt; #[cfg(test)] mod tests { use crate::a::C; }");
        assert!(circles(&[a, b]).is_empty());
    }
}
