//! All golden vectors together, as files.

use std::io;

use ipc_contract::ContractError;

use super::vector::Vector;
use super::{frames, from_worker, mechanical, to_worker};
use crate::Files;

/// All vectors as files. Errors: one that cannot be made, two of one name.
pub(crate) fn files() -> io::Result<Files> {
    let made = || Ok::<_, ContractError>([mechanical::vectors()?, from_worker::vectors()?, to_worker::vectors()?]);
    let vectors = made().map_err(io::Error::other)?.into_iter().flatten().chain(frames::vectors());
    let mut files = Files::new();
    for (path, text) in vectors.flat_map(Vector::into_files) {
        if files.contains_key(&path) {
            return Err(io::Error::other(format!("two vectors are named {}", path.display())));
        }
        files.insert(path, text);
    }
    Ok(files)
}
