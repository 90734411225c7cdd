//! Columns whose names carry a locale, a channel or a currency: `name-en_US`, `description-de_DE-print`, `price-EUR`.

use domain::Currency;

use super::mapping_file::TableMapping;
use super::options::TableOptions;
use super::role::Role;

/// The roles of the localized columns of a file.
#[derive(Debug)]
pub(super) struct Localized {
    locale: Option<String>,
    currency: Option<Currency>,
    /// Says so if the file has no texts in the language of the catalogue.
    pub(super) warning: Option<String>,
}

/// A name in its parts.
struct Parts<'a> {
    attribute: &'a str,
    locale: Option<&'a str>,
    currency: Option<Currency>,
}

impl Localized {
    /// Chooses the locale and the currency of the catalogue, or else the first of the file.
    pub(super) fn new(header: &[String], options: &TableOptions) -> Self {
        let parts = || header.iter().map(|name| parts(name));
        let locales = || parts().filter_map(|parts| parts.locale);
        let wanted = options.language.unwrap_or_default();
        let fits = |locale: &str| {
            let language = locale.split('_').next().unwrap_or_default();
            wanted.code().split('-').next() == Some(language) || (wanted.code() == "no" && language == "nb")
        };
        let locale = locales().find(|locale| fits(locale));
        let other = locales().next().filter(|_| locale.is_none());
        let warning = other.map(|other| {
            format!(
                "the file has no texts in the language of the catalogue ({wanted}), so those of {other} are read; if that is \
                 wrong, set NOREN_LANGUAGE"
            )
        });
        let currencies = || parts().filter_map(|parts| parts.currency);
        let wanted = options.currency.and_then(|wanted| currencies().find(|currency| *currency == wanted));
        Self {
            locale: locale.or(other).map(str::to_owned),
            currency: wanted.or_else(|| currencies().next()),
            warning,
        }
    }

    /// Returns the role of a column, with the currency of its prices; `None` if its name has no such parts.
    pub(super) fn role(&self, name: &str, mapping: &TableMapping) -> Option<(Role, Option<Currency>)> {
        let Parts { attribute, locale, currency } = parts(name);
        if locale.is_none() && currency.is_none() {
            return None;
        }
        if locale.is_some() && locale != self.locale.as_deref() {
            return Some((Role::Ignored, None));
        }
        let other = currency.filter(|_| currency != self.currency);
        let role = match (mapping.role_of(attribute), other) {
            (_, Some(other)) => Role::Attribute(format!("{attribute}_{other}")),
            (Some(role), None) => role,
            (None, None) => Role::Attribute(attribute.to_owned()),
        };
        Some((role, currency.filter(|_| other.is_none())))
    }
}

fn parts(name: &str) -> Parts<'_> {
    let mut parts = name.split('-');
    let attribute = parts.next().unwrap_or_default();
    let (mut locale, mut currency) = (None, None);
    for part in parts {
        locale = locale.or(Some(part).filter(|part| is_locale(part)));
        let code =
            Some(part).filter(|part| part.len() == 3 && part.bytes().all(|byte| byte.is_ascii_uppercase()));
        currency = currency.or(code.and_then(|code| Currency::parse(code).ok()));
    }
    Parts { attribute, locale, currency }
}

/// Returns true for `en_US`.
fn is_locale(text: &str) -> bool {
    let Some((language, country)) = text.split_once('_') else { return false };
    (2..=3).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_lowercase())
        && country.len() >= 2
        && country.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}
