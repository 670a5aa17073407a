//! `tidy`: the rules of the tree that no compiler checks. One file per rule; a rule is a pure function from paths, texts
//! or metadata to findings, and only `tree` reads files or starts programs.
//!
//! | rule | holds |
//! |---|---|
//! | [`absences`] | what must not be in the code, and where |
//! | [`arrows`] | which package may know which |
//! | [`doc_paths`] | the paths that documents name exist |
//! | [`licences`] | every dependency may be shipped |
//! | [`module_docs`] | each file says what lives in it |
//! | [`size`] | no file is too long |
//! | [`toplevel`] | the top level is fixed |

mod absences;
mod arrows;
mod doc_paths;
mod facts;
mod finding;
mod licences;
mod metadata;
mod module_docs;
mod run;
mod size;
mod toplevel;
mod tree;

pub(crate) use run::run;
