//! Rule: every package that the product is built from may be shipped with it.

use spdx::{Expression, LicenseReq, ParseMode};

use super::finding::Finding;
use super::metadata::{Metadata, Package};

/// Permissive licences whose duties the two licence files and the source meet.
const ALLOWED: [&str; 12] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

pub(super) fn check(metadata: &Metadata) -> Vec<Finding> {
    metadata.packages.iter().filter_map(check_package).collect()
}

fn check_package(package: &Package) -> Option<Finding> {
    let licence = package.license.as_deref().unwrap_or("none");
    let message = format!("the licence of `{}` is not on the list: {licence}; choose another crate", package.name);
    (!is_allowed(licence)).then(|| Finding::in_file("Cargo.toml", message))
}

/// True when the expression can be met by licences of the list. An expression that does not parse cannot.
fn is_allowed(expression: &str) -> bool {
    let on_list = |licence: &LicenseReq| ALLOWED.contains(&licence.to_string().as_str());
    // Lax, for the old spelling `MIT/Apache-2.0`.
    Expression::parse_mode(expression, ParseMode::LAX).is_ok_and(|expression| expression.evaluate(on_list))
}

#[cfg(test)]
mod tests {
    use super::super::metadata::samples::metadata;
    use super::*;

    #[test]
    fn expressions_are_evaluated() {
        let table = [
            ("MIT", true),
            ("MIT OR GPL-3.0-only", true),
            ("GPL-3.0-only OR Zlib", true),
            ("MIT/Apache-2.0", true),
            ("Apache-2.0 / GPL-2.0-only", true),
            ("Apache-2.0 WITH LLVM-exception OR GPL-2.0-only", true),
            ("(MIT OR GPL-2.0-only) AND Unicode-3.0", true),
            ("GPL-3.0-only", false),
            ("MIT AND GPL-3.0-only", false),
            ("(MIT OR Apache-2.0) AND MPL-2.0", false),
            ("MIT WITH Classpath-exception-2.0", false),
            ("GPL-2.0/AGPL-3.0", false),
            ("Proprietary", false),
            ("none", false),
            ("", false),
        ];
        for (expression, allowed) in table {
            assert_eq!(is_allowed(expression), allowed, "{expression}");
        }
    }

    #[test]
    fn a_finding_names_crate_and_licence() {
        let findings =
            check(&metadata(&[], &[("good", Some("MIT")), ("strict", Some("GPL-3.0-only")), ("bare", None)]));
        let text: Vec<String> = findings.iter().map(Finding::to_string).collect();
        assert_eq!(text.len(), 2);
        assert!(text[0].contains("`strict`") && text[0].contains("GPL-3.0-only"), "{}", text[0]);
        assert!(text[1].contains("`bare`") && text[1].contains("none"), "{}", text[1]);
    }
}
