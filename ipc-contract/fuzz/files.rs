//! The files of the fuzzer: inputs to start from, the corpus, and what was found. Names of inputs are hashes of their bytes.

use std::path::{Path, PathBuf};
use std::{fs, io};

use serde_json::{Value, json};

use super::target::Target;
use super::value::Form;
use super::{decoder, edges};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What every run of a target starts from: the golden files, the edges, then the corpus.
///
/// # Errors
/// When a file cannot be read.
pub fn seeds(target: Target) -> io::Result<Vec<Vec<u8>>> {
    let mut seeds = golden(target)?;
    let folder = corpus(target);
    if folder.exists() {
        for path in sorted(&folder)? {
            seeds.push(fs::read(path)?);
        }
    }
    Ok(seeds)
}

/// The folder of the committed inputs.
pub fn corpus(target: Target) -> PathBuf {
    Path::new(ROOT).join("fuzz/corpus").join(target.name())
}

/// Writes a failing input into the folder of its target, which tells a replay what it is.
///
/// # Errors
/// When it cannot be written.
pub fn write_failure(target: Target, input: &[u8]) -> io::Result<PathBuf> {
    write(&Path::new(ROOT).join("../target/fuzz-failures").join(target.name()), input)
}

/// Replaces the corpus of a target.
///
/// # Errors
/// When it cannot be written.
pub fn write_corpus(target: Target, inputs: &[Vec<u8>]) -> io::Result<()> {
    let folder = corpus(target);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    inputs.iter().try_for_each(|input| write(&folder, input).map(drop))
}

/// The target of a file, by the name of its folder.
pub fn target_of(path: &Path) -> Option<Target> {
    Target::from_name(path.parent()?.file_name()?.to_str()?)
}

fn write(folder: &Path, input: &[u8]) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let path = folder.join(format!("{:016x}", fnv(input)));
    fs::write(&path, input)?;
    Ok(path)
}

/// FNV-1a, 64 bits: a name for bytes.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn golden(target: Target) -> io::Result<Vec<Vec<u8>>> {
    Ok(match target {
        Target::Decoder => {
            vectors()?.iter().map(|(frame, _)| [&[0; decoder::HEAD_BYTES], &frame[..]].concat()).collect()
        }
        Target::Message => {
            let mut seeds: Vec<_> = vectors()?.iter().filter_map(|(frame, _)| Some(frame.get(4..)?.to_vec())).collect();
            seeds.extend(edges::messages().iter().map(|message| message.write(Form::Shortest)));
            seeds
        }
        Target::Json => {
            let transcripts = sorted(&Path::new(ROOT).join("spec/v1/transcripts"))?.into_iter().map(fs::read);
            let mut seeds = transcripts.collect::<io::Result<Vec<_>>>()?;
            seeds.extend(vectors()?.iter().filter_map(|(_, meaning)| as_transcript(meaning)));
            seeds.extend(vectors()?.iter().flat_map(|(_, meaning)| tasks(meaning)));
            seeds
        }
        // Its inputs are no golden data; it finds its way from nothing.
        Target::Session => vec![Vec::new()],
    })
}

/// The frame and the meaning of each golden vector.
fn vectors() -> io::Result<Vec<(Vec<u8>, Value)>> {
    let mut vectors = Vec::new();
    for group in sorted(&Path::new(ROOT).join("spec/v1/vectors"))? {
        for path in sorted(&group)?.iter().filter(|path| path.extension().is_some_and(|it| it == "json")) {
            let hex: String = fs::read_to_string(path.with_extension("hex"))?.split_whitespace().collect();
            let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).map_err(io::Error::other);
            let frame = (0..hex.len()).step_by(2).map(byte).collect::<io::Result<_>>()?;
            vectors.push((frame, serde_json::from_slice(&fs::read(path)?)?));
        }
    }
    Ok(vectors)
}

/// A conversation of the one message that a vector shows.
fn as_transcript(meaning: &Value) -> Option<Vec<u8>> {
    let step = json!({ meaning["direction"].as_str()?: meaning.get("message")? });
    let transcript = json!({ "about": "", "section": "", "players": ["worker"], "steps": [step] });
    serde_json::to_vec(&transcript).ok()
}

/// The follow-ups in a vector are tasks to be.
fn tasks(meaning: &Value) -> Vec<Vec<u8>> {
    let tasks = meaning["message"]["done"]["enqueue"].as_array();
    tasks.into_iter().flatten().filter_map(|task| serde_json::to_vec(task).ok()).collect()
}
